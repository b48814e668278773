//! Ticks at even distances: [`Interval`].

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use yamanote_trace::Resource;

use crate::instant::{FAR, Instant};
use crate::sleep::{Sleep, sleep_until};

/// What an [`Interval`] does about ticks that nobody took in time: more than 5 ms late.
///
/// With a period of 50 ms, a tick at 0, and a task that is busy until 170:
///
/// ```text
///  Burst   170 170 170  200 250    at once, as often as was missed
///  Delay   170  220  270           from then on at the period
///  Skip    170  200  250           at once, then where it would have been
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// Ticks at once, as often as was missed, until it has caught up.
    #[default]
    Burst,
    /// Ticks at once, and from then on at the period.
    Delay,
    /// Ticks at once, and then at the next multiple of the period from the start.
    Skip,
}

/// Ticks at even distances; made by [`interval`] and [`interval_at`].
///
/// It measures from tick to tick, not from the end of the work between them.
pub struct Interval {
    delay: Pin<Box<Sleep>>,
    period: Duration,
    missed_tick_behavior: MissedTickBehavior,
    resource: Resource,
}

/// Ticks now and then every `period`, of which 30 years are as good as forever.
///
/// # Panics
/// When `period` is zero, outside of a runtime, and in one without timers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use tokio::time::{Duration, interval};
///
/// let mut every = interval(Duration::from_secs(5));
/// let first = every.tick().await;
/// assert_eq!(every.tick().await - first, Duration::from_secs(5));
/// # }
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks at `start` and then every `period`.
///
/// # Panics
/// When `period` is zero, outside of a runtime, and in one without timers.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use tokio::time::{Duration, Instant, interval_at};
///
/// let start = Instant::now() + Duration::from_secs(1);
/// let mut every = interval_at(start, Duration::from_secs(5));
/// assert_eq!(every.tick().await, start);
/// # }
/// ```
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(period > Duration::ZERO, "`period` must be non-zero.");
    let resource = yamanote_trace::resource!("tokio::time::interval", "Interval", "timer");
    let delay = Box::pin(sleep_until(start));
    Interval {
        delay,
        period: period.min(FAR),
        missed_tick_behavior: MissedTickBehavior::default(),
        resource,
    }
}

impl MissedTickBehavior {
    /// When to tick next, if the tick for `due` was taken at `now`.
    fn next(self, due: Instant, now: Instant, period: Duration) -> Instant {
        let next = match self {
            MissedTickBehavior::Burst => due.checked_add(period),
            MissedTickBehavior::Delay => now.checked_add(period),
            MissedTickBehavior::Skip => now.checked_add(period - late(now - due, period)),
        };
        next.unwrap_or_else(Instant::far)
    }
}

/// How long after the last multiple of `period` it is, `since` after the start of one.
fn late(since: Duration, period: Duration) -> Duration {
    let late = since.as_nanos() % period.as_nanos();
    // Less than the period, whose seconds fit.
    let seconds = u64::try_from(late / 1_000_000_000).expect("less than the period");
    Duration::new(
        seconds,
        u32::try_from(late % 1_000_000_000).expect("below one second"),
    )
}

impl Interval {
    /// Waits for the next tick; gives the moment for which it was due.
    ///
    /// *Cancel safety:* a tick that was not returned is not lost.
    pub async fn tick(&mut self) -> Instant {
        let op = yamanote_trace::op!("tokio::time::interval", &self.resource, "Interval::tick");
        op.wrap("poll_tick", poll_fn(|cx| self.poll_tick(cx))).await
    }

    /// Polls for the next tick; the task is woken when it is due. Remembers the last task only.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(self.delay.as_mut().poll(cx));
        let due = self.delay.deadline();
        let now = Instant::now();
        // Timers are a little late by their nature: that much is not a missed tick.
        let slack = Duration::from_millis(5);
        let next = match due.checked_add(slack) {
            Some(tolerated) if now > tolerated => {
                self.missed_tick_behavior.next(due, now, self.period)
            }
            _ => due.checked_add(self.period).unwrap_or_else(Instant::far),
        };
        self.delay.as_mut().reset(next);
        Poll::Ready(due)
    }

    /// The next tick is one period from now.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// use tokio::time::{Duration, Instant, advance, interval};
    ///
    /// let mut every = interval(Duration::from_secs(5));
    /// every.tick().await;
    /// advance(Duration::from_secs(3)).await;
    /// every.reset();
    /// let now = Instant::now();
    /// assert_eq!(every.tick().await - now, Duration::from_secs(5));
    /// # }
    /// ```
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// The next tick is now.
    pub fn reset_immediately(&mut self) {
        self.reset_at(Instant::now());
    }

    /// The next tick is `after` from now.
    pub fn reset_after(&mut self, after: Duration) {
        let next = Instant::now()
            .checked_add(after)
            .unwrap_or_else(Instant::far);
        self.reset_at(next);
    }

    /// The next tick is at `deadline`.
    pub fn reset_at(&mut self, deadline: Instant) {
        self.delay.as_mut().reset(deadline);
    }

    /// What it does about missed ticks.
    #[must_use]
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed_tick_behavior
    }

    /// Sets what it does about missed ticks.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed_tick_behavior = behavior;
    }

    /// The time between two ticks.
    #[must_use]
    pub fn period(&self) -> Duration {
        self.period
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interval")
            .field("delay", &self.delay)
            .field("period", &self.period)
            .field("missed_tick_behavior", &self.missed_tick_behavior)
            .finish()
    }
}
