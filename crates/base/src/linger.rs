//! Whether a thread that has nothing to do waits a moment before it sleeps: [`Lingering`].
//!
//! It pays when it is called within the moment: waking a thread that does not sleep yet costs
//! neither side a system call. It costs the moment when nobody calls, and more where cores are
//! scarce, because whoever would call may wait for this very core. So it is tried where sleeps
//! turn out to be short, by one of those who share a `Lingering` at a time, and given up for twice
//! as long each time that it was in vain; about five times that it was not make up for one that
//! it was.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::atomic::plain::{AtomicU32, AtomicU64, Ordering};

/// Nanoseconds that a wake-up takes at least, for what is reckoned from it.
const WAKE_UP_MIN: u32 = 10_000;
/// At most. What takes longer may have waited for a core: then lingering would be in its way.
const WAKE_UP_MAX: u32 = 30_000;
/// Looks whether somebody has called, between two at the clock and at what costs more.
const LOOKS: usize = 16;
/// A sleep of fewer moments was not worth it. (One that the next job has ended at once has lasted
/// for two wake-ups.)
const SLEEP_SHORT: u32 = 4;
/// Turns for which it is given up at least, when it was in vain.
const PENALTY_MIN: u32 = 16;
/// Turns for which it is given up at most.
const PENALTY_MAX: u32 = 4096;

/// Nanoseconds that a wake-up takes in this process, as far as is known. Only ever a guess, so all
/// accesses are relaxed.
static WAKE_UP: AtomicU32 = AtomicU32::new(WAKE_UP_MIN);

/// How long the moment is: twice as long as the system takes to wake a thread, which is some
/// microseconds, or thirty and more where a host takes back a core that has nothing to do. So of
/// two that call each other again and again, one still lingers when the other has been woken.
fn moment() -> Duration {
    // Relaxed: see there.
    2 * Duration::from_nanos(WAKE_UP.load(Ordering::Relaxed).into())
}

/// How long a wake-up takes after one that has taken so many nanoseconds. One that was fast counts
/// four times: the others may have waited for a core.
fn wake_up_after(known: u32, took: u32) -> u32 {
    let next = match took < known {
        true => known - (known - took) / 4,
        false => known + (took - known).min(known) / 16,
    };
    next.clamp(WAKE_UP_MIN, WAKE_UP_MAX)
}

/// When a thread was called that sleeps, by which is measured how long a wake-up takes; 0 for no
/// call. If several are called at a time, the last one counts, and who arrives first takes it.
#[derive(Debug, Default)]
pub struct CallTime(AtomicU64);

impl CallTime {
    /// The thread is about to be called.
    pub fn note(&self) {
        // Relaxed: who takes it for that of another call learns a little that is wrong.
        self.0.store(nanos().max(1), Ordering::Relaxed);
    }

    /// The thread that was called is awake: learns how long that has taken.
    pub fn arrive(&self) {
        let Some(took) = self.take() else {
            return;
        };
        // Relaxed: of two that learn at once, one is forgotten.
        let known = WAKE_UP.load(Ordering::Relaxed);
        WAKE_UP.store(wake_up_after(known, took), Ordering::Relaxed);
    }

    /// Nanoseconds since the call, if there was one. It is taken away: whoever arrives without a
    /// call of its own must not learn from an old one.
    fn take(&self) -> Option<u32> {
        // Relaxed: as in note().
        let called = self.0.swap(0, Ordering::Relaxed);
        (called > 0).then(|| u32::try_from(nanos().saturating_sub(called)).unwrap_or(u32::MAX))
    }
}

/// Nanoseconds since the first of these calls in the process; enough for 584 years.
fn nanos() -> u64 {
    static BEGIN: OnceLock<Instant> = OnceLock::new();
    let age = BEGIN.get_or_init(Instant::now).elapsed();
    u64::try_from(age.as_nanos()).unwrap_or(u64::MAX)
}

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
            let left = moment().saturating_sub(self.elapsed());
            self.in_time = spin(left, is_called, || false);
        }
    }

    /// Whether there was a call before the moment was over: then the thread has not slept.
    #[must_use]
    pub fn was_in_time(&self) -> bool {
        self.in_time
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
    /// Whether a thread lingers now: if it is called, it need not be woken.
    #[must_use]
    pub fn is_occupied(&self) -> bool {
        self.occupied
    }

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
        self.learn(wait, called && wait.elapsed() < SLEEP_SHORT * moment());
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

    /// What is known after so many wake-ups that took `us[0]`, `us[1]` and so on, in turn.
    fn wake_up_of(us: &[u32]) -> u32 {
        let took = us.iter().cycle().take(200);
        took.fold(WAKE_UP_MIN, |known, us| wake_up_after(known, 1000 * us))
    }

    #[test]
    fn the_moment_follows_what_a_wake_up_takes() {
        assert_eq!(wake_up_of(&[4]), WAKE_UP_MIN);
        let of_25 = wake_up_of(&[25]);
        assert!((24_000..=25_000).contains(&of_25), "{of_25}");
        assert_eq!(wake_up_of(&[45]), WAKE_UP_MAX);
        assert!(
            wake_up_of(&[4, 3000]) < 12_000,
            "half have waited for a core"
        );
        assert_eq!(wake_up_after(WAKE_UP_MAX, u32::MAX), WAKE_UP_MAX);
    }

    #[test]
    fn a_call_is_learnt_from_once() {
        let time = CallTime::default();
        assert_eq!(time.take(), None, "nobody was called");
        time.note();
        assert!(time.take().is_some());
        assert_eq!(time.take(), None, "taken already");
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
