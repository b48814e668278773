//! The word of a `Notify`: what is stored, and how often all were notified, [`NotifyWord`].
//!
//! | bits | what | who writes |
//! |---|---|---|
//! | 0 | `PERMIT`: one notification is stored; then nobody is in the queue | the lock's holder |
//! | 1 and up | the round: counts the calls of `notify_waiters` | the lock's holder |
//!
//! It is written by plain stores under the queue's lock, which orders them, and read without it
//! by futures that are being made or polled. The round tells a future whether all were notified
//! since it was made.

use yamanote_base::atomic::{AtomicUsize, Ordering};
use yamanote_base::const_unless_model;

const PERMIT: usize = 1;
const ROUND_ONE: usize = 2;

pub(super) struct NotifyWord(AtomicUsize);

/// How many times all were notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round(usize);

impl NotifyWord {
    const_unless_model! {
        pub(super) const fn new() -> Self {
            Self(AtomicUsize::new(0))
        }
    }

    /// The current round.
    #[inline]
    pub(super) fn round(&self) -> Round {
        // Acquire: pairs with the Release in begin_round(), so that who sees a new round sees
        // what was done before the notification.
        Round(self.0.load(Ordering::Acquire) & !PERMIT)
    }

    /// Whether there is nothing to hear for a future of `round`: no later round, nothing stored.
    #[inline]
    pub(super) fn is_quiet(&self, round: Round) -> bool {
        // Acquire: as in round().
        self.0.load(Ordering::Acquire) == round.0
    }

    /// Whether a notification seems to be stored: to be checked under the lock.
    #[inline]
    fn may_have_permit(&self) -> bool {
        // Relaxed: a guess.
        self.0.load(Ordering::Relaxed) & PERMIT != 0
    }

    /// Under the queue's lock: stores a notification; one is as good as two.
    #[inline]
    pub(super) fn store_permit(&self) {
        self.change(|word| word | PERMIT);
    }

    /// Under the queue's lock: takes the stored notification, if there is one.
    #[inline]
    pub(super) fn take_permit(&self) -> bool {
        let stored = self.may_have_permit();
        if stored {
            self.change(|word| word & !PERMIT);
        }
        stored
    }

    /// Under the queue's lock: all who wait, or hold a future made before this, are notified.
    #[inline]
    pub(super) fn begin_round(&self) {
        self.change(|word| word.wrapping_add(ROUND_ONE));
    }

    /// Under the queue's lock.
    #[inline]
    fn change(&self, f: impl FnOnce(usize) -> usize) {
        // Relaxed: the lock shows the last store. Release: publishes to round() what precedes
        // this notification, and (seen through the lock) earlier ones.
        let word = self.0.load(Ordering::Relaxed);
        self.0.store(f(word), Ordering::Release);
    }
}
