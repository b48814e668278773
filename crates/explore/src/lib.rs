//! Not an API: a layer of yamanote. Runs a simulated world under many seeds, and makes of a seed
//! that fails a story: a small one, that can be replayed.
//!
//! Knows nothing of what is in a world: it runs a closure that builds one, and reads its trace.
//!
//! ```text
//!  seeds ──▶ run (a fresh thread) ──▶ outcome: hash, failure ──▶ report
//!    │          ▲        ▲                  │                      ▲
//!    │          │     script ◀── shrink ◀───┤                      │
//!    └──▶ worker processes, check process ──┴──▶ first difference ─┘
//! ```
//!
//! Read next: [`explore()`], then [`mod@run`] and [`shrink`].
#![forbid(unsafe_code)]

pub mod check;
pub mod environment;
pub mod explore;
pub mod outcome;
pub mod perfetto;
pub mod plain;
pub mod progress;
pub mod report;
pub mod run;
pub mod seeds;
pub mod shrink;
pub mod trace_file;
pub mod worker;

pub use explore::{Explore, explore, test};
pub use plain::PlainTest;
pub use report::{FailureReport, Report};
pub use trace_file::TraceFile;
