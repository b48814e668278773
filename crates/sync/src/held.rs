//! What every lock guard is made of: permits of a lock and a pointer to what they protect.
//!
//! `Mutex` and `RwLock` have ten guard types; each is a thin shell around one [`Held`], which
//! alone knows how to reach the value, to narrow the view, and to unlock.

use std::marker::PhantomData;
use std::mem;
use std::ptr::NonNull;

use crate::semaphore::RawSemaphore;

/// How a guard holds on to its lock: by reference or by `Arc`.
pub(crate) trait LockHandle {
    /// The semaphore that the guard's permits belong to.
    fn semaphore(&self) -> &RawSemaphore;
}

impl LockHandle for &RawSemaphore {
    fn semaphore(&self) -> &RawSemaphore {
        self
    }
}

/// The guard may read, and others may too.
pub(crate) enum SharedMode {}

/// The guard may read and write, and nobody else may do either.
pub(crate) enum ExclusiveMode {}

/// Permits of a lock and a view of its value: all of it or a part.
pub(crate) struct Held<L: LockHandle, U: ?Sized, Mode> {
    claim: Claim<L>,
    view: NonNull<U>,
    mode: PhantomData<Mode>,
}

/// Permits that are given back when dropped.
struct Claim<L: LockHandle> {
    lock: L,
    permits: u32,
}

impl<L: LockHandle> Drop for Claim<L> {
    #[inline]
    fn drop(&mut self) {
        self.lock.semaphore().release(self.permits as usize);
    }
}

impl<L: LockHandle, U: ?Sized, Mode> Held<L, U, Mode> {
    /// Takes over `permits` of `lock`, and with them `view`.
    ///
    /// # Safety
    /// - The caller acquired `permits`, and gives up its right to release them.
    /// - `view` stays valid for as long as the lock that `lock` refers to.
    /// - While the permits are held: nobody else reads or writes `view` if `Mode` is
    ///   [`ExclusiveMode`], and nobody writes it if `Mode` is [`SharedMode`].
    #[inline]
    pub(crate) unsafe fn new(lock: L, permits: u32, view: NonNull<U>) -> Self {
        Self {
            claim: Claim { lock, permits },
            view,
            mode: PhantomData,
        }
    }

    /// The lock.
    pub(crate) fn lock(&self) -> &L {
        &self.claim.lock
    }

    /// The value.
    #[inline]
    pub(crate) fn get(&self) -> &U {
        // SAFETY: `new` was promised that nobody writes while the permits are held, but through
        // `get_mut`, which borrows the guard exclusively.
        unsafe { self.view.as_ref() }
    }

    fn with_view<V: ?Sized, M>(self, view: NonNull<V>) -> Held<L, V, M> {
        Held {
            claim: self.claim,
            view,
            mode: PhantomData,
        }
    }
}

impl<L: LockHandle, U: ?Sized> Held<L, U, SharedMode> {
    /// Narrows the view to a part of the value.
    pub(crate) fn map<V: ?Sized>(self, f: impl FnOnce(&U) -> &V) -> Held<L, V, SharedMode> {
        let view = NonNull::from(f(self.get()));
        self.with_view(view)
    }

    /// Narrows the view, if `f` finds the part.
    pub(crate) fn try_map<V: ?Sized>(
        self,
        f: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<Held<L, V, SharedMode>, Self> {
        match f(self.get()).map(NonNull::from) {
            Some(view) => Ok(self.with_view(view)),
            None => Err(self),
        }
    }
}

impl<L: LockHandle, U: ?Sized> Held<L, U, ExclusiveMode> {
    /// The value, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> &mut U {
        // SAFETY: `new` was promised that nobody else reads or writes while the permits are
        // held, and the guard is borrowed exclusively.
        unsafe { self.view.as_mut() }
    }

    /// Narrows the view to a part of the value.
    pub(crate) fn map<V: ?Sized>(
        mut self,
        f: impl FnOnce(&mut U) -> &mut V,
    ) -> Held<L, V, ExclusiveMode> {
        let view = NonNull::from(f(self.get_mut()));
        self.with_view(view)
    }

    /// Narrows the view, if `f` finds the part.
    pub(crate) fn try_map<V: ?Sized>(
        mut self,
        f: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<Held<L, V, ExclusiveMode>, Self> {
        match f(self.get_mut()).map(NonNull::from) {
            Some(view) => Ok(self.with_view(view)),
            None => Err(self),
        }
    }

    /// Lets other readers in; the view becomes what `f` chose before that.
    pub(crate) fn downgrade_map<V: ?Sized>(
        self,
        f: impl FnOnce(&U) -> &V,
    ) -> Held<L, V, SharedMode> {
        let view = NonNull::from(f(self.get()));
        self.downgrade_to(view)
    }

    /// Lets other readers in, if `f` finds the part that is to be the view.
    pub(crate) fn try_downgrade_map<V: ?Sized>(
        self,
        f: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<Held<L, V, SharedMode>, Self> {
        match f(self.get()).map(NonNull::from) {
            Some(view) => Ok(self.downgrade_to(view)),
            None => Err(self),
        }
    }

    fn downgrade_to<V: ?Sized>(mut self, view: NonNull<V>) -> Held<L, V, SharedMode> {
        let surplus = mem::replace(&mut self.claim.permits, 1) - 1;
        let shared: Held<L, V, SharedMode> = self.with_view(view);
        shared.claim.lock.semaphore().release(surplus as usize);
        shared
    }
}

impl<'a, L: LockHandle + Copy + 'a, U: ?Sized, Mode> Held<L, U, Mode> {
    /// Forgets the lock's type, of which a mapped guard only needs the semaphore.
    pub(crate) fn erase(self, f: impl FnOnce(L) -> &'a RawSemaphore) -> ErasedHeld<'a, U, Mode> {
        let (lock, permits) = (self.claim.lock, self.claim.permits);
        mem::forget(self.claim);
        Held {
            claim: Claim {
                lock: f(lock),
                permits,
            },
            view: self.view,
            mode: PhantomData,
        }
    }
}

/// A [`Held`] that knows no more of its lock than the semaphore.
pub(crate) type ErasedHeld<'a, U, Mode> = Held<&'a RawSemaphore, U, Mode>;

/// Makes guards around a `held` look like what they protect; `mut` ones may change it.
macro_rules! guard_traits {
    ($([$($gen:tt)*] $guard:ty => $($target:ident)+;)*) => {
        $(guard_traits! { @one [$($gen)*] $guard => $($target)+ })*
    };
    (@one [$($gen:tt)*] $guard:ty => mut $target:ident) => {
        guard_traits! { @one [$($gen)*] $guard => $target }

        impl<$($gen)*> std::ops::DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut $target {
                self.held.get_mut()
            }
        }
    };
    (@one [$($gen:tt)*] $guard:ty => $target:ident) => {
        impl<$($gen)*> std::ops::Deref for $guard {
            type Target = $target;

            #[inline]
            fn deref(&self) -> &$target {
                self.held.get()
            }
        }

        impl<$($gen)*> std::fmt::Debug for $guard where $target: std::fmt::Debug {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.held.get(), f)
            }
        }

        impl<$($gen)*> std::fmt::Display for $guard where $target: std::fmt::Display {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self.held.get(), f)
            }
        }
    };
}

pub(crate) use guard_traits;
