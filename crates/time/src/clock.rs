//! Stopping and moving the clock, for tests: [`pause`], [`resume`], [`advance`].

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use yamanote_driver::clock;

/// Stops the clock of the current runtime; from now on it jumps to the next timer whenever
/// there is nothing else to do.
///
/// # Panics
/// Outside of a runtime, in one with several workers, and when the clock is stopped already.
#[track_caller]
pub fn pause() {
    clock::pause();
}

/// Lets the clock of the current runtime go on.
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
/// # Panics
/// Outside of a runtime, and when the clock is not stopped.
pub async fn advance(duration: Duration) {
    clock::advance(duration);
    // The scheduler turns the driver before it polls anything else.
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
