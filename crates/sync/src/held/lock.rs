//! A value behind a semaphore, whichever lock's it is: [`Protected`]; and handles that lead there.
//!
//! One permit is the right to read, all of them the right to write; a mutex has but one.

use std::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::Arc;

use yamanote_base::{const_unless_model, waits};
use yamanote_trace::{Resource, op, resource, update};

use crate::semaphore::{AcquireError, PermitUse, RawSemaphore, TryLockError};

/// A value and the lock around it.
pub(crate) struct Protected<T: ?Sized> {
    core: LockCore,
    /// Reached by whoever holds a claim on `core`.
    value: UnsafeCell<T>,
}

/// A lock, whatever it protects. Its semaphore is never closed.
pub(crate) struct LockCore {
    semaphore: RawSemaphore,
    /// The permits of the semaphore: who has all of them excludes everybody else.
    permits: u32,
    kind: LockKind,
    resource: Resource,
}

/// How a lock is called where resources are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockKind {
    /// One holder at a time.
    Mutex,
    /// Many readers or one writer.
    RwLock,
}

/// What leads to a lock, and keeps it alive: by reference or by `Arc`.
pub(crate) trait LockHandle {
    /// The lock.
    fn core(&self) -> &LockCore;
}

/// A handle that also leads to the whole value.
pub(crate) trait WholeLock: LockHandle {
    /// What the lock protects.
    type Value: ?Sized;

    /// Where that is, for as long as the lock lives.
    fn value(&self) -> NonNull<Self::Value>;
}

/// A public lock type.
pub(crate) trait ProtectedLock {
    /// What it protects.
    type Value: ?Sized;

    /// Its one field.
    fn protected(&self) -> &Protected<Self::Value>;
}

impl<T> Protected<T> {
    const_unless_model! {
        /// A lock around `value` that is not listed, open: for statics.
        pub(crate) const fn unlisted(value: T, kind: LockKind, permits: u32) -> Self {
            let semaphore = RawSemaphore::new(permits as usize);
            let core = LockCore { semaphore, permits, kind, resource: Resource::none() };
            Self { core, value: UnsafeCell::new(value) }
        }
    }

    /// A lock around `value`, open.
    #[track_caller]
    pub(crate) fn new(value: T, kind: LockKind, permits: u32) -> Self {
        let core = match kind {
            LockKind::Mutex => LockCore::new_mutex(),
            LockKind::RwLock => LockCore::new_rwlock(permits),
        };
        let value = UnsafeCell::new(value);
        Self { core, value }
    }

