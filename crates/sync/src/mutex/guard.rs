//! The guards of a [`Mutex`]: borrowed and owned, of the whole value and of a part.

use std::marker::PhantomData;
use std::sync::Arc;

use super::Mutex;
use crate::held::{ErasedHeld, Held, Locking, guard_traits};

/// The right to use the value of a [`Mutex`]; unlocks when dropped.
#[must_use = "the mutex unlocks at once when this is dropped"]
pub struct MutexGuard<'a, T: ?Sized>(pub(super) Held<&'a Mutex<T>, T, Locking<T>>);

/// The right to use a part of the value of a [`Mutex`]; unlocks when dropped.
///
/// Made by [`MutexGuard::map`].
#[must_use = "the mutex unlocks at once when this is dropped"]
pub struct MappedMutexGuard<'a, T: ?Sized>(ErasedHeld<'a, T, Locking<T>>);

/// A [`MutexGuard`] that keeps the mutex alive; made by [`Mutex::lock_owned`].
#[must_use = "the mutex unlocks at once when this is dropped"]
pub struct OwnedMutexGuard<T: ?Sized>(pub(super) Held<Arc<Mutex<T>>, T, Locking<T>>);

/// A [`MappedMutexGuard`] that keeps the mutex alive; made by [`OwnedMutexGuard::map`].
///
/// `T` is what the mutex protects, `U` what the guard shows. Threads share it if they may share
/// both.
#[must_use = "the mutex unlocks at once when this is dropped"]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T>(
    Held<Arc<Mutex<T>>, U, Locking<U>>,
    PhantomData<Box<T>>,
);

guard_traits! {
    ['a, T: ?Sized] MutexGuard<'a, T> => mut T;
    ['a, T: ?Sized] MappedMutexGuard<'a, T> => mut T;
    [T: ?Sized] OwnedMutexGuard<T> => mut T;
    [T: ?Sized, U: ?Sized] OwnedMappedMutexGuard<T, U> => mut U;
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Narrows the guard to a part of the value, which `f` chooses.
    ///
    /// ```
    /// use tokio::sync::{Mutex, MutexGuard};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let mutex = Mutex::new((1, "one"));
    /// let mut number = MutexGuard::map(mutex.lock().await, |pair| &mut pair.0);
    /// *number += 1;
    /// drop(number);
    /// assert_eq!(*mutex.lock().await, (2, "one"));
    /// # }
    /// ```
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard(this.0.map_mut(f).erase())
    }

    /// [`map`](Self::map), if `f` finds the part.
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    ///
    /// ```
    /// use tokio::sync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new(vec![1]);
    /// let vec = mutex.blocking_lock();
    /// let vec = MutexGuard::try_map(vec, |vec| vec.get_mut(1)).unwrap_err();
    /// let first = MutexGuard::try_map(vec, |vec| vec.first_mut()).unwrap();
    /// assert_eq!(*first, 1);
    /// ```
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let mapped = this.0.try_map_mut(f).map_err(Self)?;
        Ok(MappedMutexGuard(mapped.erase()))
    }

    /// The mutex that this guard locks.
    ///
    /// ```
    /// use tokio::sync::{Mutex, MutexGuard};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// async fn unlocked_and_locked(guard: MutexGuard<'_, u32>) -> MutexGuard<'_, u32> {
    ///     let mutex = MutexGuard::mutex(&guard);
    ///     drop(guard);
    ///     mutex.lock().await
    /// }
    /// let mutex = Mutex::new(1);
    /// assert_eq!(*unlocked_and_locked(mutex.lock().await).await, 1);
    /// # }
    /// ```
    #[inline]
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.0.lock()
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// Narrows the guard further, as [`MutexGuard::map`].
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard(this.0.map_mut(f))
    }

    /// Narrows the guard further, as [`MutexGuard::try_map`].
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        this.0.try_map_mut(f).map(MappedMutexGuard).map_err(Self)
    }
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// Narrows the guard to a part of the value, as [`MutexGuard::map`].
    #[inline]
    pub fn map<U, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedMappedMutexGuard(this.0.map_mut(f), PhantomData)
    }

    /// Narrows the guard to a part of the value, as [`MutexGuard::try_map`].
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    #[inline]
    pub fn try_map<U, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let mapped = this.0.try_map_mut(f).map_err(Self)?;
        Ok(OwnedMappedMutexGuard(mapped, PhantomData))
    }

    /// The mutex that this guard locks.
    #[inline]
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        this.0.lock()
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// Narrows the guard further, as [`MutexGuard::map`].
    #[inline]
    pub fn map<S, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        F: FnOnce(&mut U) -> &mut S,
    {
        OwnedMappedMutexGuard(this.0.map_mut(f), PhantomData)
    }

    /// Narrows the guard further, as [`MutexGuard::try_map`].
    ///
    /// # Errors
    /// The guard as it was, when `f` returns `None`.
    #[inline]
    pub fn try_map<S, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        let found = this.0.try_map_mut(f);
        let mapped = found.map_err(|held| Self(held, PhantomData))?;
        Ok(OwnedMappedMutexGuard(mapped, PhantomData))
    }
}
