//! A lock for many readers or one writer, held across an `await`: [`RwLock`].

mod guard;
mod owned;

use std::sync::Arc;

use yamanote_base::{block, const_unless_model};

use crate::held::{Held, LockKind, Protected, held, lock_traits};
use crate::semaphore::TryLockError;

pub use guard::{RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard};
pub use owned::{OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

/// The most readers at once, also of a lock that sets no limit of its own.
const MAX_READERS: u32 = u32::MAX >> 3;

/// A value that many tasks may read, or one may change, also across an `await`.
///
/// First come, first served, so that a waiting writer keeps later readers out. A panic under the
/// lock does not poison it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let lock = tokio::sync::RwLock::new(5);
/// {
///     let (one, two) = (lock.read().await, lock.read().await);
///     assert_eq!(*one + *two, 10);
/// }
/// *lock.write().await += 1;
/// assert_eq!(*lock.read().await, 6);
/// # }
/// ```
pub struct RwLock<T: ?Sized>(Protected<T>);

// SAFETY: a shared lock shares the value between readers (`Sync`) and hands it to one writer at a
// time (`Send`).
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

lock_traits! { RwLock, try_read }

impl<T> RwLock<T> {
    const_unless_model! {
        /// [`new`](Self::new), for statics. Consoles do not list it.
        ///
        /// ```
        /// static NAME: tokio::sync::RwLock<&str> = tokio::sync::RwLock::const_new("none");
        /// *NAME.blocking_write() = "Ada";
        /// assert_eq!(*NAME.blocking_read(), "Ada");
        /// ```
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
            Self(Protected::unlisted(value, LockKind::RwLock, max_reads))
        }
    }
}

impl<T: ?Sized> RwLock<T> {
    /// A lock around `value`, open.
    #[track_caller]
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
    ///
    /// ```
    /// let lock = tokio::sync::RwLock::with_max_readers("value", 1);
    /// let reader = lock.try_read().unwrap();
    /// assert!(lock.try_read().is_err());
    /// ```
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
        Self(Protected::new(value, LockKind::RwLock, max_reads))
    }

    /// Waits for the right to read, together with other readers.
    ///
    /// A task that reads already and waits here again may wait forever: a writer may have queued
    /// in between.
    ///
    /// *Cancel safety:* dropping the future only gives up its place in the queue.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lock = tokio::sync::RwLock::new(1);
    /// let reader = lock.read().await;
    /// assert!(lock.try_read().is_ok() && lock.try_write().is_err());
    /// assert_eq!(*reader, 1);
    /// # }
    /// ```
    pub async fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard(held!(self, "RwLock::read").erase())
    }

    /// [`read`](Self::read) with a guard that keeps the lock alive and borrows nothing.
    ///
    /// ```
    /// use std::sync::Arc;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lock = Arc::new(tokio::sync::RwLock::new(1));
    /// let reader = lock.clone().read_owned().await;
    /// let task = tokio::spawn(async move { *reader });
    /// assert_eq!(task.await.unwrap(), 1);
    /// # }
    /// ```
    pub async fn read_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockReadGuard(held!(self, "RwLock::read_owned"))
    }

    /// Waits for the right to write, which excludes everybody else.
    ///
    /// *Cancel safety:* dropping the future only gives up its place in the queue.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lock = tokio::sync::RwLock::new(1);
    /// let mut writer = lock.write().await;
    /// *writer = 2;
    /// assert!(lock.try_read().is_err());
    /// # }
    /// ```
    pub async fn write(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard(held!(self, "RwLock::write").erase())
    }

    /// [`write`](Self::write) with a guard that keeps the lock alive and borrows nothing.
    pub async fn write_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        OwnedRwLockWriteGuard(held!(self, "RwLock::write_owned"))
    }

    /// Takes the right to read, if there is no writer and nobody waits.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        Ok(RwLockReadGuard(Held::try_take(self)?.erase()))
    }

    /// [`try_read`](Self::try_read) with a guard that keeps the lock alive.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        Held::try_take(self).map(OwnedRwLockReadGuard)
    }

    /// Takes the right to write, if there is nobody else.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        Ok(RwLockWriteGuard(Held::try_take(self)?.erase()))
    }

    /// [`try_write`](Self::try_write) with a guard that keeps the lock alive.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        Held::try_take(self).map(OwnedRwLockWriteGuard)
    }

    /// Waits for the right to read on the current thread: for code that is not asynchronous.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        block::block_on(self.read())
    }

    /// Waits for the right to write on the current thread: for code that is not asynchronous.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    ///
    /// ```
    /// use std::sync::Arc;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lock = Arc::new(tokio::sync::RwLock::new(1));
    /// let other = lock.clone();
    /// let sync_code = tokio::task::spawn_blocking(move || *other.blocking_write() += 1);
    /// sync_code.await.unwrap();
    /// assert_eq!(*lock.read().await, 2);
    /// # }
    /// ```
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        block::block_on(self.write())
    }

    /// The value; nobody else can be using it.
    ///
    /// ```
    /// let mut lock = tokio::sync::RwLock::new(1);
    /// *lock.get_mut() = 2;
    /// assert_eq!(lock.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// The value, out of the lock.
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.0.into_inner()
    }
}
