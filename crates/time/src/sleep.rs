//! A future that ends at a deadline: [`Sleep`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use yamanote_base::budget;
use yamanote_driver::context;
use yamanote_driver::timer::Timer;

use crate::instant::Instant;

pin_project! {
    /// A future that ends at a deadline; made by [`sleep`] and [`sleep_until`].
    ///
    /// Its resolution is one millisecond; it never ends early.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Sleep {
        timer: Timer,
        #[pin]
        _pin: PhantomPinned,
    }
}

/// Waits until `duration` has gone by.
///
/// *Cancel safety:* dropping it cancels the wait.
///
/// # Panics
/// Outside of a runtime, and in one without timers.
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    let timer = context::with_time(|handle| Timer::after(handle, duration));
    Sleep {
        timer,
        _pin: PhantomPinned,
    }
}

/// Waits until `deadline`.
///
/// *Cancel safety:* dropping it cancels the wait.
///
/// # Panics
/// Outside of a runtime, and in one without timers.
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    let timer = context::with_time(|handle| Timer::new(handle, deadline.into_std()));
    Sleep {
        timer,
        _pin: PhantomPinned,
    }
}

impl Sleep {
    /// The deadline.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        Instant::from_std(self.timer.deadline())
    }

    /// Whether the deadline was found to be over.
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        self.timer.is_elapsed()
    }

    /// Moves the deadline, also after it is over.
    ///
    /// It need not be polled for that; whoever polled it last is woken at the new deadline.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        self.project().timer.reset(deadline.into_std());
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let charge = ready!(budget::poll_proceed(cx));
        ready!(self.project().timer.poll_elapsed(cx));
        charge.made_progress();
        Poll::Ready(())
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}
