//! The word of a semaphore: its free permits and two marks, [`PermitWord`].
//!
//! | bits | what | who changes it |
//! |---|---|---|
//! | 0 | `CLOSED`: nothing is granted any more | `close`, once, under the queue's lock |
//! | 1 | `QUEUED`: the queue is not empty | who holds the queue's lock |
//! | 2 and up | free permits | anybody adds; while `QUEUED`, only the lock's holder takes some |
//!
//! While `QUEUED` the free permits are *strays*: whoever added them had not seen the mark yet, and
//! comes to the lock next, to have them handed out.

use yamanote_base::atomic::{AtomicUsize, Ordering};
use yamanote_base::const_unless_model;

const CLOSED: usize = 1;
const QUEUED: usize = 2;
const MARKS: usize = CLOSED | QUEUED;
const SHIFT: u32 = 2;

/// The most permits that one word may hold.
pub(crate) const MAX_PERMITS: usize = usize::MAX >> 3;

/// Free permits, and whether they may be taken without asking the queue.
pub(crate) struct PermitWord(AtomicUsize);

/// What became of an attempt to take permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Take {
    /// They are the caller's.
    Taken,
    /// There are too few, or others were here first.
    Short,
    /// The semaphore is closed.
    Closed,
}

/// What became of permits that were given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// They are free for anybody.
    Free,
    /// Somebody waits: so many are still the giver's, to be handed out with the strays.
    Keep(usize),
}

impl PermitWord {
    const_unless_model! {
        /// A word with `permits`, at most [`MAX_PERMITS`].
        pub(crate) const fn new(permits: usize) -> Self {
            Self(AtomicUsize::new(permits << SHIFT))
        }
    }

