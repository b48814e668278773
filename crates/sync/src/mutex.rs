//! Mutual exclusion that may be held across an `await`: [`Mutex`].

mod guard;

use std::cell::UnsafeCell;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

use yamanote_base::{block, const_unless_model};

use crate::held::{ExclusiveMode, Held, LockHandle};
use crate::semaphore::{RawSemaphore, TryLockError};

pub use guard::{MappedMutexGuard, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};

/// A value that one task at a time may use, also across an `await`.
///
/// First come, first served. A panic under the lock does not poison it.
pub struct Mutex<T: ?Sized> {
    /// Its one permit is the right to use `value`. Never closed.
    semaphore: RawSemaphore,
    value: UnsafeCell<T>,
}

// SAFETY: sending the mutex sends the value; the semaphore is `Send` by itself.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: a shared mutex hands the value to one thread at a time, so `T: Send` suffices.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T> Mutex<T> {
    const_unless_model! {
        /// [`new`](Self::new), for statics.
        #[must_use]
        pub const fn const_new(value: T) -> Self {
            Self { semaphore: RawSemaphore::new(1), value: UnsafeCell::new(value) }
        }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// A mutex around `value`, open.
    #[must_use]
    pub fn new(value: T) -> Self
    where
        T: Sized,
    {
        Self {
            semaphore: RawSemaphore::new(1),
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the lock.
    ///
    /// *Cancel safety:* dropping the future only gives up its place in the queue.
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        self.acquire().await;
        MutexGuard { held: self.held() }
    }

    /// [`lock`](Self::lock) with a guard that keeps the mutex alive.
    pub async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        self.acquire().await;
        OwnedMutexGuard {
            held: self.held_owned(),
        }
    }

    /// Takes the lock if it is free and nobody waits for it.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        self.semaphore
            .try_acquire(1)
            .map_err(|_| TryLockError(()))?;
        Ok(MutexGuard { held: self.held() })
    }

    /// [`try_lock`](Self::try_lock) with a guard that keeps the mutex alive.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        self.semaphore
            .try_acquire(1)
            .map_err(|_| TryLockError(()))?;
        Ok(OwnedMutexGuard {
            held: self.held_owned(),
        })
    }

    /// Waits for the lock on the current thread.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        block::block_on(self.lock())
    }

    /// [`blocking_lock`](Self::blocking_lock) with a guard that keeps the mutex alive.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        block::block_on(self.lock_owned())
    }

    /// The value; nobody else can be using it.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value, out of the mutex.
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.value.into_inner()
    }

    async fn acquire(&self) {
        self.semaphore
            .acquire(1)
            .await
            .expect("a mutex never closes its semaphore");
    }

    /// The guard of the permit that the caller has just acquired.
    #[inline]
    fn held(&self) -> Held<&Self, T, ExclusiveMode> {
        // SAFETY: the callers above acquired the one permit, which excludes every other guard.
        unsafe { Held::new(self, 1, self.view()) }
    }

    fn held_owned(self: Arc<Self>) -> Held<Arc<Self>, T, ExclusiveMode> {
        let view = self.view();
        // SAFETY: as in `held`; the `Arc` keeps the value in place.
        unsafe { Held::new(self, 1, view) }
    }

    #[inline]
    fn view(&self) -> NonNull<T> {
        NonNull::new(self.value.get()).expect("a cell has an address")
    }
}

impl<T: ?Sized> LockHandle for &Mutex<T> {
    #[inline]
    fn semaphore(&self) -> &RawSemaphore {
        &self.semaphore
    }
}

impl<T: ?Sized> LockHandle for Arc<Mutex<T>> {
    #[inline]
    fn semaphore(&self) -> &RawSemaphore {
        &self.semaphore
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(value) => shown.field("data", &&*value),
            Err(_) => shown.field("data", &format_args!("<locked>")),
        };
        shown.finish()
    }
}
