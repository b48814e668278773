//! Whether a thread that runs out of jobs waits a moment before it sleeps: [`Lingering`].
//!
//! It pays when the next job comes within the moment: nobody has to be woken then. It costs the
//! moment when none comes, and more where cores are scarce, because whoever would submit the job
//! may wait for this very core. So it is tried where sleeps turn out to be short, by one thread at
//! a time, and given up for twice as long each time that it was in vain; about five times that it
//! was not make up for one that it was.

use std::time::Duration;

/// How long the moment is.
pub(crate) const MOMENT: Duration = Duration::from_micros(20);
/// A sleep that was shorter was not worth it. (One that the next job has ended at once has lasted
/// for two wake-ups.)
const SLEEP_SHORT: Duration = Duration::from_micros(80);
/// Turns for which it is given up at least, when it was in vain.
const PENALTY_MIN: u32 = 16;
/// Turns for which it is given up at most.
const PENALTY_MAX: u32 = 4096;

/// What the threads of a pool have learnt about lingering; in the pool's lock.
#[derive(Debug, Default)]
pub(crate) struct Lingering {
    /// A thread lingers now; more would be in each other's way.
    occupied: bool,
    /// The last wait was short.
    worth_it: bool,
    /// Turns left for which it is given up.
    skip: u32,
    /// Turns for which it was given up when it was last in vain.
    penalty: u32,
}

impl Lingering {
    /// Before a wait: whether the thread is to linger.
    pub(crate) fn begin(&mut self) -> bool {
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

    /// After a wait of `waited` in all by a thread that was to linger or not; `in_time` if it
    /// ended before the sleep.
    pub(crate) fn end(&mut self, lingered: bool, in_time: bool, waited: Duration) {
        self.worth_it = waited < SLEEP_SHORT;
        if !lingered {
            return;
        }
        self.occupied = false;
        if in_time {
            self.penalty -= self.penalty.div_ceil(8);
        } else {
            self.penalty = (2 * self.penalty).clamp(PENALTY_MIN, PENALTY_MAX);
            self.skip = self.penalty;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(30);
    const LONG: Duration = Duration::from_millis(1);

    #[test]
    fn nobody_lingers_at_a_low_rate() {
        let mut lingering = Lingering::default();
        for _ in 0..3 {
            assert!(!lingering.begin());
            lingering.end(false, false, LONG);
        }
    }

    #[test]
    fn one_lingers_while_sleeps_are_short() {
        let mut lingering = Lingering::default();
        lingering.end(false, false, SHORT);
        assert!(lingering.begin());
        assert!(!lingering.begin(), "a second one");
        lingering.end(true, true, SHORT);
        assert!(lingering.begin());
        lingering.end(true, false, LONG);
        assert!(!lingering.begin());
    }

    #[test]
    fn lingering_that_is_often_in_vain_is_given_up() {
        let mut lingering = Lingering::default();
        lingering.end(false, false, SHORT);
        let mut lingered = 0;
        for _ in 0..4 * PENALTY_MAX {
            let lingers = lingering.begin();
            lingered += u32::from(lingers);
            lingering.end(lingers, lingered % 3 != 0, SHORT);
        }
        assert!(lingered < 200, "{lingered}");
        for _ in 0..2 * PENALTY_MAX {
            let lingers = lingering.begin();
            lingering.end(lingers, true, SHORT);
        }
        assert!(lingering.begin(), "it is worth it again");
    }

    #[test]
    fn lingering_in_vain_is_given_up_for_longer_each_time() {
        let mut lingering = Lingering::default();
        lingering.end(false, false, SHORT);
        let mut lingered = 0;
        for _ in 0..4 * PENALTY_MAX {
            let lingers = lingering.begin();
            lingered += u32::from(lingers);
            lingering.end(lingers, false, SHORT);
        }
        assert!((9..=14).contains(&lingered), "{lingered}");
    }
}
