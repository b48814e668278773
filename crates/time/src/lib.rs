//! Not an API: a layer of yamanote. Time as programs see it: `tokio::time`.
//!
//! Knows nothing of wheels or of the system's clock: [`Sleep`] is a deadline in the driver,
//! [`Timeout`] and [`Interval`] stand on it, [`Instant`] asks the driver's clock.
//!
//! Read next: [`sleep`](mod@sleep).
#![forbid(unsafe_code)]

pub mod clock;
pub mod error;
pub mod instant;
pub mod interval;
pub mod sleep;
pub mod timeout;

pub use clock::{advance, pause, resume};
pub use instant::Instant;
pub use interval::{Interval, MissedTickBehavior, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use std::time::Duration;
pub use timeout::{Timeout, timeout, timeout_at};
