//! When a task was queued, and then how long it waited: [`Stamp`].
//!
//! Only tasks of runtimes that want to know have one, behind all else.
//!
//! | who | may | when |
//! |---|---|---|
//! | who queues the task | `set_queued` | before the runnable is in a queue |
//! | the runner | `set_taken`, `waited` | from when the runnable left the queue to the poll's end |

use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicU64, Ordering};

/// The word that says that there is no time.
const NONE: u64 = u64::MAX;

/// A time in nanoseconds, or none. Nobody is kept from reading it too early or too late; it may be
/// wrong then.
#[derive(Debug)]
pub(crate) struct Stamp(AtomicU64);

impl Stamp {
    /// No time.
    pub(crate) fn none() -> Self {
        Self(AtomicU64::new(NONE))
    }

    /// The task is queued when its runtime is `age` old.
    pub(crate) fn set_queued(&self, age: Duration) {
        self.store(nanos(age));
    }

    /// The task is taken when its runtime is `age` old; how long it waited, if that is known.
    pub(crate) fn set_taken(&self, age: Duration) -> Option<Duration> {
        let queued = self.load();
        if queued != NONE {
            self.store(nanos(age).saturating_sub(queued));
        }
        self.waited()
    }

    /// How long the task waited before the poll that is under way, if that is known.
    pub(crate) fn waited(&self) -> Option<Duration> {
        let waited = self.load();
        (waited != NONE).then(|| Duration::from_nanos(waited))
    }

    fn load(&self) -> u64 {
        // Relaxed: the queue publishes what was stored before the task was put there.
        self.0.load(Ordering::Relaxed)
    }

    fn store(&self, word: u64) {
        // Relaxed: as above.
        self.0.store(word, Ordering::Relaxed);
    }
}

/// Nanoseconds; more than 584 years count as that. Never `NONE`.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).map_or(NONE - 1, |nanos| nanos.min(NONE - 1))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_tells_how_long_it_was() {
        let stamp = Stamp::none();
        assert_eq!(stamp.set_taken(Duration::from_secs(5)), None);
        let years = Duration::from_secs(3600 * 24 * 365 * 100);
        for waited in [Duration::ZERO, Duration::from_nanos(1), years] {
            for begin in [Duration::ZERO, years] {
                stamp.set_queued(begin);
                assert_eq!(stamp.set_taken(begin + waited), Some(waited));
                assert_eq!(stamp.waited(), Some(waited));
            }
        }
        stamp.set_queued(years);
        assert_eq!(stamp.set_taken(Duration::ZERO), Some(Duration::ZERO));
    }
}
