//! The guards of an [`RwLock`] that borrow it.

use std::marker::PhantomData;

use super::RwLock;
use crate::held::{ErasedHeld, ExclusiveMode, Held, SharedMode, guard_traits};

/// The right to read the value of an [`RwLock`], or a part of it; unlocks when dropped.
#[must_use = "the lock is given up at once when this is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    pub(super) held: ErasedHeld<'a, T, SharedMode>,
}

/// The right to change the value of an [`RwLock`]; unlocks when dropped.
#[must_use = "the lock is given up at once when this is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    held: ErasedHeld<'a, T, ExclusiveMode>,
    /// Borrows the value like `&mut`, so that `T` is invariant.
    value: PhantomData<&'a mut T>,
}

/// The right to change a part of the value of an [`RwLock`]; unlocks when dropped.
#[must_use = "the lock is given up at once when this is dropped"]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    held: ErasedHeld<'a, T, ExclusiveMode>,
    /// Borrows the part like `&mut`, so that `T` is invariant.
    part: PhantomData<&'a mut T>,
}

guard_traits! {
    ['a, T: ?Sized] RwLockReadGuard<'a, T> => T;
    ['a, T: ?Sized] RwLockWriteGuard<'a, T> => mut T;
    ['a, T: ?Sized] RwLockMappedWriteGuard<'a, T> => mut T;
}

// A read guard is like `&T`. A write guard is like `&mut T`, and may become a read guard, so that
// other threads read the value while it lives: hence `Send` needs `Sync` too.

// SAFETY: see above.
unsafe impl<T: ?Sized + Sync> Send for RwLockReadGuard<'_, T> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockReadGuard<'_, T> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockWriteGuard<'_, T> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockWriteGuard<'_, T> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockMappedWriteGuard<'_, T> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockMappedWriteGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// Narrows the guard to a part of what it shows.
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard {
            held: this.held.map(f),
        }
    }

    /// Narrows the guard to a part of what it shows, if `f` finds it.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(RwLockReadGuard { held }),
            Err(held) => Err(Self { held }),
        }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    pub(super) fn new(held: Held<&'a RwLock<T>, T, ExclusiveMode>) -> Self {
        Self {
            held: held.erase(|lock| &lock.semaphore),
            value: PhantomData,
        }
    }

    /// Narrows the guard to a part of the value.
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard {
            held: this.held.map(f),
            part: PhantomData,
        }
    }

    /// Narrows the guard to a part of the value, if `f` finds it.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(RwLockMappedWriteGuard {
                held,
                part: PhantomData,
            }),
            Err(held) => Err(Self {
                held,
                value: PhantomData,
            }),
        }
    }

    /// The same guard as a mapped one.
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockMappedWriteGuard {
            held: this.held,
            part: PhantomData,
        }
    }

    /// Lets other readers in, without letting a writer in between.
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        Self::downgrade_map(self, |value| value)
    }

    /// [`downgrade`](Self::downgrade) to a part of the value, which `f` chooses before.
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard {
            held: this.held.downgrade_map(f),
        }
    }

    /// [`downgrade_map`](Self::downgrade_map), if `f` finds the part.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match this.held.try_downgrade_map(f) {
            Ok(held) => Ok(RwLockReadGuard { held }),
            Err(held) => Err(Self {
                held,
                value: PhantomData,
            }),
        }
    }
}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    /// Narrows the guard to a part of what it shows.
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard {
            held: this.held.map(f),
            part: PhantomData,
        }
    }

    /// Narrows the guard to a part of what it shows, if `f` finds it.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(RwLockMappedWriteGuard {
                held,
                part: PhantomData,
            }),
            Err(held) => Err(Self {
                held,
                part: PhantomData,
            }),
        }
    }
}
