//! A lock for many readers or one writer, held across an `await`: [`RwLock`].

mod guard;
mod owned;

use std::cell::UnsafeCell;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

use yamanote_base::{block, const_unless_model};

use crate::held::{ExclusiveMode, Held, LockHandle, SharedMode};
use crate::semaphore::{RawSemaphore, TryLockError};

pub use guard::{RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard};
pub use owned::{OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

/// The most readers at once, also of a lock that sets no limit of its own.
const MAX_READERS: u32 = u32::MAX >> 3;

/// A value that many tasks may read, or one may change, also across an `await`.
///
/// First come, first served, so that a waiting writer keeps later readers out. A panic under the
/// lock does not poison it.
pub struct RwLock<T: ?Sized> {
    /// One permit is the right to read, all of them the right to write. Never closed.
    semaphore: RawSemaphore,
    readers_max: u32,
    value: UnsafeCell<T>,
}

// SAFETY: sending the lock sends the value; the semaphore is `Send` by itself.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: a shared lock shares the value between readers (`Sync`) and hands it to one writer at a
// time (`Send`).
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T> RwLock<T> {
    const_unless_model! {
        /// [`new`](Self::new), for statics.
        #[must_use]
        pub const fn const_new(value: T) -> Self {
            Self::const_with_max_readers(value, MAX_READERS)
        }

        /// [`with_max_readers`](Self::with_max_readers), for statics.
        ///
        /// # Panics
        /// If `max_reads` is 0 or exceeds `u32::MAX >> 3`.
        #[track_caller]
        #[must_use]
        pub const fn const_with_max_readers(value: T, max_reads: u32) -> Self {
            assert!(max_reads <= MAX_READERS, "a RwLock may not have that many readers");
            assert!(max_reads > 0, "a RwLock may not be created with 0 readers");
            Self {
                semaphore: RawSemaphore::new(max_reads as usize),
                readers_max: max_reads,
                value: UnsafeCell::new(value),
            }
        }
    }
}

impl<T: ?Sized> RwLock<T> {
    /// A lock around `value`, open.
    #[must_use]
    pub fn new(value: T) -> Self
    where
        T: Sized,
    {
        Self::with_max_readers(value, MAX_READERS)
    }

    /// A lock that lets in at most `max_reads` readers at once.
    ///
    /// # Panics
    /// If `max_reads` is 0 or exceeds `u32::MAX >> 3`.
    #[track_caller]
    #[must_use]
    pub fn with_max_readers(value: T, max_reads: u32) -> Self
    where
        T: Sized,
    {
        assert!(
            max_reads <= MAX_READERS,
            "a RwLock may not be created with more than {MAX_READERS} readers"
        );
        // A writer takes every permit: there must be one for it to exclude the others.
        assert!(max_reads > 0, "a RwLock may not be created with 0 readers");
        Self {
            semaphore: RawSemaphore::new(max_reads as usize),
            readers_max: max_reads,
            value: UnsafeCell::new(value),
        }
    }

    /// Waits for the right to read.
    ///
    /// A task that reads already and waits here again may wait forever: a writer may have queued
    /// in between.
    ///
    /// *Cancel safety:* dropping the future only gives up its place in the queue.
    pub async fn read(&self) -> RwLockReadGuard<'_, T> {
        self.acquire(1).await;
        RwLockReadGuard {
            held: self.held_shared().erase(|lock| &lock.semaphore),
        }
    }

    /// [`read`](Self::read) with a guard that keeps the lock alive.
    pub async fn read_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        self.acquire(1).await;
        OwnedRwLockReadGuard {
            held: self.held_shared_owned(),
        }
    }

    /// Waits for the right to write.
    ///
    /// *Cancel safety:* dropping the future only gives up its place in the queue.
    pub async fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.acquire(self.readers_max).await;
        RwLockWriteGuard::new(self.held())
    }

    /// [`write`](Self::write) with a guard that keeps the lock alive.
    pub async fn write_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        self.acquire(self.readers_max).await;
        OwnedRwLockWriteGuard {
            held: self.held_owned(),
        }
    }

    /// Takes the right to read, if there is no writer and nobody waits.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        self.try_acquire(1)?;
        Ok(RwLockReadGuard {
            held: self.held_shared().erase(|lock| &lock.semaphore),
        })
    }

    /// [`try_read`](Self::try_read) with a guard that keeps the lock alive.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        self.try_acquire(1)?;
        Ok(OwnedRwLockReadGuard {
            held: self.held_shared_owned(),
        })
    }

    /// Takes the right to write, if there is nobody else.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        self.try_acquire(self.readers_max)?;
        Ok(RwLockWriteGuard::new(self.held()))
    }

    /// [`try_write`](Self::try_write) with a guard that keeps the lock alive.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        self.try_acquire(self.readers_max)?;
        Ok(OwnedRwLockWriteGuard {
            held: self.held_owned(),
        })
    }

    /// Waits for the right to read on the current thread.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        block::block_on(self.read())
    }

    /// Waits for the right to write on the current thread.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        block::block_on(self.write())
    }

    /// The value; nobody else can be using it.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value, out of the lock.
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.value.into_inner()
    }

    async fn acquire(&self, permits: u32) {
        let acquired = self.semaphore.acquire(permits as usize).await;
        acquired.expect("a lock never closes its semaphore");
    }

    fn try_acquire(&self, permits: u32) -> Result<(), TryLockError> {
        self.semaphore
            .try_acquire(permits as usize)
            .map_err(|_| TryLockError(()))
    }

    /// The guard of the one permit that the caller has just acquired.
    #[inline]
    fn held_shared(&self) -> Held<&Self, T, SharedMode> {
        // SAFETY: the callers above acquired a permit; a writer would need it too.
        unsafe { Held::new(self, 1, self.view()) }
    }

    fn held_shared_owned(self: Arc<Self>) -> Held<Arc<Self>, T, SharedMode> {
        let view = self.view();
        // SAFETY: as in `held_shared`; the `Arc` keeps the value in place.
        unsafe { Held::new(self, 1, view) }
    }

    /// The guard of all permits, which the caller has just acquired.
    #[inline]
    fn held(&self) -> Held<&Self, T, ExclusiveMode> {
        // SAFETY: the callers above acquired every permit, which excludes every other guard.
        unsafe { Held::new(self, self.readers_max, self.view()) }
    }

    fn held_owned(self: Arc<Self>) -> Held<Arc<Self>, T, ExclusiveMode> {
        let (view, permits) = (self.view(), self.readers_max);
        // SAFETY: as in `held`; the `Arc` keeps the value in place.
        unsafe { Held::new(self, permits, view) }
    }

    #[inline]
    fn view(&self) -> NonNull<T> {
        NonNull::new(self.value.get()).expect("a cell has an address")
    }
}

impl<T: ?Sized> LockHandle for &RwLock<T> {
    #[inline]
    fn semaphore(&self) -> &RawSemaphore {
        &self.semaphore
    }
}

impl<T: ?Sized> LockHandle for Arc<RwLock<T>> {
    #[inline]
    fn semaphore(&self) -> &RawSemaphore {
        &self.semaphore
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(value) => shown.field("data", &&*value),
            Err(_) => shown.field("data", &format_args!("<locked>")),
        };
        shown.finish()
    }
}
