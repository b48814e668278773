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
    ///
    /// *Cancel safety:* as that of the future within, which is dropped with it.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    #[derive(Debug)]
    pub struct Timeout<T> {
        #[pin]
        value: T,
        #[pin]
        delay: Sleep,
    }
}

/// Awaits `future` for at most `duration`, counted from the call.
///
/// The future is polled first: what is ready is never timed out, and costs no timer. A future that
/// does not let others run cannot be interrupted. When the time is over, it is dropped.
///
/// *Cancel safety:* as that of `future`, which is dropped with it.
///
/// # Errors
/// [`Elapsed`], when the time was over first.
///
/// # Panics
/// Outside of a runtime, and in one without timers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use tokio::sync::oneshot;
/// use tokio::time::{Duration, timeout};
///
/// let (sender, mut receiver) = oneshot::channel();
/// let late = timeout(Duration::from_millis(5), &mut receiver).await;
/// assert_eq!(late.unwrap_err().to_string(), "deadline has elapsed");
///
/// sender.send(5).unwrap();
/// assert_eq!(timeout(Duration::from_millis(5), receiver).await, Ok(Ok(5)));
/// # }
/// ```
#[inline]
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
/// # Errors
/// [`Elapsed`], when the deadline came first; one that is over already, unless the future is ready.
///
/// # Panics
/// Outside of a runtime, and in one without timers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use tokio::time::{Duration, Instant, sleep, timeout_at};
///
/// // Both together may take 10 ms.
/// let deadline = Instant::now() + Duration::from_millis(10);
/// assert!(timeout_at(deadline, async {}).await.is_ok());
/// assert!(timeout_at(deadline, sleep(Duration::from_secs(60))).await.is_err());
/// # }
/// ```
#[inline]
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
    /// The future within.
    pub fn get_ref(&self) -> &T {
        &self.value
    }

    /// The future within, to be changed.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The future within; the deadline is gone.
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
