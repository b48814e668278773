//! What a header notes in a word that one thread writes at a time: [`Notes`].
//!
//! | bits | say | written by |
//! |---|---|---|
//! | 0 to 3 | how the task stands with its own thread | that, see [`biased`](crate::biased) |
//! | 4, 5 | what is in the place of the future | whoever has the stage to itself |
//! | 6 | whether there is room for a [`Stamp`](crate::stamp::Stamp) | nobody: from the beginning |
//! | 7 to 57 | the number of the task | nobody: from the beginning |
//! | 58 to 63 | how many references its own thread counts, may be negative | that thread |

use yamanote_base::atomic::{AtomicU64, Ordering};

use crate::id::{Id, NUMBER_BITS};

/// The thread polls or drops the future, or has done so for good.
pub(crate) const RUNS: u64 = 1;
/// A runnable is in the thread's queue.
pub(crate) const IS_QUEUED: u64 = 1 << 1;
/// The joiner has left its waker, on this thread.
pub(crate) const IS_AWAITED: u64 = 1 << 2;
/// The task is not biased yet, or no more: all else is in the state word.
pub(crate) const UNBIASED: u64 = 1 << 3;
const FLAGS: u64 = RUNS | IS_QUEUED | IS_AWAITED | UNBIASED;
const HOLDS_SHIFT: u32 = 4;
const HOLDS: u64 = 0b11 << HOLDS_SHIFT;
const STAMPED: u64 = 1 << 6;
const NUMBER_SHIFT: u32 = 7;
/// Those above are the count's.
pub(crate) const COUNT_SHIFT: u32 = NUMBER_SHIFT + NUMBER_BITS;
const COUNT: u64 = !(ONE - 1);
/// A reference that is counted here.
pub(crate) const ONE: u64 = 1 << COUNT_SHIFT;
/// The bits of the number.
pub(crate) const NUMBER: u64 = (ONE - 1) & !((1 << NUMBER_SHIFT) - 1);

/// What is among the flags of any task when the runner has read the joiner's waker. Until then
/// they are others: who is not biased has `RUNS` beside that.
const SETTLED: u64 = UNBIASED;

/// What is in the place of a future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The future, in its span.
    Future,
    /// Its output.
    Output,
    /// Why there is no output.
    Cause,
    /// Nothing: what was there was taken.
    Nothing,
}

/// A word of a header.
///
/// There is one writer at a time, who reads the word and writes it with nothing between, so each
/// leaves alone what is not its own. Who has the stage to itself is a runner or, after the
/// last one, the join handle. A task's own thread is where its runners are. And the last runner
/// [settles](Self::settle) before the join handle of a task that it has made done goes on
/// ([`await_settled`](Self::await_settled)). The state word hands the notes on from one writer to
/// the next; the number, which is never changed, may be read by all.
#[derive(Debug)]
pub(crate) struct Notes(AtomicU64);

impl Notes {
    /// Those of the task `id` that begins: it has its future. `own` are the flags and the count of
    /// its own thread.
    #[inline]
    pub(crate) fn new(id: Id, stamped: bool, own: u64) -> Self {
        let stamped = if stamped { STAMPED } else { 0 };
        Self(AtomicU64::new(id.as_u64() << NUMBER_SHIFT | stamped | own))
    }

    /// All of them.
    #[inline]
    pub(crate) fn get(&self) -> u64 {
        // Relaxed: what hands the task on publishes the notes with it.
        self.0.load(Ordering::Relaxed)
    }

    /// Changes them; for the one who writes.
    #[inline]
    pub(crate) fn set(&self, notes: u64) {
        // Relaxed: as in get().
        self.0.store(notes, Ordering::Relaxed);
    }

    /// What is in the place of the future.
    #[inline]
    pub(crate) fn holds(&self) -> Holds {
        match (self.get() & HOLDS) >> HOLDS_SHIFT {
            0 => Holds::Future,
            1 => Holds::Output,
            2 => Holds::Cause,
            _ => Holds::Nothing,
        }
    }

    /// Something else is in the place of the future from now on.
    #[inline]
    pub(crate) fn set_holds(&self, holds: Holds) {
        self.set((self.get() & !HOLDS) | ((holds as u64) << HOLDS_SHIFT));
    }

    /// Whether there is room for a stamp.
    #[inline]
    pub(crate) fn is_stamped(&self) -> bool {
        self.get() & STAMPED != 0
    }

    /// Says that the runner has read the joiner's waker: it is done with the task, which may go.
    #[inline]
    pub(crate) fn settle(&self) {
        let notes = (self.get() & !FLAGS) | SETTLED;
        // Release: pairs with the Acquire in is_settled(); the reading came before.
        self.0.store(notes, Ordering::Release);
    }

    /// Whether the runner has [settled](Self::settle). What was in the word before the runner began
    /// is not seen any more by who has seen `DONE`.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        // Acquire: pairs with the Release in settle().
        self.0.load(Ordering::Acquire) & FLAGS == SETTLED
    }
}

/// The number of the task whose notes these are, at whatever time.
#[inline]
pub(crate) fn number_of(notes: u64) -> u64 {
    // The count goes out at one end, the rest at the other.
    let above = u64::BITS - COUNT_SHIFT;
    (notes << above) >> (above + NUMBER_SHIFT)
}

/// The references that are counted in the word.
#[inline]
pub(crate) fn count_of(notes: u64) -> i32 {
    (notes as i64 >> COUNT_SHIFT) as i32
}

/// The word with none of these.
#[inline]
pub(crate) fn without_count(notes: u64) -> u64 {
    notes & !COUNT
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_note_leaves_the_others_alone() {
        for (stamped, number) in [(false, 1), (true, 1234), (true, (1 << NUMBER_BITS) - 1)] {
            let notes = Notes::new(Id::from_u64(number), stamped, RUNS | UNBIASED);
            assert_eq!(notes.holds(), Holds::Future);
            notes.set(notes.get().wrapping_sub(5 * ONE));
            for holds in [Holds::Output, Holds::Cause, Holds::Nothing, Holds::Future] {
                notes.set_holds(holds);
                assert_eq!((notes.holds(), number_of(notes.get())), (holds, number));
                assert_eq!(notes.is_stamped(), stamped);
                assert_eq!(count_of(notes.get()), -5);
                assert!(!notes.is_settled());
            }
            notes.set_holds(Holds::Output);
            notes.settle();
            assert!(notes.is_settled());
            assert_eq!(
                (notes.holds(), number_of(notes.get())),
                (Holds::Output, number)
            );
        }
    }
}
