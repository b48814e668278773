//! The word of a `Notify`: what is stored, and how often all were notified, [`NotifyWord`].
//!
//! | low two bits | what | goes to |
//! |---|---|---|
//! | `EMPTY` | nothing stored, nobody waits | `PERMIT` by a notification, `WAITING` by a waiter |
//! | `PERMIT` | one notification stored | `EMPTY` by whoever takes it |
//! | `WAITING` | the queue is not empty | `EMPTY` when the last waiter has left it |
//!
//! `WAITING` is set and cleared under the queue's lock only. The upper bits count the calls of
//! `notify_waiters`, so that a future that was made before such a call knows of it.

use yamanote_base::atomic::{AtomicUsize, Ordering};
use yamanote_base::const_unless_model;

const EMPTY: usize = 0;
const PERMIT: usize = 1;
const WAITING: usize = 2;
const STATE: usize = 3;
const ROUND_ONE: usize = 4;

pub(super) struct NotifyWord(AtomicUsize);

/// How many times all were notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round(usize);

impl NotifyWord {
    const_unless_model! {
        pub(super) const fn new() -> Self {
            Self(AtomicUsize::new(EMPTY))
        }
    }

    /// The current round.
    pub(super) fn round(&self) -> Round {
        // Acquire: pairs with the Release in begin_round(), so that who sees a new round sees
        // what was done before the notification.
        Round(self.0.load(Ordering::Acquire) & !STATE)
    }

    /// Stores a permit (one is as good as two); `false` if somebody waits for one instead.
    pub(super) fn store_permit(&self) -> bool {
        // Release: publishes what precedes the notification, also when a permit was stored
        // already, hence the exchange in that case too.
        self.step(|word| (word & STATE != WAITING).then_some(word & !STATE | PERMIT))
    }

    /// Takes the stored permit, if there is one.
    pub(super) fn take_permit(&self) -> bool {
        // Acquire: pairs with the Release in store_permit().
        self.step(|word| (word & STATE == PERMIT).then_some(word & !STATE | EMPTY))
    }

    /// Under the queue's lock: somebody waits.
    pub(super) fn mark_waiting(&self) -> bool {
        self.step(|word| (word & STATE != PERMIT).then_some(word & !STATE | WAITING))
    }

    /// Under the queue's lock: nobody waits any more.
    pub(super) fn mark_not_waiting(&self) {
        let was_waiting =
            self.step(|word| (word & STATE == WAITING).then_some(word & !STATE | EMPTY));
        debug_assert!(was_waiting);
    }

    /// Begins a round, unless somebody waits; returns whether it did.
    pub(super) fn begin_round_if_none_waits(&self) -> bool {
        self.step(|word| (word & STATE != WAITING).then_some(word.wrapping_add(ROUND_ONE)))
    }

    /// Under the queue's lock, which has just been emptied: begins a round.
    pub(super) fn begin_round(&self) {
        let was_waiting = self.step(|word| {
            (word & STATE == WAITING).then_some((word & !STATE).wrapping_add(ROUND_ONE))
        });
        debug_assert!(was_waiting);
    }

    /// Changes the word as `next` says; `false`, and no change, when that is `None`.
    fn step(&self, next: impl Fn(usize) -> Option<usize>) -> bool {
        // AcqRel: Release publishes what precedes a notification; Acquire shows it to whoever
        // takes the permit, sees the round, or queues. Acquire on failure: what is seen there
        // counts as seen. Bounded: each retry is another thread's progress.
        self.0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, next)
            .is_ok()
    }
}
