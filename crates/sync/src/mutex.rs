//! Mutual exclusion that may be held across an `await`: [`Mutex`].

mod guard;

use std::sync::Arc;

use yamanote_base::{block, const_unless_model};

use crate::held::{Held, LockKind, Protected, held, lock_traits};
use crate::semaphore::TryLockError;

pub use guard::{MappedMutexGuard, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};

/// A value that one task at a time may use, also across an `await`.
///
/// First come, first served. A panic under the lock does not poison it. Where no `await` happens
/// under the lock, `std::sync::Mutex` does as well and costs less.
///
/// ```
/// use std::sync::Arc;
/// use tokio::sync::Mutex;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let log = Arc::new(Mutex::new(Vec::new()));
/// let other = log.clone();
/// let task = tokio::spawn(async move { other.lock().await.push("two") });
/// log.lock().await.push("one");
/// task.await.unwrap();
/// assert_eq!(*log.lock().await, ["one", "two"]);
/// # }
/// ```
pub struct Mutex<T: ?Sized>(Protected<T>);

// SAFETY: a shared mutex hands the value to one thread at a time, so `T: Send` suffices.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

lock_traits! { Mutex, try_lock }

impl<T> Mutex<T> {
    const_unless_model! {
        /// [`new`](Self::new), for statics. Consoles do not list it.
        ///
        /// ```
        /// static COUNT: tokio::sync::Mutex<u32> = tokio::sync::Mutex::const_new(3);
        /// assert_eq!(*COUNT.blocking_lock(), 3);
        /// ```
        #[must_use]
        pub const fn const_new(value: T) -> Self {
            Self(Protected::unlisted(value, LockKind::Mutex, 1))
        }
    }
}

impl<T: ?Sized> Mutex<T> {
    /// A mutex around `value`, open.
    #[track_caller]
    #[must_use]
    pub fn new(value: T) -> Self
    where
        T: Sized,
    {
        Self(Protected::new(value, LockKind::Mutex, 1))
    }

    /// Waits for the lock, which is held until the guard is dropped.
    ///
    /// *Cancel safety:* dropping the future only gives up its place in the queue.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mutex = tokio::sync::Mutex::new(1);
    /// let mut number = mutex.lock().await;
    /// *number += 1;
    /// assert!(mutex.try_lock().is_err());
    /// drop(number);
    /// assert_eq!(*mutex.try_lock().unwrap(), 2);
    /// # }
    /// ```
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(held!(self, "Mutex::lock"))
    }

    /// [`lock`](Self::lock) with a guard that keeps the mutex alive and borrows nothing.
    ///
    /// ```
    /// use std::sync::Arc;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mutex = Arc::new(tokio::sync::Mutex::new(1));
    /// let mut guard = mutex.clone().lock_owned().await;
    /// tokio::spawn(async move { *guard += 1 }).await.unwrap();
    /// assert_eq!(*mutex.lock().await, 2);
    /// # }
    /// ```
    pub async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        OwnedMutexGuard(held!(self, "Mutex::lock_owned"))
    }

    /// Takes the lock if it is free and nobody waits for it.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        Held::try_take(self).map(MutexGuard)
    }

    /// [`try_lock`](Self::try_lock) with a guard that keeps the mutex alive.
    ///
    /// # Errors
    /// When the caller would have to wait.
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        Held::try_take(self).map(OwnedMutexGuard)
    }

    /// Waits for the lock on the current thread: for code that is not asynchronous.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    ///
    /// ```
    /// use std::sync::Arc;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mutex = Arc::new(tokio::sync::Mutex::new(1));
    /// let other = mutex.clone();
    /// let sync_code = tokio::task::spawn_blocking(move || *other.blocking_lock() += 1);
    /// sync_code.await.unwrap();
    /// assert_eq!(*mutex.lock().await, 2);
    /// # }
    /// ```
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
    ///
    /// ```
    /// let mut mutex = tokio::sync::Mutex::new(1);
    /// *mutex.get_mut() = 2;
    /// assert_eq!(mutex.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// The value, out of the mutex.
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.0.into_inner()
    }
}
