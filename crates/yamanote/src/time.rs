//! Sleeping, timeouts and intervals.
//!
//! Timers have a resolution of one millisecond and never end early. The clock is the runtime's: a
//! test can stop and move it (`pause`, `advance`), a simulation has its own.

pub use yamanote_time::{
    Duration, Instant, Interval, MissedTickBehavior, Sleep, Timeout, interval, interval_at, sleep,
    sleep_until, timeout, timeout_at,
};

#[cfg(feature = "test-util")]
pub use yamanote_time::{advance, pause, resume};

/// Why a timer failed.
pub mod error {
    pub use yamanote_time::error::{Elapsed, Error};
}
