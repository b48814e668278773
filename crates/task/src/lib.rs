//! Not an API: a layer of yamanote. One future, one word of state.
//!
//! Knows nothing of queues, drivers or other tasks: when a task becomes runnable, it hands a
//! [`Runnable`] to its [`Schedule`].
//!
//! ```text
//!   TaskList::bind ──▶ Runnable ──run──▶ poll ──▶ Pending: waits for a waker ──▶ Runnable ...
//!                      JoinHandle ◀───────────── Ready, a panic, or cancelled
//! ```
//!
//! A task is one allocation: header, scheduler, and the future, in whose place the output is
//! put. Read next: `state` (the word), `biased` (what a task saves that has a thread of its own),
//! then `cell` (what is in the allocation).

mod biased;
mod cell;
mod header;
mod held;
mod joiner;
mod lent;
mod notes;
mod origin;
mod resting;
mod stamp;
mod state;
mod waker;
mod warm;

pub mod coop;
pub mod error;
pub mod id;
pub mod join;
pub mod list;
pub mod local;
pub mod meta;
pub mod runnable;
pub mod schedule;

pub use error::JoinError;
pub use id::{Id, id, try_id};
pub use join::{AbortHandle, JoinHandle};
pub use list::TaskList;
pub use local::LocalKey;
pub use meta::{LARGE_FUTURE, SpawnLocation, SpawnMeta, TaskMeta};
pub use resting::{Own, RestingCells};
pub use runnable::{Runnable, TaskRef, blocking};
pub use schedule::{Schedule, Wakers};
pub use waker::{wakers_claiming, wakers_here};
pub use warm::Warm;
