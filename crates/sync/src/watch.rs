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
///
/// It holds one value, the latest: who was busy while several were sent sees the last of them.
/// Every receiver remembers which value it has seen, and can wait for another one; `init` counts
/// as seen by the first.
///
/// ```
/// use tokio::sync::watch;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (tx, mut rx) = watch::channel("starting");
/// let watching = tokio::spawn(async move {
///     let mut seen = vec![*rx.borrow_and_update()];
///     while rx.changed().await.is_ok() {
///         seen.push(*rx.borrow_and_update());
///     }
///     seen
/// });
/// tokio::task::yield_now().await;
/// tx.send("running").unwrap();
/// tx.send("stopping").unwrap(); // before the other looked
/// drop(tx);
/// assert_eq!(watching.await.unwrap(), ["starting", "stopping"]);
/// # }
/// ```
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(init);
    let receiver = sender.subscribe();
    (sender, receiver)
}

/// A look at the value, under the channel's reader-writer lock.
///
/// While it lives, senders block their threads, and so may receivers that look when a sender
/// waits already: two looks on one thread at once can be a deadlock. Copy or clone what you need,
/// drop it soon, and never keep it across an `await`:
///
/// ```
/// let (_tx, rx) = tokio::sync::watch::channel(vec![1, 2]);
/// let sum: i32 = rx.borrow().iter().sum(); // the look ends with the statement
/// assert_eq!(sum, 3);
/// ```
#[derive(Debug)]
pub struct Ref<'a, T> {
    value: RawRwLockReadGuard<'a, T>,
    has_changed: bool,
}

impl<T> Ref<'_, T> {
    /// Whether the value was new to the receiver when it took the look; never to a sender.
    ///
    /// ```
    /// let (tx, mut rx) = tokio::sync::watch::channel(0);
    /// assert!(!rx.borrow().has_changed());
    /// tx.send(1).unwrap();
    /// assert!(rx.borrow_and_update().has_changed());
    /// assert!(!rx.borrow_and_update().has_changed());
    /// ```
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
