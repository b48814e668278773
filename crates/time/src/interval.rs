//! Ticks at even distances: [`Interval`].

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::instant::Instant;
use crate::sleep::{Sleep, sleep_until};

/// What an interval does about ticks that nobody took in time.
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
#[derive(Debug)]
pub struct Interval {
    delay: Pin<Box<Sleep>>,
    period: Duration,
    missed_tick_behavior: MissedTickBehavior,
}

/// Ticks now and then every `period`.
///
/// # Panics
/// When `period` is zero, outside of a runtime, and in one without timers.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    interval_at(Instant::now(), period)
}

/// Ticks at `start` and then every `period`.
///
/// # Panics
/// When `period` is zero, outside of a runtime, and in one without timers.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(period > Duration::ZERO, "`period` must be non-zero.");
    let delay = Box::pin(sleep_until(start));
    Interval {
        delay,
        period,
        missed_tick_behavior: MissedTickBehavior::default(),
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
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Polls for the next tick; the task is woken when it is due.
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
