//! How often a worker looks at the inject queue before its own tasks: [`InjectPace`].
//!
//! A task from outside waits for the polls between two looks. Where the user has not said how many
//! these are, they are as many as take about 200 us, judged by those since an earlier look.

use std::time::Duration;

use crate::config::{Config, INJECT_INTERVAL};
use crate::countdown::Countdown;
use crate::metrics::WorkerMetrics;

/// How long a task from outside may wait for a worker with tasks of its own.
const WAIT: Duration = Duration::from_micros(200);

/// Polls between two looks at least: the worker's own tasks have half of its polls.
const LEAST: u32 = 2;

/// So many looks learn nothing after one that has found short polls: to learn is to ask the clock.
const SKIPS: u8 = 3;

/// When a worker looks at the inject queue first.
#[derive(Debug)]
pub struct InjectPace {
    until_look: Countdown,
    /// Whether the user left it to the worker.
    is_tuned: bool,
    /// The age of the runtime at the last look.
    since: Duration,
    /// Polls of the worker until then.
    polls: u64,
    /// So many looks learn nothing.
    skips: u8,
}

impl InjectPace {
    /// The pace of a worker that has polled nothing yet.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            until_look: Countdown::new(config.inject_interval.unwrap_or(INJECT_INTERVAL)),
            is_tuned: config.inject_interval.is_none(),
            since: Duration::ZERO,
            polls: 0,
            skips: 0,
        }
    }

    /// One look for a task further; whether the inject queue comes first.
    #[inline]
    pub fn is_due(&self) -> bool {
        self.until_look.is_over()
    }

    /// The inject queue is looked at: learns from the polls since it learned last, or since the
    /// worker woke up. `now` is asked if there is anything to learn.
    pub fn note_look(&mut self, metrics: &WorkerMetrics, now: impl FnOnce() -> Duration) {
        if !self.is_tuned || self.skips > 0 {
            self.skips = self.skips.saturating_sub(1);
            return;
        }
        let (now, polls) = (now(), metrics.polls.get());
        let (since, before) = match metrics.stretch() {
            (woken, before) if before >= self.polls => (woken, before),
            _ => (self.since, self.polls),
        };
        let interval = interval(now.saturating_sub(since), polls.saturating_sub(before));
        self.until_look.set_interval(interval);
        self.skips = if interval == INJECT_INTERVAL {
            SKIPS
        } else {
            0
        };
        (self.since, self.polls) = (now, polls);
    }
}

/// How many polls take about [`WAIT`], if so many took `taken`.
fn interval(taken: Duration, polls: u64) -> u32 {
    let most = u128::from(INJECT_INTERVAL);
    let fitting = (WAIT.as_nanos() * u128::from(polls)).checked_div(taken.as_nanos());
    let interval = fitting.map_or(most, |fitting| fitting.min(most));
    u32::try_from(interval)
        .unwrap_or(INJECT_INTERVAL)
        .max(LEAST)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_longer_the_polls_the_fewer_between_two_looks() {
        let us = Duration::from_micros;
        assert_eq!(interval(us(10), 31), INJECT_INTERVAL);
        assert_eq!(interval(us(200), 10), 10);
        assert_eq!(interval(us(2_000), 20), LEAST);
        assert_eq!(interval(us(1), 0), LEAST, "no poll was measured");
        assert_eq!(interval(us(0), 31), INJECT_INTERVAL);
    }
}
