//! The token by which any thread ends a worker's wait: [`UnparkToken`].
//!
//! | state | meaning | `unpark` | `begin_wait` | `end_wait` |
//! |---|---|---|---|---|
//! | `EMPTY` | nobody waits, nothing was said | `NOTIFIED` | `POLLING` or `SLEEPING` | - |
//! | `POLLING` | the worker is in its selector | `NOTIFIED`, wake the selector | - | `EMPTY` |
//! | `SLEEPING` | the worker sleeps beside it | `NOTIFIED`, wake the thread | - | `EMPTY` |
//! | `NOTIFIED` | somebody said so | `NOTIFIED` | `EMPTY`, must not wait | `EMPTY`, was told |
//!
//! Only the thread that holds the driver calls `begin_wait` and `end_wait`, in turns.

use yamanote_base::atomic::{AtomicU8, Ordering};

const EMPTY: u8 = 0;
const POLLING: u8 = 1;
const SLEEPING: u8 = 2;
const NOTIFIED: u8 = 3;

/// Where a worker waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In its selector, for I/O and whatever else.
    Selector,
    /// On a condition variable, because nothing is registered with its selector. A thread is
    /// woken from there in about half the time.
    Thread,
}

/// Whether a worker waits, and whether it was told not to.
#[derive(Debug)]
pub struct UnparkToken {
    word: AtomicU8,
}

impl UnparkToken {
    /// Nobody waits, and nothing was said.
    #[must_use]
    pub fn new() -> Self {
        Self {
            word: AtomicU8::new(EMPTY),
        }
    }

    /// Leaves the token; if the worker waits, the caller must wake it there.
    #[must_use = "a worker that waits must be woken"]
    pub fn unpark(&self) -> Option<Place> {
        // AcqRel: Release pairs with the Acquire in begin_wait() and end_wait(), which publishes
        // what the caller did before. Acquire only keeps this swap before the wake.
        match self.word.swap(NOTIFIED, Ordering::AcqRel) {
            POLLING => Some(Place::Selector),
            SLEEPING => Some(Place::Thread),
            _ => None,
        }
    }

    /// Whether the worker may wait at `place`; `false` takes the token instead.
    #[must_use = "without leave there is no waiting"]
    pub fn begin_wait(&self, place: Place) -> bool {
        let waiting = match place {
            Place::Selector => POLLING,
            Place::Thread => SLEEPING,
        };
        // AcqRel/Acquire: pairs with unpark(), as said there.
        let swapped =
            self.word
                .compare_exchange(EMPTY, waiting, Ordering::AcqRel, Ordering::Acquire);
        if swapped.is_err() {
            // Acquire: a second unpark() since the exchange is answered by this return as well.
            self.word.swap(EMPTY, Ordering::Acquire);
        }
        swapped.is_ok()
    }

    /// Whether somebody left the token, at a glance.
    #[must_use]
    pub fn is_left(&self) -> bool {
        // Relaxed: begin_wait() follows, and takes it.
        self.word.load(Ordering::Relaxed) == NOTIFIED
    }

    /// Takes the token if somebody left it; for a turn that does not wait.
    #[must_use = "a token that is taken must be heeded"]
    pub fn take(&self) -> bool {
        // Acquire: pairs with the Release in unpark(). The load alone in the usual case.
        self.word.load(Ordering::Relaxed) == NOTIFIED
            && self.word.swap(EMPTY, Ordering::Acquire) == NOTIFIED
    }

    /// Whether the worker sleeps beside its selector, and nobody has told it to wake up.
    #[must_use]
    pub fn is_sleeping(&self) -> bool {
        // Acquire: as in end_wait(), which follows; the callers' locks order the rest.
        self.word.load(Ordering::Acquire) == SLEEPING
    }

    /// Ends the wait; `true` takes the token that somebody left.
    #[must_use = "a token that is taken must be heeded"]
    pub fn end_wait(&self) -> bool {
        // AcqRel: Acquire pairs with the Release in unpark().
        self.word.swap(EMPTY, Ordering::AcqRel) == NOTIFIED
    }
}

impl Default for UnparkToken {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_unpark_before_the_wait_is_remembered_once() {
        let token = UnparkToken::new();
        assert_eq!(token.unpark(), None);
        assert_eq!(token.unpark(), None);
        assert!(!token.begin_wait(Place::Selector));
        assert!(token.begin_wait(Place::Selector));
        assert!(!token.end_wait());
    }

    #[test]
    fn only_the_first_unpark_during_the_wait_wakes_the_worker() {
        let token = UnparkToken::new();
        for place in [Place::Selector, Place::Thread] {
            assert!(token.begin_wait(place));
            assert_eq!(token.unpark(), Some(place));
            assert_eq!(token.unpark(), None);
            assert!(token.end_wait());
        }
        assert!(token.begin_wait(Place::Thread));
        assert!(token.is_sleeping());
    }
}
