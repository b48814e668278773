//! Handles of tasks that were freed, kept for tasks to come: [`Spares`].

use std::cell::RefCell;

/// How many handles a thread keeps.
const SPARES_MAX: usize = 1024;

/// Handles of a scheduler that nobody uses, on the thread of a worker.
///
/// Each task has a handle of its scheduler. One that is made by cloning, and dropped with the task,
/// writes twice to the count of references, which all workers share; one that comes from here
/// writes to nothing that others read.
#[derive(Debug)]
pub(crate) struct Spares<T>(RefCell<Vec<T>>);

impl<T> Spares<T> {
    /// None so far.
    pub(crate) fn new() -> Self {
        Self(RefCell::default())
    }

    /// A handle, if there is one.
    #[inline]
    pub(crate) fn take(&self) -> Option<T> {
        self.0.borrow_mut().pop()
    }

    /// Keeps `handle`, unless there are enough.
    #[inline]
    pub(crate) fn keep(&self, handle: T) {
        let mut spares = self.0.borrow_mut();
        if spares.len() < SPARES_MAX {
            spares.push(handle);
        }
    }
}
