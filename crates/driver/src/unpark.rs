//! The token by which any thread ends a worker's wait: [`UnparkToken`].
//!
//! | state | meaning | `unpark` | `begin_wait` | `end_wait` |
//! |---|---|---|---|---|
//! | `EMPTY` | nobody waits, nothing was said | `NOTIFIED` | `WAITING`, may wait | - |
//! | `WAITING` | the worker is in its selector | `NOTIFIED`, wake the selector | - | `EMPTY` |
//! | `NOTIFIED` | somebody said so | `NOTIFIED` | `EMPTY`, must not wait | `EMPTY`, was told |
//!
//! Only the thread that holds the driver calls `begin_wait` and `end_wait`, in turns.

use yamanote_base::atomic::{AtomicU8, Ordering};

const EMPTY: u8 = 0;
const WAITING: u8 = 1;
const NOTIFIED: u8 = 2;

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

    /// Leaves the token; `true` if the worker waits, and the caller must wake its selector.
    #[must_use = "a worker that waits must be woken"]
    pub fn unpark(&self) -> bool {
        // AcqRel: Release pairs with the Acquire in begin_wait() and end_wait(), which publishes
        // what the caller did before. Acquire only keeps this swap before the selector's wake.
        self.word.swap(NOTIFIED, Ordering::AcqRel) == WAITING
    }

    /// Whether the worker may wait; `false` takes the token instead.
    #[must_use = "without leave there is no waiting"]
    pub fn begin_wait(&self) -> bool {
        // AcqRel/Acquire: pairs with unpark(), as said there.
        let swapped =
            self.word
                .compare_exchange(EMPTY, WAITING, Ordering::AcqRel, Ordering::Acquire);
        if swapped.is_err() {
            // Acquire: a second unpark() since the exchange is answered by this return as well.
            self.word.swap(EMPTY, Ordering::Acquire);
        }
        swapped.is_ok()
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
        assert!(!token.unpark());
        assert!(!token.unpark());
        assert!(!token.begin_wait());
        assert!(token.begin_wait());
        assert!(!token.end_wait());
    }

    #[test]
    fn only_the_first_unpark_during_the_wait_wakes_the_selector() {
        let token = UnparkToken::new();
        assert!(token.begin_wait());
        assert!(token.unpark());
        assert!(!token.unpark());
        assert!(token.end_wait());
        assert!(token.begin_wait());
    }
}
