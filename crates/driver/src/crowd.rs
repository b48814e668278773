//! When a worker leaves the selector to another one that is awake: [`Crowd`].
//!
//! Whom an event wakes on a core that is free finds that event, and a few that came meanwhile. Who
//! finds a crowd was late: its core was somebody else's, mostly that of the very client which sent
//! what it finds, for systems like to wake a thread where its waker runs. All the while the
//! selector was its own, and the other workers slept, whatever cores they had. So it leaves the
//! selector to another worker that is still awake, and will attend before it sleeps.

use std::time::Duration;

/// So many events do not come while a thread wakes up.
const CROWD: usize = 16;
/// How long the selector is left to who is awake: what that is about takes less, mostly. The worker
/// is on its bed meanwhile, where it is unparked as ever, and does not ask who attends; afterwards
/// it goes to sleep by the rules of [`attendance`](crate::attendance). So for so long, at most,
/// nobody may attend while something is registered.
const REST: Duration = Duration::from_micros(100);
/// Sleeps for which it is attended at once, when nobody else did at first.
const PENALTY_MIN: u32 = 16;
/// The same, at most.
const PENALTY_MAX: u32 = 4096;

/// What a worker has learnt of its own lateness.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    /// It found a crowd when it last attended.
    late: bool,
    /// Sleeps left for which it attends all the same.
    skip: u32,
    /// Sleeps for which it did when nobody else last had.
    penalty: u32,
}

impl Crowd {
    /// After it has attended, and found so many events.
    pub(crate) fn note_found(&mut self, events: usize) {
        // Of a call, or of a timer, nothing is learnt.
        if events > 0 {
            self.late = events >= CROWD;
        }
    }

    /// For how long it is to leave the selector to another worker, of which `is_awake` tells.
    pub(crate) fn rest(&mut self, is_awake: impl FnOnce() -> bool) -> Option<Duration> {
        if !self.late {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        is_awake().then_some(REST)
    }

    /// After that: whether it was attended by then, or whoever was awake has called.
    pub(crate) fn note_rested(&mut self, was_of_use: bool) {
        if was_of_use {
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

    #[test]
    fn only_who_found_a_crowd_leaves_the_selector_and_only_to_who_is_awake() {
        let mut crowd = Crowd::default();
        assert_eq!(crowd.rest(|| true), None);
        crowd.note_found(CROWD - 1);
        assert_eq!(crowd.rest(|| true), None);
        crowd.note_found(CROWD);
        crowd.note_found(0);
        assert_eq!(crowd.rest(|| false), None);
        assert_eq!(crowd.rest(|| true), Some(REST));
        crowd.note_found(1);
        assert_eq!(crowd.rest(|| true), None);
    }

    #[test]
    fn it_is_left_the_less_often_the_more_often_nobody_attends() {
        let mut crowd = Crowd::default();
        crowd.note_found(CROWD);
        let mut rested = |sleeps: u32, was_of_use| {
            let rests = (0..sleeps).filter(|_| {
                let rests = crowd.rest(|| true).is_some();
                rests.then(|| crowd.note_rested(was_of_use)).is_some()
            });
            rests.count()
        };
        assert!((9..=12).contains(&rested(4 * PENALTY_MAX, false)));
        assert!(rested(2 * PENALTY_MAX, true) >= PENALTY_MAX as usize);
    }
}
