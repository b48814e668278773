//! What a header notes in two bytes: [`Notes`].
//!
//! | bits | say | written by |
//! |---|---|---|
//! | 0 to 11 | the shard of the list | the first runner, as it enters the task |
//! | 12 | whether the task has entered its list | the same |
//! | 13, 14 | what is in the place of the future | whoever has the stage to itself |
//! | 15 | whether there is room for a [`Stamp`](crate::stamp::Stamp) | nobody: from the beginning |
//!
//! Who has the stage is a runner or, after the last one, the join handle: so there is one writer at
//! a time, and the state word hands the notes on from one to the next.

use yamanote_base::atomic::plain::{AtomicU16, Ordering};

/// Shards are told apart up to this number.
pub(crate) const SHARDS_MAX: usize = 1 << LISTED_SHIFT;
const LISTED_SHIFT: u32 = 12;
const SHARD: u16 = LISTED - 1;
const LISTED: u16 = 1 << LISTED_SHIFT;
const HOLDS_SHIFT: u32 = 13;
const HOLDS: u16 = 0b11 << HOLDS_SHIFT;
const STAMPED: u16 = 1 << 15;

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

/// Two bytes of a header.
#[derive(Debug)]
pub(crate) struct Notes(AtomicU16);

impl Notes {
    /// Those of a task that begins: it has its future, and has not entered its list.
    #[inline]
    pub(crate) fn new(stamped: bool) -> Self {
        Self(AtomicU16::new(if stamped { STAMPED } else { 0 }))
    }

    #[inline]
    fn get(&self) -> u16 {
        // Relaxed: what hands the task on publishes the notes with it.
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    fn set(&self, notes: u16) {
        // Relaxed: as in get().
        self.0.store(notes, Ordering::Relaxed);
    }

    /// The shard of the list that the task has entered, if it has.
    #[inline]
    pub(crate) fn shard(&self) -> Option<usize> {
        let notes = self.get();
        (notes & LISTED != 0).then_some(usize::from(notes & SHARD))
    }

    /// The task enters the list, in this shard of less than [`SHARDS_MAX`].
    pub(crate) fn enter(&self, shard: usize) {
        debug_assert!(shard < SHARDS_MAX && self.shard().is_none());
        self.set(self.get() | LISTED | shard as u16);
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
        self.set((self.get() & !HOLDS) | ((holds as u16) << HOLDS_SHIFT));
    }

    /// Whether there is room for a stamp.
    #[inline]
    pub(crate) fn is_stamped(&self) -> bool {
        self.get() & STAMPED != 0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_note_leaves_the_others_alone() {
        for (stamped, shard) in [(false, 0), (true, 1234), (true, SHARDS_MAX - 1)] {
            let notes = Notes::new(stamped);
            assert_eq!((notes.holds(), notes.shard()), (Holds::Future, None));
            notes.enter(shard);
            for holds in [Holds::Output, Holds::Cause, Holds::Nothing, Holds::Future] {
                notes.set_holds(holds);
                assert_eq!((notes.holds(), notes.shard()), (holds, Some(shard)));
                assert_eq!(notes.is_stamped(), stamped);
            }
        }
    }
}
