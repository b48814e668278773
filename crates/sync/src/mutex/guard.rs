//! The guards of a [`Mutex`]: borrowed and owned, of the whole value and of a part.

use std::marker::PhantomData;
use std::sync::Arc;

use super::Mutex;
use crate::held::{ErasedHeld, ExclusiveMode, Held, guard_traits};

/// The right to use the value of a [`Mutex`]; unlocks when dropped.
#[must_use = "the mutex unlocks at once when this is dropped"]
pub struct MutexGuard<'a, T: ?Sized> {
    pub(super) held: Held<&'a Mutex<T>, T, ExclusiveMode>,
}

/// The right to use a part of the value of a [`Mutex`]; unlocks when dropped.
#[must_use = "the mutex unlocks at once when this is dropped"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    held: ErasedHeld<'a, T, ExclusiveMode>,
    /// Borrows the part like `&mut`, so that `T` is invariant.
    part: PhantomData<&'a mut T>,
}

/// A [`MutexGuard`] that keeps the mutex alive.
#[must_use = "the mutex unlocks at once when this is dropped"]
pub struct OwnedMutexGuard<T: ?Sized> {
    pub(super) held: Held<Arc<Mutex<T>>, T, ExclusiveMode>,
}

/// A [`MappedMutexGuard`] that keeps the mutex alive.
#[must_use = "the mutex unlocks at once when this is dropped"]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    held: Held<Arc<Mutex<T>>, U, ExclusiveMode>,
    /// The part may be read and replaced, so that `U` is invariant.
    part: PhantomData<*mut U>,
}

guard_traits! {
    ['a, T: ?Sized] MutexGuard<'a, T> => mut T;
    ['a, T: ?Sized] MappedMutexGuard<'a, T> => mut T;
    [T: ?Sized] OwnedMutexGuard<T> => mut T;
    [T: ?Sized, U: ?Sized] OwnedMappedMutexGuard<T, U> => mut U;
}

// A guard that moves to another thread moves the right to the value there, like `&mut T`: `Send`
// needs `T: Send`. A guard that is shared shares the value, like `&T`: `Sync` needs `T: Sync`.
// Guards that lead back to the mutex also need what a shared mutex needs: `T: Send`.

// SAFETY: see above.
unsafe impl<T: ?Sized + Send> Send for MutexGuard<'_, T> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send + Sync> Sync for MutexGuard<'_, T> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send> Send for MappedMutexGuard<'_, T> {}
// SAFETY: see above; it does not lead back to the mutex.
unsafe impl<T: ?Sized + Sync> Sync for MappedMutexGuard<'_, T> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send> Send for OwnedMutexGuard<T> {}
// SAFETY: see above.
unsafe impl<T: ?Sized + Send + Sync> Sync for OwnedMutexGuard<T> {}
// SAFETY: see above; dropping the last owner drops the `T`.
unsafe impl<T: ?Sized + Send, U: ?Sized + Send> Send for OwnedMappedMutexGuard<T, U> {}
// SAFETY: see above.
unsafe impl<T, U> Sync for OwnedMappedMutexGuard<T, U>
where
    T: ?Sized + Send + Sync,
    U: ?Sized + Send + Sync,
{
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Narrows the guard to a part of the value.
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard::new(this.held.map(f))
    }

    /// Narrows the guard to a part of the value, if `f` finds it.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(MappedMutexGuard::new(held)),
            Err(held) => Err(Self { held }),
        }
    }

    /// The mutex that this guard locks.
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.held.lock()
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    fn new<V: ?Sized>(held: Held<&'a Mutex<V>, T, ExclusiveMode>) -> Self {
        Self {
            held: held.erase(|mutex| &mutex.semaphore),
            part: PhantomData,
        }
    }

    /// Narrows the guard to a part of what it shows.
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard {
            held: this.held.map(f),
            part: PhantomData,
        }
    }

    /// Narrows the guard to a part of what it shows, if `f` finds it.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(MappedMutexGuard {
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

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// Narrows the guard to a part of the value.
    pub fn map<U, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedMappedMutexGuard {
            held: this.held.map(f),
            part: PhantomData,
        }
    }

    /// Narrows the guard to a part of the value, if `f` finds it.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_map<U, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(OwnedMappedMutexGuard {
                held,
                part: PhantomData,
            }),
            Err(held) => Err(Self { held }),
        }
    }

    /// The mutex that this guard locks.
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        this.held.lock()
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// Narrows the guard to a part of what it shows.
    pub fn map<S, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        F: FnOnce(&mut U) -> &mut S,
    {
        OwnedMappedMutexGuard {
            held: this.held.map(f),
            part: PhantomData,
        }
    }

    /// Narrows the guard to a part of what it shows, if `f` finds it.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    pub fn try_map<S, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        match this.held.try_map(f) {
            Ok(held) => Ok(OwnedMappedMutexGuard {
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
