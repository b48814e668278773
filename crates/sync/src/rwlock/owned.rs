//! The guards of an [`RwLock`] that keep it alive.

use std::sync::Arc;

use super::RwLock;
use crate::held::{Held, Reading, Writing, guard_traits};

/// A read guard that keeps the lock alive; made by [`RwLock::read_owned`].
///
/// `T` is what the lock protects, `U` what the guard shows.
#[must_use = "the lock is given up at once when this is dropped"]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T>(
    pub(super) Held<Arc<RwLock<T>>, U, Reading>,
);

/// A write guard that keeps the lock alive; made by [`RwLock::write_owned`].
#[must_use = "the lock is given up at once when this is dropped"]
pub struct OwnedRwLockWriteGuard<T: ?Sized>(pub(super) Held<Arc<RwLock<T>>, T, Writing<T>>);

/// A write guard of a part of the value, which keeps the lock alive.
///
/// Made by [`OwnedRwLockWriteGuard::map`]. `T` is what the lock protects, `U` what the guard shows.
#[must_use = "the lock is given up at once when this is dropped"]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T>(
    Held<Arc<RwLock<T>>, U, Writing<U>>,
);

guard_traits! {
    [T: ?Sized, U: ?Sized] OwnedRwLockReadGuard<T, U> => U;
    [T: ?Sized] OwnedRwLockWriteGuard<T> => mut T;
    [T: ?Sized, U: ?Sized] OwnedRwLockMappedWriteGuard<T, U> => mut U;
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    /// Narrows the guard, as [`RwLockReadGuard::map`](super::RwLockReadGuard::map).
    #[inline]
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V>
    where
        F: FnOnce(&U) -> &V,
    {
        OwnedRwLockReadGuard(this.0.map(f))
    }

    /// Narrows the guard, as [`RwLockReadGuard::try_map`](super::RwLockReadGuard::try_map).
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    #[inline]
    pub fn try_map<F, V: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, V>, Self>
    where
        F: FnOnce(&U) -> Option<&V>,
    {
        this.0.try_map(f).map(OwnedRwLockReadGuard).map_err(Self)
    }

    /// The lock that this guard holds.
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.0.lock()
    }
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// Narrows the guard, as [`RwLockWriteGuard::map`](super::RwLockWriteGuard::map).
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedRwLockMappedWriteGuard(this.0.map_mut(f))
    }

    /// Narrows the guard, as [`RwLockWriteGuard::try_map`](super::RwLockWriteGuard::try_map).
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let mapped = this.0.try_map_mut(f).map_err(Self)?;
        Ok(OwnedRwLockMappedWriteGuard(mapped))
    }

    /// The same guard as a mapped one.
    #[inline]
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        OwnedRwLockMappedWriteGuard(this.0)
    }

    /// Lets other readers in, without letting a writer in between.
    ///
    /// ```
    /// use std::sync::Arc;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lock = Arc::new(tokio::sync::RwLock::new(1));
    /// let reader = lock.clone().write_owned().await.downgrade();
    /// assert_eq!(*reader + *lock.read().await, 2);
    /// # }
    /// ```
    #[inline]
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        Self::downgrade_map(self, |value| value)
    }

    /// [`downgrade`](Self::downgrade) to a part of the value, which `f` chooses before.
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U>
    where
        F: FnOnce(&T) -> &U,
    {
        OwnedRwLockReadGuard(this.0.downgrade_map(f))
    }

    /// [`downgrade_map`](Self::downgrade_map), if `f` finds the part.
    ///
    /// # Errors
    /// The guard as it was, still for writing, when `f` returns `None`.
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        let read = this.0.try_downgrade_map(f).map_err(Self)?;
        Ok(OwnedRwLockReadGuard(read))
    }

    /// The lock that this guard holds.
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.0.lock()
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    /// Narrows the guard further, as [`RwLockWriteGuard::map`](super::RwLockWriteGuard::map).
    #[inline]
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V>
    where
        F: FnOnce(&mut U) -> &mut V,
    {
        OwnedRwLockMappedWriteGuard(this.0.map_mut(f))
    }

    /// Narrows the guard further, as
    /// [`RwLockWriteGuard::try_map`](super::RwLockWriteGuard::try_map).
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    #[inline]
    pub fn try_map<F, V: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        let mapped = this.0.try_map_mut(f).map_err(Self)?;
        Ok(OwnedRwLockMappedWriteGuard(mapped))
    }

    /// The lock that this guard holds.
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.0.lock()
    }
}
