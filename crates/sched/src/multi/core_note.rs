//! Which core a worker's thread runs on, as far as the others know: [`CoreNote`].

use yamanote_base::atomic::plain::{AtomicUsize, Ordering};
use yamanote_driver::cores;

/// The worker sleeps.
const LEFT: usize = usize::MAX;
/// It is awake, and the system does not tell where.
const UNKNOWN: usize = usize::MAX - 1;

/// A worker's core: written by the worker, when it wakes up, turns its driver or sleeps; read by
/// others, as a hint that may be late.
#[derive(Debug)]
pub(super) struct CoreNote(AtomicUsize);

impl CoreNote {
    /// That of a worker which has not begun.
    pub(super) const fn new() -> Self {
        Self(AtomicUsize::new(LEFT))
    }

    /// The worker is awake, where the current thread runs.
    #[inline]
    pub(super) fn note_here(&self) {
        self.note(cores::here());
    }

    fn note(&self, core: Option<usize>) {
        let core = core.unwrap_or(UNKNOWN);
        // Relaxed: a hint. Seldom written, for others look at it.
        if self.get() != core {
            self.0.store(core, Ordering::Relaxed);
        }
    }

    /// The worker is about to sleep.
    pub(super) fn leave(&self) {
        // Relaxed: a hint.
        self.0.store(LEFT, Ordering::Relaxed);
    }

    /// Whether the worker sleeps.
    pub(super) fn is_left(&self) -> bool {
        self.get() == LEFT
    }

    /// Whether both workers are awake on one core: while one runs, the other waits.
    pub(super) fn is_shared_with(&self, other: &CoreNote) -> bool {
        let core = self.get();
        core < UNKNOWN && core == other.get()
    }

    fn get(&self) -> usize {
        // Relaxed: a hint.
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_shared_by_those_who_are_awake_on_it() {
        let (one, other) = (CoreNote::new(), CoreNote::new());
        assert!(!one.is_shared_with(&other), "both sleep");
        one.note(Some(0));
        other.note(Some(1));
        assert!(!one.is_shared_with(&other));
        other.note(Some(0));
        assert!(one.is_shared_with(&other) && other.is_shared_with(&one));
        other.leave();
        assert!(other.is_left() && !one.is_shared_with(&other));
    }

    #[test]
    fn where_cores_have_no_numbers_none_is_shared() {
        let (one, other) = (CoreNote::new(), CoreNote::new());
        one.note(None);
        other.note(None);
        assert!(!one.is_shared_with(&other) && !one.is_left());
    }
}
