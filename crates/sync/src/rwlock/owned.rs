//! The guards of an [`RwLock`] that keep it alive.

use std::marker::PhantomData;
use std::sync::Arc;

use super::RwLock;
use crate::held::{ExclusiveMode, Held, SharedMode, guard_traits};

/// A read guard that keeps the lock alive.
#[must_use = "the lock is given up at once when this is dropped"]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T> {
    pub(super) held: Held<Arc<RwLock<T>>, U, SharedMode>,
}

/// A write guard that keeps the lock alive.
#[must_use = "the lock is given up at once when this is dropped"]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    pub(super) held: Held<Arc<RwLock<T>>, T, ExclusiveMode>,
}

/// A write guard of a part of the value, which keeps the lock alive.
#[must_use = "the lock is given up at once when this is dropped"]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T> {
    held: Held<Arc<RwLock<T>>, U, ExclusiveMode>,
    /// The part may be read and replaced, so that `U` is invariant.
    part: PhantomData<*mut U>,
}

guard_traits! {
    [T: ?Sized, U: ?Sized] OwnedRwLockReadGuard<T, U> => U;
    [T: ?Sized] OwnedRwLockWriteGuard<T> => mut T;
    [T: ?Sized, U: ?Sized] OwnedRwLockMappedWriteGuard<T, U> => mut U;
}

// As for the borrowing guards; besides, the last owner drops the value, which needs `T: Send`.

// SAFETY: see above.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Sync> Send for OwnedRwLockReadGuard<T, U> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedRwLockReadGuard<T, U> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send + Sync> Send for OwnedRwLockWriteGuard<T> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send + Sync> Sync for OwnedRwLockWriteGuard<T> {}
// SAFETY: see above.
unsafe impl<T, U> Send for OwnedRwLockMappedWriteGuard<T, U>
where
    T: ?Sized + Send + Sync,
    U: ?Sized + Send + Sync,
{
}
// SAFETY: see above.
unsafe impl<T, U> Sync for OwnedRwLockMappedWriteGuard<T, U>
where
    T: ?Sized + Send + Sync,
    U: ?Sized + Send + Sync,
{
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    /// Narrows the guard to a part of what it shows.
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V>
    where
        F: FnOnce(&U) -> &V,
    {
        OwnedRwLockReadGuard {
            held: this.held.map(f),
        }
    }

    /// Narrows the guard to a part of what it shows, if `f` finds it.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_map<F, V: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, V>, Self>
    where
        F: FnOnce(&U) -> Option<&V>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(OwnedRwLockReadGuard { held }),
            Err(held) => Err(Self { held }),
        }
    }

    /// The lock that this guard holds.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.held.lock()
    }
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// Narrows the guard to a part of the value.
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedRwLockMappedWriteGuard {
            held: this.held.map(f),
            part: PhantomData,
        }
    }

    /// Narrows the guard to a part of the value, if `f` finds it.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_map<F, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(OwnedRwLockMappedWriteGuard {
                held,
                part: PhantomData,
            }),
            Err(held) => Err(Self { held }),
        }
    }

    /// The same guard as a mapped one.
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        OwnedRwLockMappedWriteGuard {
            held: this.held,
            part: PhantomData,
        }
    }

    /// Lets other readers in, without letting a writer in between.
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        Self::downgrade_map(self, |value| value)
    }

    /// [`downgrade`](Self::downgrade) to a part of the value, which `f` chooses before.
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U>
    where
        F: FnOnce(&T) -> &U,
    {
        OwnedRwLockReadGuard {
            held: this.held.downgrade_map(f),
        }
    }

    /// [`downgrade_map`](Self::downgrade_map), if `f` finds the part.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_downgrade_map<F, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match this.held.try_downgrade_map(f) {
            Ok(held) => Ok(OwnedRwLockReadGuard { held }),
            Err(held) => Err(Self { held }),
        }
    }

    /// The lock that this guard holds.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.held.lock()
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    /// Narrows the guard to a part of what it shows.
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V>
    where
        F: FnOnce(&mut U) -> &mut V,
    {
        OwnedRwLockMappedWriteGuard {
            held: this.held.map(f),
            part: PhantomData,
        }
    }

    /// Narrows the guard to a part of what it shows, if `f` finds it.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_map<F, V: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(OwnedRwLockMappedWriteGuard {
                held,
                part: PhantomData,
            }),
            Err(held) => Err(Self {
                held,
                part: PhantomData,
            }),
        }
    }

    /// The lock that this guard holds.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.held.lock()
    }
}
