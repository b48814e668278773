//! A mutex that does not poison: a panic under it leaves data that its users keep consistent.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{PoisonError, TryLockError};

use crate::atomic::{RawMutex, RawMutexGuard};
use crate::const_unless_model;

/// Mutual exclusion for short critical sections in which no user code runs.
#[derive(Default)]
pub struct Mutex<T>(RawMutex<T>);

/// The right to touch what a [`Mutex`] protects; ends when dropped.
pub struct MutexGuard<'a, T>(RawMutexGuard<'a, T>);

impl<T> Mutex<T> {
    const_unless_model! {
        /// A mutex around `value`.
        pub const fn new(value: T) -> Self {
            Self(RawMutex::new(value))
        }
    }

    /// Waits for the lock; ignores that an earlier holder panicked.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the lock if nobody holds it.
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(MutexGuard(guard)),
            Err(TryLockError::Poisoned(poisoned)) => Some(MutexGuard(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The value, out of the lock.
    pub fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a, T> MutexGuard<'a, T> {
    /// The guard of the underlying mutex, for waiting on a condition variable.
    pub fn into_raw(self) -> RawMutexGuard<'a, T> {
        self.0
    }

    /// The reverse of [`into_raw`](Self::into_raw).
    pub fn from_raw(raw: RawMutexGuard<'a, T>) -> Self {
        Self(raw)
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_panic_under_the_lock_does_not_poison_it() {
        let lock = Mutex::new(1);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut guard = lock.lock();
            *guard = 2;
            panic!("under the lock");
        }));
        assert!(result.is_err());
        assert_eq!(*lock.lock(), 2);
        assert!(lock.try_lock().is_some());
    }
}
