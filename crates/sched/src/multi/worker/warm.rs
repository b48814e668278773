//! The task that a worker keeps for its next poll.
//!
//! To keep one in vain costs 25 instructions, so a worker goes by what came of the last ones.

use yamanote_base::atomic::plain::Ordering;
use yamanote_task::{TaskRef, Warm};

use super::Desk;

/// So many are kept in vain, at most, between two turns of the driver.
pub(super) const TRIES: u8 = 2;

/// The same, since the last that was not in vain.
const TRIES_AFTER_HIT: u8 = 8;

impl Desk {
    /// Tries once more whether it pays.
    #[inline]
    pub(super) fn try_warm(&self) {
        self.warm_tries.set(self.warm_tries.get().max(TRIES));
    }

    /// Keeps the task that `waits` gives while the next one runs, if it may pay.
    #[inline]
    pub(super) fn keep_warm(&self, waits: impl FnOnce() -> Warm) -> bool {
        if !self.keeps_warm.get() || self.warm_tries.get() == 0 {
            return false;
        }
        // Relaxed: who set it meant another one; else that is let go of after the next poll.
        if self.seat.warm_is_woken.load(Ordering::Relaxed) {
            self.seat.warm_is_woken.store(false, Ordering::Relaxed);
        }
        // SAFETY: the kit is here, as in `own`.
        let before = unsafe { self.seat.warm.replace(waits()) };
        self.let_go_of(before);
        true
    }

    /// Gives `task` back, if it is kept.
    #[inline]
    pub(super) fn take_warm(&self, task: &TaskRef) -> Option<Warm> {
        if !self.keeps_warm.get() || self.seat.warm.word() != task.address() {
            return None;
        }
        self.warm_tries.set(TRIES_AFTER_HIT);
        // SAFETY: the kit is here, as in `own`.
        unsafe { self.seat.warm.take() }
    }

    /// Lets go of the task that is kept.
    #[inline]
    pub(super) fn let_go(&self) {
        if self.keeps_warm.get() {
            // SAFETY: the kit is here, as in `own`.
            self.let_go_of(unsafe { self.seat.warm.take() });
        }
    }

    /// Lets go of one that was kept in vain.
    #[inline]
    fn let_go_of(&self, kept: Option<Warm>) {
        if let Some(kept) = kept {
            self.warm_tries.set(self.warm_tries.get().saturating_sub(1));
            drop(kept);
        }
    }
}
