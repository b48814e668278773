//! One value that changes, and tasks that want to see the latest: [`channel`].
//!
//! The value lies under a reader-writer lock. Beside it, a version word says whether a receiver
//! has seen it; senders bump the version under the write lock, and wake after it.

pub mod error;
mod receiver;
mod sender;
mod version;

use std::fmt;
use std::ops::Deref;
use std::sync::PoisonError;

use yamanote_base::atomic::{Arc, AtomicUsize, Ordering, RawRwLock, RawRwLockReadGuard};

use crate::notify::Notify;
use version::{Version, VersionWord};

pub use receiver::Receiver;
pub use sender::Sender;

/// A channel that holds `init` until something else is sent.
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(init);
    let receiver = sender.subscribe();
    (sender, receiver)
}

/// A look at the value, which no sender can change meanwhile: drop it soon.
#[derive(Debug)]
pub struct Ref<'a, T> {
    value: RawRwLockReadGuard<'a, T>,
    has_changed: bool,
}

impl<T> Ref<'_, T> {
    /// Whether the receiver had not marked this value as seen when it took the look.
    pub fn has_changed(&self) -> bool {
        self.has_changed
    }
}

impl<T> Deref for Ref<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// What senders and receivers of a channel have in common.
struct WatchState<T> {
    /// Written under its lock; user code runs under it only where the API says so.
    value: RawRwLock<T>,
    version: VersionWord,
    senders: AtomicUsize,
    receivers: AtomicUsize,
    /// Told when the version changes or the last sender goes.
    changed: Notify,
    /// Told when the last receiver goes.
    abandoned: Notify,
}

impl<T> WatchState<T> {
    fn new(value: T) -> Arc<Self> {
        Arc::new(Self {
            value: RawRwLock::new(value),
            version: VersionWord::new(),
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(0),
            changed: Notify::new(),
            abandoned: Notify::new(),
        })
    }

    /// The value and its version, which does not change while the value is looked at.
    fn read(&self) -> (RawRwLockReadGuard<'_, T>, Version) {
        // A closure that panicked under the lock left a value all the same.
        let value = self.value.read().unwrap_or_else(PoisonError::into_inner);
        let (version, _) = self.version.load();
        (value, version)
    }

    fn receiver_count(&self) -> usize {
        // Acquire: pairs with the Release in Receiver::drop(): who sees it gone sees what it did.
        self.receivers.load(Ordering::Acquire)
    }
}

impl<T> fmt::Debug for WatchState<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, is_closed) = self.version.load();
        f.debug_struct("Watch")
            .field("version", &version)
            .field("is_closed", &is_closed)
            .field("receivers", &self.receiver_count())
            .finish()
    }
}
