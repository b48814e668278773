//! A simulated world: hosts on a network, a clock that jumps, an order of events that a seed
//! decides.
//!
//! A program runs in it unmodified. The same seed gives the same run, event by event; another seed
//! gives another order, other delays, other losses.

pub use yamanote_runtime::sim::{Clock, Disk, DiskOp, Dns, Fault, Latency, Link, Net, Select};
pub use yamanote_runtime::sim::{Host, Policy, ProgramResult, Sim, SimError};
