//! A future with a deadline: [`Timeout`].

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use yamanote_base::budget;

use crate::error::Elapsed;
use crate::instant::Instant;
use crate::sleep::{Sleep, sleep, sleep_until};

pin_project! {
    /// A future with a deadline; made by [`timeout`] and [`timeout_at`].
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    #[derive(Debug)]
    pub struct Timeout<T> {
        #[pin]
        value: T,
        #[pin]
        delay: Sleep,
    }
}

/// Awaits `future` for at most `duration`.
///
/// *Cancel safety:* as that of `future`, which is dropped with it.
///
/// # Errors
/// [`Elapsed`], when the time was over first. A future that is ready is never timed out.
///
/// # Panics
/// Outside of a runtime, and in one without timers.
#[track_caller]
pub fn timeout<F>(duration: Duration, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    let delay = sleep(duration);
    Timeout {
        value: future.into_future(),
        delay,
    }
}

/// Awaits `future` until `deadline` at most. See [`timeout`].
///
/// # Panics
/// Outside of a runtime, and in one without timers.
#[track_caller]
pub fn timeout_at<F>(deadline: Instant, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    let delay = sleep_until(deadline);
    Timeout {
        value: future.into_future(),
        delay,
    }
}

impl<T> Timeout<T> {
    /// The future.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The future.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The future, without the deadline.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T: Future> Future for Timeout<T> {
    type Output = Result<T::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let before = budget::current();
        if let Poll::Ready(output) = this.value.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        // A future that has just spent the whole budget must not put off its own deadline.
        let spent = before.has_remaining() && !budget::current().has_remaining();
        let delay = this.delay;
        let over = match spent {
            true => budget::with_unlimited(|| delay.poll(cx)),
            false => delay.poll(cx),
        };
        over.map(|()| Err(Elapsed::new()))
    }
}
