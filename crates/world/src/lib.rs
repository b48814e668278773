//! Not an API: a layer of yamanote. A simulated world: time, hosts, networks, disks, chance.
//!
//! Everything that happens in it follows from one seed. Knows nothing of tasks, drivers or
//! runtimes, and never touches the real clock, network, disk or randomness.
//!
//! ```text
//!  a socket's call ──▶ net (state of both ends) ──▶ event heap      latency: choices ◀── seed
//!                                                     │ advance_to(t)
//!  wakers of who waited ◀── ReadyCell::set ◀── delivery ──▶ trace hash
//! ```
//!
//! A call never wakes anybody: what it causes is an event, and the wakers come out of
//! [`World::advance_to`]. Read next: [`world`], then [`net`].

#![forbid(unsafe_code)]

pub mod choice;
mod clock;
pub mod disk;
pub mod host;
pub mod net;
pub mod trace;
pub mod world;

mod alarm;
mod event;
mod names;
mod signal;

pub use alarm::Alarm;
pub use choice::{Choice, ChoiceKind, Lane, Rest, Script, Stream};
pub use host::{Host, HostId};
pub use names::{Lookup, NameFailure, NameRules};
pub use trace::{Event, FaultKind, TraceHash};
pub use world::World;
