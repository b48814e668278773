//! A slot for a task that is in a worker's hands: [`WorkerSlot`].
//!
//! In one is a task that the running one has woken: it runs next, because its data are warm. In
//! the other one that waits is [kept](yamanote_task::Warm) for a poll. Only the worker uses them,
//! unless it is stuck, or all is over. From outside a task is taken by a swap, by the worker by
//! plain stores: it sets `taking`, then looks whether there are `outsiders`, to whom it swaps.
//!
//! **Why a task is taken once.** Who comes from outside counts itself among the outsiders, has all
//! threads pass a fence, and goes again if `taking` is set. If the worker passes the fence after it
//! has set that, the outsider sees it. If before, the worker sees the outsider.

use std::marker::PhantomData;
use std::ptr;

use yamanote_base::atomic::{
    AtomicBool, AtomicPtr, AtomicUsize, Ordering, light_fence, store_among_swaps,
};
use yamanote_base::biased_lock::Barrier;

use super::queue::Item;

/// Room for one task.
#[derive(Debug)]
pub struct WorkerSlot<T: Item, B> {
    /// Filled by the worker; emptied by anybody, as said above.
    word: AtomicPtr<()>,
    /// Written by the worker, while it takes a task out; read from outside.
    taking: AtomicBool,
    /// How many are about to take a task from outside: counted there, read by the worker.
    outsiders: AtomicUsize,
    /// `None`: there is no such fence, so all swap.
    barrier: Option<B>,
    _item: PhantomData<T>,
}

impl<T: Item, B: Barrier> WorkerSlot<T, B> {
    /// An empty slot, whose worker needs no locked instruction if there is a barrier.
    #[must_use]
    pub fn new(barrier: Option<B>) -> Self {
        Self {
            word: AtomicPtr::new(ptr::null_mut()),
            taking: AtomicBool::new(false),
            outsiders: AtomicUsize::new(0),
            barrier,
            _item: PhantomData,
        }
    }

    /// Puts `task` in if the slot is empty, as only the worker may; else gives it back.
    #[inline]
    pub fn put(&self, task: T) -> Result<(), T> {
        if !self.is_empty() {
            return Err(task);
        }
        // Only the worker puts tasks in, so a slot that it sees empty stays empty. It is Release:
        // publishes the task to swap_out().
        store_among_swaps(&self.word, Item::into_raw(task));
        Ok(())
    }

    /// Puts `task` in; returns the one that was there.
    ///
    /// # Safety
    /// The caller is the worker; or was, and the worker's thread has seen what it did.
    #[inline]
    pub unsafe fn replace(&self, task: T) -> Option<T> {
        // SAFETY: the caller's.
        let before = unsafe { self.take() };
        // Only the worker puts tasks in, so the slot is empty, as in put().
        store_among_swaps(&self.word, Item::into_raw(task));
        before
    }

    /// Takes the task out.
    ///
    /// # Safety
    /// As for [`replace`](Self::replace).
    #[inline]
    pub unsafe fn take(&self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        if self.barrier.is_none() {
            return self.swap_out();
        }
        // Relaxed: nothing was done that this publishes; for its order see above.
        self.taking.store(true, Ordering::Relaxed);
        light_fence();
        // Acquire: pairs with the Release of the last outsider, so that its swap is seen.
        let task = if self.outsiders.load(Ordering::Acquire) == 0 {
            // Relaxed, both: the worker itself has put it in.
            let word = self.word.load(Ordering::Relaxed);
            self.word.store(ptr::null_mut(), Ordering::Relaxed);
            item(word)
        } else {
            self.swap_out()
        };
        // Release: pairs with the Acquire in take_from_outside(), which sees the slot as it is now.
        self.taking.store(false, Ordering::Release);
        task
    }

    /// Takes the task out, on any thread, unless the worker is about to do so.
    #[cold]
    pub fn take_from_outside(&self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        if self.barrier.is_none() {
            return self.swap_out();
        }
        // Relaxed: it is the fence that shows it.
        self.outsiders.fetch_add(1, Ordering::Relaxed);
        // Acquire: pairs with the Release in take().
        let task = if B::pass() && !self.taking.load(Ordering::Acquire) {
            self.swap_out()
        } else {
            // The worker has it; or the system refuses what it said that it has, and the task
            // waits for the worker.
            None
        };
        // Release: pairs with the Acquire in take().
        self.outsiders.fetch_sub(1, Ordering::Release);
        task
    }

    fn swap_out(&self) -> Option<T> {
        // Acquire: pairs with the Release in put() and replace().
        item(self.word.swap(ptr::null_mut(), Ordering::Acquire))
    }

    /// Whether there is a barrier, so that the worker needs no locked instruction.
    #[must_use]
    pub fn is_cheap(&self) -> bool {
        self.barrier.is_some()
    }

    /// The word of the task in the slot, or null, at a glance.
    #[inline]
    #[must_use]
    pub fn word(&self) -> *mut () {
        // Relaxed: only a glance.
        self.word.load(Ordering::Relaxed)
    }

    /// Whether there is a task in the slot, at a glance.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.word().is_null()
    }
}

fn item<T: Item>(raw: *mut ()) -> Option<T> {
    if raw.is_null() {
        return None;
    }
    // SAFETY: a non-null word came from `into_raw`, and the swap took it out for good.
    Some(unsafe { Item::from_raw(raw) })
}

impl<T: Item, B> Drop for WorkerSlot<T, B> {
    fn drop(&mut self) {
        // Acquire: as in swap_out().
        drop(item::<T>(
            self.word.swap(ptr::null_mut(), Ordering::Acquire),
        ));
    }
}
