//! Whether a thread that has nothing to do waits a moment before it sleeps: [`Lingering`].
//!
//! It pays when it is called within the moment: waking a thread that does not sleep yet costs
//! neither side a system call. It costs the moment when nobody calls, and more where cores are
//! scarce, because whoever would call may wait for this very core. So it is tried where sleeps
//! turn out to be short, by one of those who share a `Lingering` at a time, and given up for twice
//! as long each time that it was in vain; about five times that it was not make up for one that
//! it was.

use std::time::{Duration, Instant};

/// How long the moment is.
const MOMENT: Duration = Duration::from_micros(20);
/// Looks whether somebody has called, between two at the clock and at what costs more.
const LOOKS: usize = 16;
/// A sleep that was shorter was not worth it. (One that the next job has ended at once has lasted
/// for two wake-ups.)
const SLEEP_SHORT: Duration = Duration::from_micros(80);
/// Turns for which it is given up at least, when it was in vain.
const PENALTY_MIN: u32 = 16;
/// Turns for which it is given up at most.
const PENALTY_MAX: u32 = 4096;

/// What one or several threads have learnt about lingering.
#[derive(Debug, Default)]
pub struct Lingering {
    /// A thread lingers now; more would be in each other's way.
    occupied: bool,
    /// The last wait was ended by a call: how long the next one is, is worth a look at the clock.
    called: bool,
    /// The last wait was short.
    worth_it: bool,
    /// Turns left for which it is given up.
    skip: u32,
    /// Turns for which it was given up when it was last in vain.
    penalty: u32,
}

/// One wait of a thread, from [`Lingering::begin`] to [`Lingering::end`].
#[derive(Debug)]
#[must_use = "a wait that does not end is never learnt from"]
pub struct Wait {
    /// `None` after a wait that no call has ended.
    begin: Option<Instant>,
    lingers: bool,
    in_time: bool,
}

impl Wait {
    /// Lets the moment go by, if the thread is to linger, or until `is_called`; sleep after it.
    ///
    /// The thread stays on its core: one that gives way queues up behind all others that want to
    /// run, and is late when it is called. It looks once in any case: it may have lost its core
    /// for longer than the moment.
    pub fn linger(&mut self, is_called: impl Fn() -> bool) {
        if self.lingers && !self.in_time {
            let left = MOMENT.saturating_sub(self.elapsed());
            self.in_time = spin(left, is_called, || false);
        }
    }

    /// How long it takes so far, as far as is known.
    fn elapsed(&self) -> Duration {
        self.begin.map_or(Duration::MAX, |begin| begin.elapsed())
    }
}

/// Stays awake for `time`, or until `is_called` or, looked at less often, `has_come`; whether it
/// was one of these. Both are asked once at least.
pub fn spin(
    time: Duration,
    is_called: impl Fn() -> bool,
    mut has_come: impl FnMut() -> bool,
) -> bool {
    let begin = Instant::now();
    loop {
        let is_called = (0..LOOKS).any(|_| {
            std::hint::spin_loop();
            is_called()
        });
        if is_called || has_come() {
            return true;
        }
        if begin.elapsed() >= time {
            return false;
        }
    }
}

impl Lingering {
    /// Before a wait.
    pub fn begin(&mut self) -> Wait {
        Wait {
            begin: self.called.then(Instant::now),
            lingers: self.decide(),
            in_time: false,
        }
    }

    fn decide(&mut self) -> bool {
        if self.occupied || !self.worth_it {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.occupied = true;
        true
    }

    /// After the wait, which was ended by a call, or by something that comes no sooner for
    /// lingering.
    pub fn end(&mut self, wait: &Wait, called: bool) {
        self.called = called;
        self.learn(wait, called && wait.elapsed() < SLEEP_SHORT);
    }

    fn learn(&mut self, wait: &Wait, was_short: bool) {
        self.worth_it = was_short;
        if !wait.lingers {
            return;
        }
        self.occupied = false;
        if wait.in_time {
            self.penalty -= self.penalty.div_ceil(8);
        } else {
            self.penalty = (2 * self.penalty).clamp(PENALTY_MIN, PENALTY_MAX);
            self.skip = self.penalty;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// One wait; whether the thread was to linger.
    fn wait(lingering: &mut Lingering, in_time: bool, was_short: bool) -> bool {
        let mut wait = lingering.begin();
        wait.linger(|| in_time);
        lingering.learn(&wait, was_short);
        wait.lingers
    }

    /// How many of `waits` short ones the thread was to linger in; each `hit`th was in time.
    fn lingered(lingering: &mut Lingering, waits: u32, hit: impl Fn(u32) -> bool) -> u32 {
        let mut count = 0;
        for _ in 0..waits {
            count += u32::from(wait(lingering, hit(count), true));
        }
        count
    }

    #[test]
    fn nobody_lingers_at_a_low_rate() {
        let mut lingering = Lingering::default();
        for _ in 0..3 {
            assert!(!wait(&mut lingering, false, false));
        }
    }

    #[test]
    fn one_lingers_while_sleeps_are_short() {
        let mut lingering = Lingering::default();
        assert!(!wait(&mut lingering, false, true));
        let first = lingering.begin();
        assert!(first.lingers);
        assert!(!lingering.begin().lingers, "a second one");
        lingering.learn(&first, false);
        assert!(!wait(&mut lingering, false, false));
    }

    #[test]
    fn lingering_that_is_often_in_vain_is_given_up() {
        let mut lingering = Lingering::default();
        let count = lingered(&mut lingering, 4 * PENALTY_MAX, |count| count % 3 != 0);
        assert!(count < 200, "{count}");
        lingered(&mut lingering, 2 * PENALTY_MAX, |_| true);
        assert!(wait(&mut lingering, true, true), "it is worth it again");
    }

    #[test]
    fn lingering_in_vain_is_given_up_for_longer_each_time() {
        let mut lingering = Lingering::default();
        let count = lingered(&mut lingering, 4 * PENALTY_MAX, |_| false);
        assert!((9..=14).contains(&count), "{count}");
    }
}
