//! The slot for the task that a worker runs next: [`NextSlot`].
//!
//! A task that the running one wakes goes here, because its data are warm. Only the worker uses
//! the slot, except when it is stuck in a long poll: then the monitor takes the task out. The
//! word is null or a task, and every access is a swap, so whoever swaps a task out has it alone.

use std::ptr;

use yamanote_base::atomic::{AtomicPtr, Ordering};
use yamanote_task::Runnable;

use super::queue::Item;

/// Room for one task.
#[derive(Debug)]
pub struct NextSlot(AtomicPtr<()>);

impl NextSlot {
    /// An empty slot.
    #[must_use]
    pub fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Puts `task` in; returns the one that was there.
    pub fn replace(&self, task: Runnable) -> Option<Runnable> {
        // AcqRel: Release publishes the task to the monitor's take(); Acquire as in take().
        item(self.0.swap(Item::into_raw(task), Ordering::AcqRel))
    }

    /// Takes the task out.
    pub fn take(&self) -> Option<Runnable> {
        // Relaxed: a look that saves the swap; a task put in later is seen later.
        if self.0.load(Ordering::Relaxed).is_null() {
            return None;
        }
        // Acquire: pairs with the Release in replace().
        item(self.0.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Whether there is a task in the slot, at a glance.
    pub fn is_empty(&self) -> bool {
        // Relaxed: only a glance.
        self.0.load(Ordering::Relaxed).is_null()
    }
}

fn item(raw: *mut ()) -> Option<Runnable> {
    if raw.is_null() {
        return None;
    }
    // SAFETY: a non-null word came from `into_raw`, and the swap took it out for good.
    Some(unsafe { Item::from_raw(raw) })
}

impl Default for NextSlot {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for NextSlot {
    fn drop(&mut self) {
        drop(self.take());
    }
}
