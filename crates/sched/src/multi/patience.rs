//! How long a worker watches others before it takes tasks from them: [`Patience`].
//!
//! A task that is taken brings its cache lines along, and those of its joiner and of what it
//! wakes go back and forth: both workers pay more for that than for a short poll. So a searcher
//! looks twice, and takes tasks from a worker if its polls are long (one is under way since the
//! first look, or those between the looks took `LONG` each), or if it had tasks left at so many
//! looks that the load is a lasting one. Else that worker gets on better without help.
//!
//! How far the looks are apart is learnt: none after tasks that kept the taker busy; longer each
//! time when nothing was taken, or what kept it busy for a short time only.

use std::time::Duration;

use yamanote_base::linger;
use yamanote_driver::Driver;

/// Between two looks at least, if there are to be two: about as long as it takes to wake a thread.
const MIN: Duration = Duration::from_micros(5);
/// Between two looks at most: so long a task may wait that a second worker should have taken.
const MAX: Duration = Duration::from_micros(80);
/// A longer time is slept through; a shorter one is not worth a sleep.
const NAP: Duration = Duration::from_micros(20);
/// What keeps a worker busy for so long is worth taking.
const LONG: Duration = Duration::from_micros(2);
/// Looks at which tasks are left to who has them: one or two milliseconds.
const LEFT_MAX: u32 = 16;

/// What a worker has learnt of the tasks that it took.
#[derive(Debug)]
pub struct Patience {
    between_looks: Duration,
    /// Looks at which tasks were left, since it took some.
    left: u32,
    /// When it last took some, and how many.
    taken: Option<(Duration, usize)>,
}

/// A look at how many polls a worker has begun.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The age of the runtime.
    pub at: Duration,
    /// Polls that were begun by then.
    pub polls: u64,
}

impl Look {
    /// Whether polls took long from here to `later`.
    #[must_use]
    pub fn is_slow(self, later: Look) -> bool {
        let polls = later.polls.saturating_sub(self.polls);
        // In the same poll there is none to share the time.
        each(later.at.saturating_sub(self.at), polls).is_none_or(|poll| poll >= LONG)
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            between_looks: MIN,
            left: 0,
            taken: None,
        }
    }
}

impl Patience {
    /// Notes that so many tasks are taken `now`, and about to be run.
    pub fn note_taken(&mut self, now: Duration, tasks: usize) {
        self.taken = Some((now, tasks));
        self.left = 0;
    }

    /// The worker has nothing to run: learns from what it took before, if it did.
    pub fn learn(&mut self, now: impl FnOnce() -> Duration) {
        let Some((since, tasks)) = self.taken.take() else {
            return;
        };
        match each(now().saturating_sub(since), tasks as u64) {
            Some(busy) if busy < LONG => self.lengthen(),
            _ => self.between_looks = Duration::ZERO,
        }
    }

    /// Notes that tasks were left to who has them.
    pub fn note_left(&mut self) {
        self.left += 1;
        self.lengthen();
    }

    fn lengthen(&mut self) {
        self.between_looks = (2 * self.between_looks).clamp(MIN, MAX);
    }

    /// Whether tasks are to be taken without a look: they were left so often, or those taken last
    /// were worth it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left >= LEFT_MAX || self.between_looks.is_zero()
    }

    /// Lets the time between two looks go by. The worker of `driver` does not turn it, but what
    /// unparks it ends a nap.
    pub fn wait(&self, driver: &mut Driver) {
        match self.between_looks {
            short if short < NAP => _ = linger::spin(short, || false, || false),
            long => _ = driver.await_unpark(long),
        }
    }
}

/// The share of each of `count` in `time`, if there are any.
fn each(time: Duration, count: u64) -> Option<Duration> {
    time.checked_div(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const fn us(us: u64) -> Duration {
        Duration::from_micros(us)
    }

    fn look(at_us: u64, polls: u64) -> Look {
        let at = us(at_us);
        Look { at, polls }
    }

    /// Takes ten tasks that keep the worker busy for `busy`; how far the next looks are apart.
    fn take(patience: &mut Patience, busy: Duration) -> Duration {
        patience.note_taken(us(100), 10);
        patience.learn(|| us(100) + busy);
        patience.between_looks
    }

    #[test]
    fn who_is_in_a_poll_or_has_long_ones_is_slow() {
        assert!(look(0, 5).is_slow(look(5, 5)), "in the same poll");
        assert!(look(0, 5).is_slow(look(5, 7)), "two polls in 5 us");
        assert!(!look(0, 5).is_slow(look(5, 8)));
    }

    #[test]
    fn short_tasks_make_patient_and_long_ones_impatient() {
        let mut patience = Patience::default();
        assert_eq!(take(&mut patience, us(3)), 2 * MIN);
        patience.note_left();
        assert_eq!(patience.between_looks, 4 * MIN);
        for _ in 0..10 {
            take(&mut patience, us(3));
        }
        assert_eq!(patience.between_looks, MAX, "there is a bound");
        assert!(!patience.is_over());
        assert_eq!(take(&mut patience, us(20)), Duration::ZERO);
        assert!(patience.is_over(), "the next are taken at once");
        assert_eq!(take(&mut patience, us(3)), MIN);
        assert!(!patience.is_over());
    }

    #[test]
    fn what_was_learnt_is_kept_while_nothing_is_taken() {
        let mut patience = Patience::default();
        take(&mut patience, us(3));
        patience.learn(|| us(1_000_000));
        assert_eq!(patience.between_looks, 2 * MIN);
    }

    #[test]
    fn patience_with_a_lasting_load_comes_to_an_end() {
        let mut patience = Patience::default();
        let looks = (0..100).take_while(|_| {
            patience.note_left();
            !patience.is_over()
        });
        assert_eq!(looks.count() + 1, LEFT_MAX as usize);
        take(&mut patience, us(3));
        assert!(!patience.is_over());
    }
}