    /// How many permits are free.
    pub(crate) fn free(&self) -> usize {
        // Acquire: pairs with the Release in give(): who sees permits back sees what was done
        // under them.
        self.0.load(Ordering::Acquire) >> SHIFT
    }

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        // Acquire: pairs with the Release in mark_closed(); shows what led to the closing.
        self.0.load(Ordering::Acquire) & CLOSED != 0
    }

    /// Whether [`try_take`](Self::try_take) would find too few permits.
    pub(crate) fn would_be_short(&self, n: usize) -> bool {
        // Relaxed: a guess, on which only a place in the queue depends.
        let word = self.0.load(Ordering::Relaxed);
        word & CLOSED == 0 && n > 0 && (word & QUEUED != 0 || word >> SHIFT < n)
    }

    /// Takes `n` permits, if nobody waits.
    #[inline]
    pub(crate) fn try_take(&self, n: usize) -> Take {
        // Acquire: as in is_closed().
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            if word & MARKS != 0 || word >> SHIFT < n {
                return Self::refused(word, n);
            }
            let less = word - (n << SHIFT);
            // Acquire: pairs with the Release in give(), so that critical sections follow each
            // other. Bounded: each failure is another thread's progress.
            match self
                .0
                .compare_exchange_weak(word, less, Ordering::Acquire, Ordering::Acquire)
            {
                Ok(_) => return Take::Taken,
                Err(now) => word = now,
            }
        }
    }

    /// Why [`try_take`](Self::try_take) cannot take `n` permits of `word`.
    const fn refused(word: usize, n: usize) -> Take {
        if word & CLOSED != 0 {
            Take::Closed
        } else if n == 0 {
            // There is nothing to wait for.
            Take::Taken
        } else {
            Take::Short
        }
    }

    /// Under the queue's lock: takes `n` permits, or all that are free and marks `QUEUED`.
    ///
    /// Returns how many it took; the caller queues if these are fewer than `n`. `None`: closed.
    pub(crate) fn take_or_mark_queued(&self, n: usize) -> Option<usize> {
        // Acquire: as in is_closed().
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            if word & CLOSED != 0 {
                return None;
            }
            if word & QUEUED != 0 {
                return Some(0);
            }
            let taken = n.min(word >> SHIFT);
            let next = if taken == n {
                word - (n << SHIFT)
            } else {
                QUEUED
            };
            // Acquire: pairs with the Release in give(). Bounded as in try_take().
            match self
                .0
                .compare_exchange_weak(word, next, Ordering::Acquire, Ordering::Acquire)
            {
                Ok(_) => return Some(taken),
                Err(now) => word = now,
            }
        }
    }

    /// Gives `n` permits back, unless the caller `looks` and sees somebody wait for some.
    ///
    /// A look costs a fifth of the giving. Without it, what was given back to nobody has to be
    /// taken back if somebody does wait.
    ///
    /// # Panics
    /// When there would be more than [`MAX_PERMITS`]; the word is then as before.
    #[inline]
    #[track_caller]
    pub(crate) fn give(&self, n: usize, looks: bool) -> Given {
        assert!(
            n <= MAX_PERMITS,
            "cannot add more than MAX_PERMITS permits ({MAX_PERMITS})"
        );
        // Relaxed: a guess; whoever was given less than it thinks finds out under the lock.
        if looks && self.0.load(Ordering::Relaxed) & QUEUED != 0 {
            return Given::Keep(n);
        }
        // Release: pairs with the Acquire where permits are taken; publishes what was done under
        // them. No carry: both summands are at most MAX_PERMITS, and the word has a bit more.
        let before = self.0.fetch_add(n << SHIFT, Ordering::Release);
        if before >> SHIFT > MAX_PERMITS - n {
            // Relaxed: takes back what nobody may have seen as promised.
            self.0.fetch_sub(n << SHIFT, Ordering::Relaxed);
            assert_fits(n, before >> SHIFT);
        }
        if before & QUEUED != 0 {
            return Given::Keep(0);
        }
        Given::Free
    }

    /// Under the queue's lock, while `QUEUED`: takes the strays.
    pub(crate) fn take_strays(&self) -> usize {
        // Relaxed: whose strays are not seen yet comes to the lock after this one.
        if self.0.load(Ordering::Relaxed) >> SHIFT == 0 {
            return 0;
        }
        // Acquire: pairs with give(); the waiters see through the queue's lock what it publishes.
        self.0.fetch_and(MARKS, Ordering::Acquire) >> SHIFT
    }

    /// Under the queue's lock, while `QUEUED`: the queue is empty, and `left` permits are over.
    pub(crate) fn mark_unqueued(&self, left: usize) {
        debug_assert!(self.0.load(Ordering::Relaxed) & QUEUED != 0);
        // Release: as in give(). The sum is exact: QUEUED is set, so subtracting it borrows not.
        self.0
            .fetch_add((left << SHIFT).wrapping_sub(QUEUED), Ordering::Release);
    }

    /// Under the queue's lock: nothing is granted any more. The caller empties the queue.
    pub(crate) fn mark_closed(&self) {
        // Release: pairs with the Acquire of whoever finds it closed.
        self.0.fetch_or(CLOSED, Ordering::Release);
    }

    /// Destroys up to `n` free permits; returns how many.
    pub(crate) fn forget(&self, n: usize) -> usize {
        let less = |word: usize| word - (n.min(word >> SHIFT) << SHIFT);
        // Acquire: like any taking of permits.
        let before = self
            .0
            .fetch_update(Ordering::Acquire, Ordering::Acquire, |word| {
                // Strays are not for the taking.
                (word & QUEUED == 0).then(|| less(word))
            });
        before.map_or(0, |word| n.min(word >> SHIFT))
    }
}

/// Panics if `n` more permits than `before` are too many.
#[inline]
#[track_caller]
pub(crate) fn assert_fits(n: usize, before: usize) {
    assert!(
        n <= MAX_PERMITS - before,
        "number of added permits ({n}) would overflow MAX_PERMITS ({MAX_PERMITS})"
    );
}
