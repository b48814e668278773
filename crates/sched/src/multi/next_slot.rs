//! The slot for the task that a worker runs next: [`NextSlot`].
//!
//! A task that the running one wakes goes here, because its data are warm. Only the worker uses
//! the slot, except when it is stuck in a long poll: then the monitor takes the task out. The
//! word is null or a task, and a task is taken by a swap, so whoever swaps it out has it alone.

use std::marker::PhantomData;
use std::ptr;

use yamanote_base::atomic::{AtomicPtr, Ordering};

use super::queue::Item;

/// Room for one task.
#[derive(Debug)]
pub struct NextSlot<T: Item> {
    word: AtomicPtr<()>,
    _item: PhantomData<T>,
}

impl<T: Item> NextSlot<T> {
    /// An empty slot.
    #[must_use]
    pub fn new() -> Self {
        Self {
            word: AtomicPtr::new(ptr::null_mut()),
            _item: PhantomData,
        }
    }

    /// Puts `task` in if the slot is empty, as only the worker may; else gives it back.
    #[inline]
    pub fn put(&self, task: T) -> Result<(), T> {
        if !self.is_empty() {
            return Err(task);
        }
        // Only the worker puts tasks in, so a slot that it sees empty stays empty. Release:
        // publishes the task to the monitor's take().
        self.word.store(Item::into_raw(task), Ordering::Release);
        Ok(())
    }

    /// Puts `task` in, as only the worker may; returns the one that was there.
    pub fn replace(&self, task: T) -> Option<T> {
        let task = self.put(task).err()?;
        // AcqRel: Release as in put(); Acquire as in take().
        item(self.word.swap(Item::into_raw(task), Ordering::AcqRel))
    }

    /// Takes the task out.
    pub fn take(&self) -> Option<T> {
        // Relaxed: a look that saves the swap; a task put in later is seen later.
        if self.word.load(Ordering::Relaxed).is_null() {
            return None;
        }
        // Acquire: pairs with the Release in replace().
        item(self.word.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Whether there is a task in the slot, at a glance.
    #[inline]
    pub fn is_empty(&self) -> bool {
        // Relaxed: only a glance.
        self.word.load(Ordering::Relaxed).is_null()
    }
}

fn item<T: Item>(raw: *mut ()) -> Option<T> {
    if raw.is_null() {
        return None;
    }
    // SAFETY: a non-null word came from `into_raw`, and the swap took it out for good.
    Some(unsafe { Item::from_raw(raw) })
}

impl<T: Item> Default for NextSlot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Item> Drop for NextSlot<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