    /// The value, out of the lock.
    pub(crate) fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Protected<T> {
    /// The lock without the value.
    pub(crate) fn core(&self) -> &LockCore {
        &self.core
    }

    /// The value; nobody else can be using it.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl LockCore {
    #[track_caller]
    fn new_mutex() -> Self {
        let resource = resource!("tokio::sync::mutex", "Mutex", "Sync");
        let semaphore = resource.in_scope(|| {
            tell_locked(false);
            RawSemaphore::listed(1)
        });
        Self {
            semaphore,
            permits: 1,
            kind: LockKind::Mutex,
            resource,
        }
    }

    #[track_caller]
    fn new_rwlock(permits: u32) -> Self {
        let resource = resource!("tokio::sync::rwlock", "RwLock", "Sync");
        resource.in_scope(|| {
            update!(max_readers = u64::from(permits));
            tell_write_locked(false);
            tell_readers(0, "override");
        });
        let semaphore = resource.in_scope(|| RawSemaphore::listed(permits as usize));
        Self {
            semaphore,
            permits,
            kind: LockKind::RwLock,
            resource,
        }
    }

    #[inline]
    fn permits_of(&self, exclusive: bool) -> usize {
        if exclusive { self.permits as usize } else { 1 }
    }

    /// Takes the right, within the task's budget, if that is possible without a wait.
    #[inline]
    pub(super) fn take_charged(&self, exclusive: bool) -> bool {
        self.semaphore.take_charged(self.permits_of(exclusive))
    }

    /// Waits for the right to read, or, if `exclusive`, to write. It cannot fail.
    #[inline]
    pub(super) fn acquire(
        &self,
        exclusive: bool,
        source: &'static str,
    ) -> impl Future<Output = Result<(), AcquireError>> {
        let op = match self.kind {
            LockKind::Mutex => op!("tokio::sync::mutex", &self.resource, source),
            LockKind::RwLock => op!("tokio::sync::rwlock", &self.resource, source),
        };
        let permit_use = match (self.kind, exclusive) {
            (LockKind::Mutex, _) => PermitUse::Mutex,
            (LockKind::RwLock, true) => PermitUse::Write,
            (LockKind::RwLock, false) => PermitUse::Read,
        };
        let wanted = self.permits_of(exclusive);
        let acquire = self.semaphore.acquire(wanted, permit_use);
        op.wrap("poll", acquire)
    }

    /// Takes the right at once or not at all.
    #[inline]
    pub(super) fn try_acquire(&self, exclusive: bool) -> Result<(), TryLockError> {
        let taken = self.semaphore.try_acquire(self.permits_of(exclusive));
        taken.map_err(|_| TryLockError(()))
    }

    /// Gives the right back; `waited` says whether whoever had it had to wait for it: then others
    /// most likely do.
    #[inline]
    pub(super) fn release(&self, exclusive: bool, waited: bool) {
        if exclusive {
            waits::note_given_back(|| self.semaphore.address());
        }
        let permits = self.permits_of(exclusive);
        self.semaphore.release_expecting(permits, waited);
        self.tell(exclusive, false);
    }

    /// Makes the right to write one to read, without letting a writer in between.
    pub(super) fn let_readers_in(&self) {
        waits::note_given_back(|| self.semaphore.address());
        self.semaphore.release(self.permits as usize - 1);
        self.tell(true, false);
        self.tell(false, true);
    }

    /// Tells who listens that the right is held, or no longer.
    #[inline]
    pub(super) fn tell(&self, exclusive: bool, held: bool) {
        if exclusive && held {
            waits::note_taken(|| self.semaphore.address());
        }
        self.resource.in_scope(|| match self.kind {
            LockKind::Mutex => tell_locked(held),
            LockKind::RwLock if exclusive => tell_write_locked(held),
            LockKind::RwLock => tell_readers(1, if held { "add" } else { "sub" }),
        });
    }
}

fn tell_locked(locked: bool) {
    update!(locked = locked, locked.op = "override");
}

fn tell_write_locked(locked: bool) {
    update!(write_locked = locked, write_locked.op = "override");
}

fn tell_readers(n: i64, op: &'static str) {
    update!(current_readers = n, current_readers.op = op);
}

impl LockHandle for &LockCore {
    #[inline]
    fn core(&self) -> &LockCore {
        self
    }
}

impl<L: ProtectedLock + ?Sized> LockHandle for &L {
    #[inline]
    fn core(&self) -> &LockCore {
        &self.protected().core
    }
}

impl<L: ProtectedLock + ?Sized> LockHandle for Arc<L> {
    #[inline]
    fn core(&self) -> &LockCore {
        &self.protected().core
    }
}

impl<L: ProtectedLock + ?Sized> WholeLock for &L {
    type Value = L::Value;

    #[inline]
    fn value(&self) -> NonNull<L::Value> {
        value(self.protected())
    }
}

impl<L: ProtectedLock + ?Sized> WholeLock for Arc<L> {
    type Value = L::Value;

    #[inline]
    fn value(&self) -> NonNull<L::Value> {
        value(self.protected())
    }
}

fn value<T: ?Sized>(protected: &Protected<T>) -> NonNull<T> {
    NonNull::new(protected.value.get()).expect("a cell has an address")
}

/// What every lock can do besides locking.
macro_rules! lock_traits {
    ($Lock:ident, $try_look:ident) => {
        impl<T: ?Sized> $crate::held::ProtectedLock for $Lock<T> {
            type Value = T;

            #[inline]
            fn protected(&self) -> &$crate::held::Protected<T> {
                &self.0
            }
        }

        impl<T> From<T> for $Lock<T> {
            #[track_caller]
            fn from(value: T) -> Self {
                Self::new(value)
            }
        }

        impl<T: Default> Default for $Lock<T> {
            #[track_caller]
            fn default() -> Self {
                Self::new(T::default())
            }
        }

        impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for $Lock<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut shown = f.debug_struct(stringify!($Lock));
                match self.$try_look() {
                    Ok(value) => shown.field("data", &&*value),
                    Err(_) => shown.field("data", &format_args!("<locked>")),
                };
                shown.finish()
            }
        }
    };
}

pub(crate) use lock_traits;
