//! What every lock guard is made of: a claim on a lock and a view of what it protects.
//!
//! `Mutex` and `RwLock` have ten guard types; each is a thin shell around one [`Held`], which
//! alone knows how to reach the value, to narrow the view, and to unlock. Its mode says what the
//! guard may do, and between which threads it may be sent or shared.

mod lock;

use std::marker::PhantomData;
use std::mem;
use std::ptr::NonNull;

use crate::semaphore::TryLockError;

pub(crate) use lock::lock_traits;
pub(crate) use lock::{LockCore, LockHandle, LockKind, Protected, ProtectedLock, WholeLock};

/// A claim on a lock and a view of its value: all of it or a part.
pub(crate) struct Held<L: LockHandle, U: ?Sized, M> {
    claim: Claim<L>,
    view: View<U, M>,
}

/// The right to the value, or to read it; given back when dropped.
struct Claim<L: LockHandle> {
    lock: L,
    exclusive: bool,
    /// Whether it had to be waited for.
    waited: bool,
}

/// Where the value is, or the part of it that a guard shows.
struct View<U: ?Sized, M> {
    part: NonNull<U>,
    mode: PhantomData<M>,
}

/// What a guard may do with what it shows.
pub(crate) trait Mode {
    /// Whether it may write, and excludes everybody else.
    const EXCLUSIVE: bool;
}

/// The mode of a guard that may write what it shows, of which it may become a part.
pub(crate) trait ExclusiveMode: Mode {
    /// The same mode for another part.
    type Of<V: ?Sized>: ExclusiveMode;
}

/// An `RwLock`'s reader: others may read too.
pub(crate) struct Reading;

/// An `RwLock`'s writer, which may become a reader. Invariant in what it shows.
pub(crate) struct Writing<U: ?Sized>(PhantomData<*mut U>);

/// Who holds a `Mutex`. Invariant in what it shows.
pub(crate) struct Locking<U: ?Sized>(PhantomData<*mut U>);

// A reader is like `&U`. To be shared, it also asks for `Send`, as a shared lock does.
// SAFETY: what is sent is a `&U`.
unsafe impl<U: ?Sized + Sync> Send for View<U, Reading> {}
// SAFETY: a shared one gives `&U` only.
unsafe impl<U: ?Sized + Send + Sync> Sync for View<U, Reading> {}
// A writer is like `&mut U`, and may become a reader while others read: `Sync` too.
// SAFETY: see above.
unsafe impl<U: ?Sized + Send + Sync> Send for View<U, Writing<U>> {}
// SAFETY: a shared one gives `&U` only.
unsafe impl<U: ?Sized + Send + Sync> Sync for View<U, Writing<U>> {}
// SAFETY: who holds a mutex is like a `&mut U`.
unsafe impl<U: ?Sized + Send> Send for View<U, Locking<U>> {}
// SAFETY: a shared one gives `&U` only.
unsafe impl<U: ?Sized + Sync> Sync for View<U, Locking<U>> {}

impl Mode for Reading {
    const EXCLUSIVE: bool = false;
}

impl<U: ?Sized> Mode for Writing<U> {
    const EXCLUSIVE: bool = true;
}

impl<U: ?Sized> Mode for Locking<U> {
    const EXCLUSIVE: bool = true;
}

impl<U: ?Sized> ExclusiveMode for Writing<U> {
    type Of<V: ?Sized> = Writing<V>;
}

impl<U: ?Sized> ExclusiveMode for Locking<U> {
    type Of<V: ?Sized> = Locking<V>;
}

impl<L: LockHandle> Drop for Claim<L> {
    #[inline]
    fn drop(&mut self) {
        self.lock.core().release(self.exclusive, self.waited);
    }
}

impl<L: WholeLock, M: Mode> Held<L, L::Value, M> {
    /// Takes `lock`, within the task's budget, if it need not wait; else gives it back.
    #[inline]
    pub(crate) fn take(lock: L) -> Result<Self, L> {
        match lock.core().take_charged(M::EXCLUSIVE) {
            true => Ok(Self::acquired(lock, false)),
            false => Err(lock),
        }
    }

    /// Waits for `lock`; `source` is what the wait is called where waits are listed.
    pub(crate) async fn wait(lock: L, source: &'static str) -> Self {
        let acquired = lock.core().acquire(M::EXCLUSIVE, source).await;
        acquired.expect("a lock never closes its semaphore");
        Self::acquired(lock, true)
    }

    /// Takes `lock` if it need not wait.
    pub(crate) fn try_take(lock: L) -> Result<Self, TryLockError> {
        lock.core().try_acquire(M::EXCLUSIVE)?;
        Ok(Self::acquired(lock, false))
    }

    /// The guard of what the caller has just acquired.
    #[inline]
    fn acquired(lock: L, waited: bool) -> Self {
        let part = lock.value();
        let claim = Claim {
            lock,
            exclusive: M::EXCLUSIVE,
            waited,
        };
        // Told with the claim in place: who listens may panic.
        claim.lock.core().tell(M::EXCLUSIVE, true);
        Self {
            claim,
            view: View::of(part),
        }
    }
}

impl<U: ?Sized, M> View<U, M> {
    #[inline]
    fn of(part: NonNull<U>) -> Self {
        let mode = PhantomData;
        Self { part, mode }
    }
}

impl<L: LockHandle, U: ?Sized, M> Held<L, U, M> {
    /// The lock.
    pub(crate) fn lock(&self) -> &L {
        &self.claim.lock
    }

