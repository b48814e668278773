//! Stopping and moving the clock, for tests: [`pause`], [`resume`], [`advance`].

use std::time::Duration;

use yamanote_base::budget;
use yamanote_driver::clock;

/// Stops the clock of the current runtime; from now on it jumps to the next timer whenever
/// there is nothing else to do.
///
/// It does not jump while a function runs that was given to `spawn_blocking`. Only timers and
/// [`Instant`](crate::Instant) follow it: other programs and the system's clock do not.
///
/// # Panics
/// Outside of a runtime, in one with several workers, and when the clock is stopped already.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use tokio::time::{self, Duration, Instant};
///
/// time::pause();
/// let (start, real) = (Instant::now(), std::time::Instant::now());
/// time::sleep(Duration::from_secs(86_400)).await;
/// assert!(start.elapsed() >= Duration::from_secs(86_400));
/// assert!(real.elapsed() < Duration::from_secs(3600));
/// # }
/// ```
#[track_caller]
pub fn pause() {
    clock::pause();
}

/// Lets the clock of the current runtime go on, from what it shows.
///
/// # Panics
/// Outside of a runtime, and when the clock is not stopped.
#[track_caller]
pub fn resume() {
    clock::resume();
}

/// Moves the stopped clock of the current runtime by `duration`, and lets the timers that are
/// due then fire.
///
/// Of the tasks that it wakes, those that wait for each other need turns of their own: after it a
/// test may have to yield before it looks at what they did.
///
/// # Panics
/// Outside of a runtime, when the clock is not stopped, and when it would be moved beyond what an
/// [`Instant`](crate::Instant) can show.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use tokio::time::{Duration, Instant, advance};
///
/// let start = Instant::now();
/// advance(Duration::from_millis(1500)).await;
/// assert_eq!(start.elapsed(), Duration::from_millis(1500));
/// # }
/// ```
pub async fn advance(duration: Duration) {
    clock::advance(duration);
    // The scheduler turns the driver before it polls anything else.
    budget::AfterOthers::default().await;
}
