//! When a task was queued, and then how long it waited: [`Stamp`], in five bytes.
//!
//! Counted in steps of 64 nanoseconds; 40 bits of them are 19 hours, after which a time is taken
//! for one that is 19 hours shorter.
//!
//! | who | may | when |
//! |---|---|---|
//! | who queues the task | `set_queued` | before the runnable is in a queue |
//! | the runner | `set_taken`, `waited` | from when the runnable left the queue to the poll's end |

use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicU8, Ordering};

/// Nanoseconds in a step, as a power of two.
const STEP_LOG: u32 = 6;
/// The word that says that there is no time.
const NONE: u64 = (1 << 40) - 1;

/// A time, or none. Nobody is kept from reading it too early or too late; it may be wrong then.
///
/// Single bytes, so that it fits into what alignment leaves free in a header.
#[derive(Debug)]
pub(crate) struct Stamp([AtomicU8; 5]);

impl Stamp {
    /// No time.
    pub(crate) fn none() -> Self {
        Self([const { AtomicU8::new(u8::MAX) }; 5])
    }

    /// The task is queued when its runtime is `age` old.
    pub(crate) fn set_queued(&self, age: Duration) {
        self.store(steps(age));
    }

    /// The task is taken when its runtime is `age` old; how long it waited, if that is known.
    pub(crate) fn set_taken(&self, age: Duration) -> Option<Duration> {
        let queued = self.load();
        if queued != NONE {
            self.store(steps(age).wrapping_sub(queued) & NONE);
        }
        self.waited()
    }

    /// How long the task waited before the poll that is under way, if that is known.
    pub(crate) fn waited(&self) -> Option<Duration> {
        let waited = self.load();
        (waited != NONE).then(|| Duration::from_nanos(waited << STEP_LOG))
    }

    fn load(&self) -> u64 {
        let mut word = [0; 8];
        for (byte, place) in word.iter_mut().zip(&self.0) {
            // Relaxed: the queue publishes what was stored before the task was put there.
            *byte = place.load(Ordering::Relaxed);
        }
        u64::from_le_bytes(word)
    }

    fn store(&self, word: u64) {
        for (byte, place) in word.to_le_bytes().into_iter().zip(&self.0) {
            // Relaxed: as above.
            place.store(byte, Ordering::Relaxed);
        }
    }
}

/// Whole steps, of which the lowest 40 bits are kept; never `NONE`.
fn steps(time: Duration) -> u64 {
    let steps = (time.as_nanos() >> STEP_LOG) & u128::from(NONE);
    u64::try_from(steps).map_or(0, |steps| steps.min(NONE - 1))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_has_five_bytes_and_tells_how_long_it_was() {
        let stamp = Stamp::none();
        assert_eq!(stamp.set_taken(Duration::from_secs(5)), None);
        let hours = Duration::from_secs(3600 * 15);
        for (queued, taken) in [(0, 640), (1_000_000, 1_000_640)] {
            let (queued, taken) = (Duration::from_nanos(queued), Duration::from_nanos(taken));
            for begin in [Duration::ZERO, hours, 2 * hours] {
                stamp.set_queued(begin + queued);
                let waited = stamp.set_taken(begin + taken).unwrap();
                assert!(waited.abs_diff(Duration::from_nanos(640)) <= Duration::from_nanos(64));
                assert_eq!(stamp.waited(), Some(waited));
            }
        }
        stamp.set_queued(Duration::ZERO);
        assert_eq!(stamp.set_taken(hours), Some(hours));
    }
}
