//! The lock of lists: taken by one exchange, given back by one store, [`ListLock`].
//!
//! What runs under it is short and is never a user's code. So whoever finds it held looks again
//! soon, instead of queueing to be woken: then the release would need an exchange of its own, to
//! learn whether anybody sleeps, and each wait and each wake would pay for it. (A model cannot
//! spin: there `atomic` has a mutex in its place.)

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::thread;
use std::time::Duration;

use crate::atomic::{AtomicBool, Ordering, UnsafeCell, spin_loop};
use crate::const_unless_model;

/// Looks before a thread gives way to others: the holder runs on another processor.
const SPINS: u32 = 7;

/// Looks before a thread naps: the holder was interrupted, and waits for a processor.
const YIELDS: u32 = 100;

/// Long enough to let a holder of a lower priority run.
const NAP: Duration = Duration::from_micros(50);

/// Mutual exclusion for a few instructions.
pub struct ListLock<T> {
    held: AtomicBool,
    /// Touched by whoever set `held`, until it is cleared.
    value: UnsafeCell<T>,
}

/// The right to touch what a [`ListLock`] protects; ends when dropped.
pub struct ListGuard<'a, T>(&'a ListLock<T>);

// SAFETY: sending the lock sends the value.
unsafe impl<T: Send> Send for ListLock<T> {}
// SAFETY: a shared lock hands the value to one thread at a time, so `T: Send` suffices.
unsafe impl<T: Send> Sync for ListLock<T> {}
// SAFETY: a shared guard shares the value. (It may be dropped on any thread.)
unsafe impl<T: Sync> Sync for ListGuard<'_, T> {}
// What panics under it leaves the list linked: its links change in functions that cannot panic.
impl<T> UnwindSafe for ListLock<T> {}
impl<T> RefUnwindSafe for ListLock<T> {}

impl<T> ListLock<T> {
    const_unless_model! {
        /// A lock around `value`, open.
        pub const fn new(value: T) -> Self {
            Self { held: AtomicBool::new(false), value: UnsafeCell::new(value) }
        }
    }

    /// Takes the lock, as soon as nobody holds it.
    #[inline]
    pub fn lock(&self) -> ListGuard<'_, T> {
        if !self.try_take() {
            self.take_contended();
        }
        ListGuard(self)
    }

    #[inline]
    fn try_take(&self) -> bool {
        // Acquire: pairs with the Release in the guard's drop; what was done under the lock is
        // seen under it. Relaxed on failure: nothing is read then.
        self.held
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
    }

    // Never inlined: its loop needs registers that who finds the lock open would save for nothing.
    #[cold]
    #[inline(never)]
    fn take_contended(&self) {
        let mut looks = 0;
        // Bounded by what others do under the lock.
        while !self.try_take() {
            pause(looks);
            looks = looks.saturating_add(1);
        }
    }
}

/// Lets time pass, the longer the more often one has looked.
pub fn pause(looks: u32) {
    if looks < SPINS {
        (0..1 << looks).for_each(|_| spin_loop());
    } else if looks < YIELDS {
        thread::yield_now();
    } else {
        thread::sleep(NAP);
    }
}

impl<T: Default> Default for ListLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for ListLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListLock").finish_non_exhaustive()
    }
}

impl<T> Deref for ListGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard's maker set `held`, which excludes everybody else.
        self.0.value.with(|value| unsafe { &*value })
    }
}

impl<T> DerefMut for ListGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; the guard is borrowed exclusively.
        self.0.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T> Drop for ListGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Release: pairs with the Acquire in try_take().
        self.0.held.store(false, Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn threads_count_without_losing_any() {
        let lock = Arc::new(ListLock::new(0));
        let count = |lock: &ListLock<u32>| (0..20_000).for_each(|_| *lock.lock() += 1);
        let threads: Vec<_> = (0..4)
            .map(|_| Arc::clone(&lock))
            .map(|lock| thread::spawn(move || count(&lock)))
            .collect();
        for thread in threads {
            thread.join().expect("counting does not panic");
        }
        assert_eq!(*lock.lock(), 80_000);
    }

    #[test]
    fn who_finds_it_held_for_long_naps_until_it_is_free() {
        let lock = Arc::new(ListLock::new(1));
        let guard = lock.lock();
        let other = Arc::clone(&lock);
        let waiting = thread::spawn(move || *other.lock());
        // Whenever the other begins to wait: it sees what is written before the release.
        thread::sleep(Duration::from_millis(5));
        let mut guard = guard;
        *guard = 2;
        drop(guard);
        assert_eq!(waiting.join().expect("it only looks"), 2);
    }
}
