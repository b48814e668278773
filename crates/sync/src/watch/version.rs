//! The word of a watch channel: how often the value changed, and whether it still can.
//!
//! | bits | what | who changes it |
//! |---|---|---|
//! | 0 | `CLOSED`: the last sender has gone | that sender, once |
//! | 1 and up | version | a sender, under the value's write lock |
//!
//! Writers exclude each other by the lock, or by being the last sender: plain stores will do.

use yamanote_base::atomic::{AtomicUsize, Ordering};

const CLOSED: usize = 1;
const STEP: usize = 2;

/// The version word of a channel.
pub(super) struct VersionWord(AtomicUsize);

/// A version of the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version(usize);

impl Version {
    /// A version that is not this one.
    pub(super) fn previous(self) -> Self {
        Self(self.0.wrapping_sub(STEP))
    }
}

impl VersionWord {
    pub(super) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// The current version, and whether the channel is closed.
    #[inline]
    pub(super) fn load(&self) -> (Version, bool) {
        // Acquire: pairs with the Release of the other two; the caller sees what came before.
        let word = self.0.load(Ordering::Acquire);
        (Version(word & !CLOSED), word & CLOSED != 0)
    }

    /// Under the value's write lock, by a sender: the value has changed.
    pub(super) fn bump(&self) {
        self.change(|word| word.wrapping_add(STEP));
    }

    /// The last sender has gone; it has seen all others go.
    pub(super) fn close(&self) {
        self.change(|word| word | CLOSED);
    }

    fn change(&self, f: impl FnOnce(usize) -> usize) {
        // Relaxed: the lock, or the count of senders, shows the last store. Release: pairs with
        // the Acquire in load(); what earlier stores published is seen by this writer.
        let word = self.0.load(Ordering::Relaxed);
        self.0.store(f(word), Ordering::Release);
    }
}
