//! Whether the current thread is inside a runtime, and hence must not block.

use std::cell::Cell;

/// Where the current thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entered {
    /// Outside of every runtime: it may block.
    No,
    /// Driving asynchronous tasks: it must not block.
    Driving {
        /// Whether `block_in_place` can hand the thread's tasks to another one.
        block_in_place: bool,
    },
}

thread_local! {
    static ENTERED: Cell<Entered> = const { Cell::new(Entered::No) };
}

/// Restores where the thread stood when dropped.
#[derive(Debug)]
#[must_use = "the thread leaves at once when this is dropped"]
pub struct EnteredGuard {
    before: Entered,
    /// Thread-locals belong to one thread.
    _not_send: std::marker::PhantomData<*mut ()>,
}

impl Drop for EnteredGuard {
    fn drop(&mut self) {
        let _ = ENTERED.try_with(|entered| entered.set(self.before));
    }
}

/// Where the current thread stands.
pub fn current() -> Entered {
    ENTERED.try_with(Cell::get).unwrap_or(Entered::No)
}

/// Sets where the current thread stands until the guard is dropped.
pub fn set(entered: Entered) -> EnteredGuard {
    let before = ENTERED
        .try_with(|cell| cell.replace(entered))
        .unwrap_or(Entered::No);
    EnteredGuard {
        before,
        _not_send: std::marker::PhantomData,
    }
}

/// Checks that the current thread may block.
///
/// # Panics
/// When it drives asynchronous tasks.
#[track_caller]
pub fn assert_may_block() {
    assert!(
        current() == Entered::No,
        "Cannot block the current thread from within a runtime. This happens because a function \
         attempted to block the current thread while the thread is being used to drive \
         asynchronous tasks."
    );
}