    /// The value.
    #[inline]
    pub(crate) fn get(&self) -> &U {
        // SAFETY: the claim keeps writers out, but for this guard's `get_mut`, which borrows it
        // exclusively; and the lock that the claim refers to keeps the value in place.
        unsafe { self.view.part.as_ref() }
    }

    #[inline]
    fn with_part<V: ?Sized, N>(self, part: NonNull<V>) -> Held<L, V, N> {
        Held {
            claim: self.claim,
            view: View::of(part),
        }
    }
}

impl<L: LockHandle, U: ?Sized> Held<L, U, Reading> {
    /// Narrows the view to a part of the value.
    pub(crate) fn map<V: ?Sized>(self, f: impl FnOnce(&U) -> &V) -> Held<L, V, Reading> {
        let part = NonNull::from(f(self.get()));
        self.with_part(part)
    }

    /// Narrows the view, if `f` finds the part.
    pub(crate) fn try_map<V: ?Sized>(
        self,
        f: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<Held<L, V, Reading>, Self> {
        match f(self.get()).map(NonNull::from) {
            Some(part) => Ok(self.with_part(part)),
            None => Err(self),
        }
    }
}

impl<L: LockHandle, U: ?Sized, M: ExclusiveMode> Held<L, U, M> {
    /// The value, to be changed.
    #[inline]
    pub(crate) fn get_mut(&mut self) -> &mut U {
        // SAFETY: the claim is exclusive, as the mode says, and the guard is borrowed exclusively.
        unsafe { self.view.part.as_mut() }
    }

    /// Narrows the view to a part of the value.
    pub(crate) fn map_mut<V: ?Sized>(
        mut self,
        f: impl FnOnce(&mut U) -> &mut V,
    ) -> Held<L, V, M::Of<V>> {
        let part = NonNull::from(f(self.get_mut()));
        self.with_part(part)
    }

    /// Narrows the view, if `f` finds the part.
    pub(crate) fn try_map_mut<V: ?Sized>(
        mut self,
        f: impl FnOnce(&mut U) -> Option<&mut V>,
    ) -> Result<Held<L, V, M::Of<V>>, Self> {
        match f(self.get_mut()).map(NonNull::from) {
            Some(part) => Ok(self.with_part(part)),
            None => Err(self),
        }
    }
}

impl<L: LockHandle, U: ?Sized> Held<L, U, Writing<U>> {
    /// Lets other readers in; the view becomes what `f` chose before that.
    pub(crate) fn downgrade_map<V: ?Sized>(self, f: impl FnOnce(&U) -> &V) -> Held<L, V, Reading> {
        let part = NonNull::from(f(self.get()));
        self.downgrade_to(part)
    }

    /// Lets other readers in, if `f` finds the part that is to be the view.
    pub(crate) fn try_downgrade_map<V: ?Sized>(
        self,
        f: impl FnOnce(&U) -> Option<&V>,
    ) -> Result<Held<L, V, Reading>, Self> {
        match f(self.get()).map(NonNull::from) {
            Some(part) => Ok(self.downgrade_to(part)),
            None => Err(self),
        }
    }

    fn downgrade_to<V: ?Sized>(mut self, part: NonNull<V>) -> Held<L, V, Reading> {
        self.claim.exclusive = false;
        let reading: Held<L, V, Reading> = self.with_part(part);
        reading.claim.lock.core().let_readers_in();
        reading
    }
}

impl<'a, L: ProtectedLock + ?Sized, U: ?Sized, M> Held<&'a L, U, M> {
    /// Forgets the lock's type, of which a guard of a part knows nothing.
    pub(crate) fn erase(self) -> ErasedHeld<'a, U, M> {
        let Held { claim, view } = self;
        let lock = claim.lock.protected().core();
        let (exclusive, waited) = (claim.exclusive, claim.waited);
        mem::forget(claim);
        let claim = Claim {
            lock,
            exclusive,
            waited,
        };
        Held { claim, view }
    }
}

/// A [`Held`] that knows no more of its lock than what is common to all.
pub(crate) type ErasedHeld<'a, U, M> = Held<&'a LockCore, U, M>;

/// Takes a lock, in an `async fn`: the future of the wait, and what the wait is called where waits
/// are listed, are made only for who must wait.
macro_rules! held {
    ($lock:expr, $source:literal) => {
        'held: {
            // What was taken does not outlive this statement: the future can be shared where the
            // guard cannot.
            let lock = match $crate::held::Held::take($lock) {
                Ok(held) => break 'held held,
                Err(lock) => lock,
            };
            $crate::held::Held::wait(lock, $source).await
        }
    };
}

/// Makes guards, whose field is a [`Held`], look like what they protect; `mut` ones may change it.
macro_rules! guard_traits {
    ($([$($gen:tt)*] $guard:ty => $($target:ident)+;)*) => {
        $(guard_traits! { @one [$($gen)*] $guard => $($target)+ })*
    };
    (@one [$($gen:tt)*] $guard:ty => mut $target:ident) => {
        guard_traits! { @one [$($gen)*] $guard => $target }

        impl<$($gen)*> std::ops::DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut $target {
                self.0.get_mut()
            }
        }
    };
    (@one [$($gen:tt)*] $guard:ty => $target:ident) => {
        impl<$($gen)*> std::ops::Deref for $guard {
            type Target = $target;

            #[inline]
            fn deref(&self) -> &$target {
                self.0.get()
            }
        }

        impl<$($gen)*> std::fmt::Debug for $guard where $target: std::fmt::Debug {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.0.get(), f)
            }
        }

        impl<$($gen)*> std::fmt::Display for $guard where $target: std::fmt::Display {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self.0.get(), f)
            }
        }
    };
}

pub(crate) use {guard_traits, held};
