//! Not an API: a layer of yamanote. How tasks share values, take turns and tell each other:
//! channels, locks, notifications.
//!
//! Knows nothing of tasks, timers or runtimes: everything here waits through a waker, and the two
//! things that need more (a deadline for `send_timeout`, the ban on blocking inside of a runtime)
//! come through `yamanote_base::{hooks, enter}`.
//!
//! ```text
//!                 base::wait (the one waiter list)
//!         ┌───────────────┼──────────────┬───────────────┐
//!   semaphore::raw      notify        broadcast       barrier
//!    │   │   │   └────────┐ └──────┬───────┬────────┐
//!  mutex │ rwlock     once_cell  watch  set_once   mpsc (closed)
//!    └ held ┘ └ mpsc (bounded: permits)      oneshot, mpsc: base::waker_cell or their own word
//! ```
//!
//! Which primitive is for what is told to users by the facade's `sync` page; each is documented
//! here, at its type or at its `channel` function.
//!
//! Read next: `semaphore/raw.rs` (the core of every lock), then `mpsc/list.rs` (the queue of
//! values) and `broadcast/ring.rs` (the queue that everybody reads).

mod coop;
mod held;
mod once_value;

mod notify;
mod semaphore;

mod barrier;
mod mutex;
mod once_cell;
mod rwlock;
mod set_once;

pub mod broadcast;
pub mod mpsc;
pub mod oneshot;
pub mod watch;

pub use barrier::{Barrier, BarrierWaitResult};
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::Notify;
pub use once_cell::{OnceCell, SetError};
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{
    AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit, TryAcquireError, TryLockError,
};
pub use set_once::{SetOnce, SetOnceError};

/// The futures of this module that have a name: to be stored, or polled by hand.
pub mod futures {
    pub use crate::notify::{Notified, OwnedNotified};
}
