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
//! All of it works in any runtime and without one.

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

/// Each value goes to every receiver.
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

/// The latest value, for all who look.
pub mod watch {
    pub use yamanote_sync::watch::{Receiver, Ref, Sender, channel};

    /// Why sending or receiving failed.
    pub mod error {
        pub use yamanote_sync::watch::error::{RecvError, SendError};
    }
}

/// Futures that have a name.
pub mod futures {
    pub use yamanote_sync::futures::{Notified, OwnedNotified};
}
