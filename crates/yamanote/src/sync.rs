//! What tasks share and how they tell each other: channels, locks, notifications.
//!
//! | between | is |
//! |---|---|
//! | one sender, one value, one receiver | [`oneshot`] |
//! | many senders, one receiver | [`mpsc`] |
//! | many senders, many receivers who all get each value | [`broadcast`] |
//! | many receivers who want the latest value only | [`watch`] |
//! | no value, "go on" | [`Notify`] |
//! | a value that tasks take turns with | [`Mutex`], [`RwLock`] |
//! | a limited number of anything | [`Semaphore`] |
//! | tasks that wait for each other | [`Barrier`] |
//! | a value that is made once | [`OnceCell`], [`SetOnce`] |
//!
//! All of it works in any runtime and without one. Nothing here blocks the thread, but for the
//! functions whose names begin with `blocking_`, and `watch`, whose value lies under a lock of
//! the usual kind.
//!
//! # Which one
//!
//! The answer to a request, or a task's one result, is a [`oneshot`]; requests to the task that
//! owns something (a connection, say) come through an [`mpsc`], each with a `oneshot` for its
//! answer. So often no lock is needed at all:
//!
//! ```
//! use yamanote::sync::{mpsc, oneshot};
//!
//! # #[yamanote::main(flavor = "current_thread")] async fn main() {
//! let (requests, mut inbox) = mpsc::channel::<(u64, oneshot::Sender<u64>)>(16);
//! yamanote::spawn(async move {
//!     let mut total = 0; // this task alone has it
//!     while let Some((amount, answer)) = inbox.recv().await {
//!         total += amount;
//!         let _ = answer.send(total); // who asked may have gone
//!     }
//! });
//! for (amount, expected) in [(5, 5), (7, 12)] {
//!     let (answer, total) = oneshot::channel();
//!     requests.send((amount, answer)).await.unwrap();
//!     assert_eq!(total.await, Ok(expected));
//! }
//! # }
//! ```
//!
//! Events that all shall have go through a [`broadcast`]; a state of which only the latest
//! matters (a configuration, "we are closing") through a [`watch`]:
//!
//! ```
//! use std::time::Duration;
//! use yamanote::sync::watch;
//!
//! # #[yamanote::main(flavor = "current_thread", start_paused = true)] async fn main() {
//! let (limit, mut limits) = watch::channel(Duration::from_secs(60));
//! let task = yamanote::spawn(async move {
//!     let mut waited = 0;
//!     loop {
//!         let limit = *limits.borrow_and_update();
//!         yamanote::select! {
//!             () = yamanote::time::sleep(limit) => return (limit, waited),
//!             Ok(()) = limits.changed() => waited += 1,
//!         }
//!     }
//! });
//! yamanote::task::yield_now().await;
//! limit.send(Duration::from_secs(1)).unwrap();
//! assert_eq!(task.await.unwrap(), (Duration::from_secs(1), 1));
//! # }
//! ```
//!
//! Where tasks do share a value: `std::sync::Mutex`, if it is never held across an `await`;
//! [`Mutex`] or [`RwLock`], if it is. A [`Semaphore`] limits how many do something at once:
//!
//! ```
//! use std::sync::Arc;
//! use yamanote::sync::Semaphore;
//!
//! # #[yamanote::main(flavor = "current_thread")] async fn main() {
//! let places = Arc::new(Semaphore::new(2));
//! let mut tasks = yamanote::task::JoinSet::new();
//! for _ in 0..10 {
//!     let place = places.clone().acquire_owned().await.unwrap();
//!     tasks.spawn(async move {
//!         // At most two are here at a time.
//!         drop(place);
//!     });
//! }
//! assert_eq!(tasks.join_all().await.len(), 10);
//! # }
//! ```

pub use yamanote_sync::{
    AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError,
};

pub use yamanote_sync::{
    MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard, TryLockError,
};

pub use yamanote_sync::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};

pub use yamanote_sync::{
    Barrier, BarrierWaitResult, Notify, OnceCell, SetError, SetOnce, SetOnceError,
};

/// Each value goes to every receiver; who is slow misses the oldest, and is told so.
///
/// [`channel`](broadcast::channel) says how; a value that nobody is to miss goes through one
/// [`mpsc`] for each receiver instead.
pub mod broadcast {
    pub use yamanote_sync::broadcast::{Receiver, Sender, WeakSender, channel};

    /// Why sending or receiving failed.
    pub mod error {
        pub use yamanote_sync::broadcast::error::{RecvError, SendError, TryRecvError};
    }
}

/// Many senders, one receiver, values in order.
pub mod mpsc {
    pub use yamanote_sync::mpsc::{
        OwnedPermit, Permit, PermitIterator, Receiver, Sender, UnboundedReceiver, UnboundedSender,
        WeakSender, WeakUnboundedSender, channel, unbounded_channel,
    };

    /// Why sending or receiving failed.
    pub mod error {
        pub use yamanote_sync::mpsc::error::{
            SendError, SendTimeoutError, TryRecvError, TrySendError,
        };
    }
}

/// One value, once.
pub mod oneshot {
    pub use yamanote_sync::oneshot::{Receiver, Sender, channel};

    /// Why receiving failed.
    pub mod error {
        pub use yamanote_sync::oneshot::error::{RecvError, TryRecvError};
    }
}

/// The latest value, for all who look; what they did not look at in time is gone.
///
/// [`channel`](watch::channel) says how; where each value matters, take a [`broadcast`].
pub mod watch {
    pub use yamanote_sync::watch::{Receiver, Ref, Sender, channel};

    /// Why sending or receiving failed.
    pub mod error {
        pub use yamanote_sync::watch::error::{RecvError, SendError};
    }
}

/// Futures that have a name: to be stored, or polled by hand.
pub mod futures {
    pub use yamanote_sync::futures::{Notified, OwnedNotified};
}
