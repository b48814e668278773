//! The guards of an [`RwLock`](super::RwLock) that borrow it.

use crate::held::{ErasedHeld, Reading, Writing, guard_traits};

/// The right to read the value of an [`RwLock`](super::RwLock), or a part of it; unlocks when
/// dropped.
#[must_use = "the lock is given up at once when this is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized>(pub(super) ErasedHeld<'a, T, Reading>);

/// The right to change the value of an [`RwLock`](super::RwLock); unlocks when dropped.
#[must_use = "the lock is given up at once when this is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized>(pub(super) ErasedHeld<'a, T, Writing<T>>);

/// The right to change a part of the value of an [`RwLock`](super::RwLock); unlocks when dropped.
///
/// Made by [`RwLockWriteGuard::map`]. It does not downgrade: whoever made it chose the part with
/// `&mut`, which others must not see while it may be written through.
#[must_use = "the lock is given up at once when this is dropped"]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized>(ErasedHeld<'a, T, Writing<T>>);

guard_traits! {
    ['a, T: ?Sized] RwLockReadGuard<'a, T> => T;
    ['a, T: ?Sized] RwLockWriteGuard<'a, T> => mut T;
    ['a, T: ?Sized] RwLockMappedWriteGuard<'a, T> => mut T;
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// Narrows the guard to a part of what it shows, which `f` chooses.
    ///
    /// ```
    /// use tokio::sync::{RwLock, RwLockReadGuard};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lock = RwLock::new((1, "one"));
    /// let name = RwLockReadGuard::map(lock.read().await, |pair| &pair.1);
    /// assert_eq!(*name, "one");
    /// # }
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard(this.0.map(f))
    }

    /// [`map`](Self::map), if `f` finds the part.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        this.0.try_map(f).map(RwLockReadGuard).map_err(Self)
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Narrows the guard to a part of the value, which `f` chooses.
    ///
    /// ```
    /// use tokio::sync::{RwLock, RwLockWriteGuard};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lock = RwLock::new((1, "one"));
    /// *RwLockWriteGuard::map(lock.write().await, |pair| &mut pair.0) = 2;
    /// assert_eq!(*lock.read().await, (2, "one"));
    /// # }
    /// ```
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard(this.0.map_mut(f))
    }

    /// [`map`](Self::map), if `f` finds the part.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let mapped = this.0.try_map_mut(f).map_err(Self)?;
        Ok(RwLockMappedWriteGuard(mapped))
    }

    /// The same guard as a mapped one.
    #[inline]
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockMappedWriteGuard(this.0)
    }

    /// Lets other readers in, without letting a writer in between.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let lock = tokio::sync::RwLock::new(1);
    /// let mut writer = lock.write().await;
    /// *writer = 2;
    /// let reader = writer.downgrade();
    /// assert_eq!((*reader, *lock.read().await), (2, 2));
    /// # }
    /// ```
    #[inline]
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        Self::downgrade_map(self, |value| value)
    }

    /// [`downgrade`](Self::downgrade) to a part of the value, which `f` chooses before.
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard(this.0.downgrade_map(f))
    }

    /// [`downgrade_map`](Self::downgrade_map), if `f` finds the part.
    ///
    /// # Errors
    /// The guard as it was, still for writing, when `f` returns `None`.
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        let read = this.0.try_downgrade_map(f).map_err(Self)?;
        Ok(RwLockReadGuard(read))
    }
}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    /// Narrows the guard further, as [`RwLockWriteGuard::map`].
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard(this.0.map_mut(f))
    }

    /// Narrows the guard further, as [`RwLockWriteGuard::try_map`].
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let mapped = this.0.try_map_mut(f).map_err(Self)?;
        Ok(RwLockMappedWriteGuard(mapped))
    }
}
