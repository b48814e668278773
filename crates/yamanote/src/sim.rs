//! A simulated world: hosts on a network, a clock that jumps, an order of events that a seed
//! decides.
//!
//! A program runs in it unmodified. The same seed gives the same run, event by event; another seed
//! gives another order, other delays, other losses.

pub use yamanote_explore::{Explore, FailureReport, PlainTest, Report, TraceFile, explore, test};
pub use yamanote_runtime::sim::{Clock, Disk, DiskOp, Dns, Fault, Latency, Link, Net, Select};
pub use yamanote_runtime::sim::{
    Host, Nemesis, ProgramResult, Schedule, Sim, SimError, SimOptions, Swarm, SwarmFault,
};

#[doc(hidden)]
pub use yamanote_runtime::sim::points;

pub use crate::{
    __sim_always as always, __sim_buggify as buggify, __sim_point as point,
    __sim_sometimes as sometimes,
};
