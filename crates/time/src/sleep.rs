//! A future that ends at a deadline: [`Sleep`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;
use yamanote_base::budget;
use yamanote_driver::timer::Timer;
use yamanote_trace::{AsyncOp, Resource, poll_op};

use crate::instant::Instant;

pin_project! {
    /// A future that ends at a deadline; made by [`sleep`] and [`sleep_until`].
    ///
    /// Its resolution is one millisecond; it never ends early. It must be pinned to be polled by
    /// hand, and to be [`reset`](Sleep::reset).
    ///
    /// *Cancel safety:* dropping it cancels the wait. In `select!` use one that is pinned outside
    /// of the loop: a new one in each round begins to wait anew.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use tokio::time::{self, Duration};
    ///
    /// let mut ticks = time::interval(Duration::from_millis(1));
    /// let end = time::sleep(Duration::from_millis(20));
    /// tokio::pin!(end);
    /// let mut count = 0;
    /// loop {
    ///     tokio::select! {
    ///         _ = ticks.tick() => count += 1,
    ///         () = &mut end => break,
    ///     }
    /// }
    /// assert!(count > 1 && end.is_elapsed());
    /// # }
    /// ```
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Sleep {
        timer: Timer,
        // Before the resource, whose span is the last one to be closed.
        op: AsyncOp,
        resource: Resource,
        #[pin]
        _pin: PhantomPinned,
    }
}

/// Waits until `duration` has gone by, counted from the call, not from the first poll.
///
/// A duration beyond what the clock can show is as good as forever: 30 years.
///
/// *Cancel safety:* dropping it cancels the wait.
///
/// # Panics
/// Outside of a runtime, and in one without timers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use tokio::time::{Duration, Instant, sleep};
///
/// let start = Instant::now();
/// sleep(Duration::from_millis(10)).await;
/// assert!(start.elapsed() >= Duration::from_millis(10));
/// # }
/// ```
#[inline]
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    Sleep::new(Timer::after(duration))
}

/// Waits until `deadline`; one that is over ends it at once.
///
/// *Cancel safety:* dropping it cancels the wait.
///
/// # Panics
/// Outside of a runtime, and in one without timers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use tokio::time::{Duration, Instant, sleep_until};
///
/// let deadline = Instant::now() + Duration::from_millis(10);
/// sleep_until(deadline).await;
/// assert!(Instant::now() >= deadline);
/// # }
/// ```
#[inline]
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep::new(Timer::at(deadline.into_std()))
}

impl Sleep {
    #[inline]
    #[track_caller]
    fn new(timer: Timer) -> Self {
        let resource = yamanote_trace::resource!("tokio::time::sleep", "Sleep", "timer");
        let op = yamanote_trace::op!(
            "tokio::time::sleep",
            parent: &resource,
            "Sleep::new_timeout"
        );
        Self {
            timer,
            op,
            resource,
            _pin: PhantomPinned,
        }
    }

    /// The deadline.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        Instant::from_std(self.timer.deadline())
    }

    /// Whether the deadline was found to be over: by a poll, or by the runtime after a first poll
    /// or a [`reset`](Self::reset).
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        self.timer.is_elapsed()
    }

    /// Moves the deadline, also after it is over.
    ///
    /// It need not be polled for that; whoever polled it last is woken at the new deadline.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use tokio::time::{Duration, Instant, sleep};
    ///
    /// let idle = sleep(Duration::from_secs(3600));
    /// tokio::pin!(idle);
    /// let sooner = Instant::now() + Duration::from_millis(5);
    /// idle.as_mut().reset(sooner);
    /// assert_eq!(idle.deadline(), sooner);
    /// idle.await;
    /// # }
    /// ```
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        this.timer.reset(deadline.into_std());
        let timer = &*this.timer;
        this.resource.in_scope(|| tell_duration(timer));
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let timer = this.timer;
        this.op.in_poll(|| {
            let leave = budget::poll_proceed(cx);
            poll_op("poll_elapsed", leave.is_ready());
            let charge = ready!(leave);
            if !timer.is_set() {
                tell_duration(timer);
            }
            let elapsed = timer.poll_elapsed(cx);
            poll_op("poll_elapsed", elapsed.is_ready());
            ready!(elapsed);
            charge.made_progress();
            Poll::Ready(())
        })
    }
}

/// Tells how many milliseconds are left.
#[inline]
fn tell_duration(timer: &Timer) {
    yamanote_trace::update!(
        duration = left(timer),
        duration.unit = "ms",
        duration.op = "override"
    );
}

fn left(timer: &Timer) -> u64 {
    let left = Instant::from_std(timer.deadline()) - Instant::now();
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}
