//! Every value to every receiver, through a ring that overwrites what slow ones missed:
//! [`channel`].
//!
//! Lock order: the tail, then a slot. A value is cloned under the lock of its slot, so that no
//! two receivers clone it at once (`T` need not be `Sync`); it is dropped under no lock.

pub mod error;
mod receiver;
mod ring;
mod sender;

use yamanote_base::atomic::{Arc, AtomicUsize, Ordering};

use crate::notify::Notify;
use ring::Ring;

pub use receiver::Receiver;
pub use sender::{Sender, WeakSender};

/// A channel that keeps the last `capacity` values, rounded up to a power of two.
///
/// # Panics
/// If `capacity` is 0 or more than `usize::MAX / 2`.
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let sender = Sender::new(capacity);
    let receiver = sender.subscribe();
    (sender, receiver)
}

/// What senders and receivers of a channel have in common.
struct BroadcastState<T> {
    ring: Ring<T>,
    senders: AtomicUsize,
    weak_senders: AtomicUsize,
    /// Told when the last receiver goes.
    abandoned: Notify,
}

impl<T> BroadcastState<T> {
    fn new(ring: Ring<T>) -> Arc<Self> {
        Arc::new(Self {
            ring,
            senders: AtomicUsize::new(1),
            weak_senders: AtomicUsize::new(0),
            abandoned: Notify::new(),
        })
    }

    fn strong_count(&self) -> usize {
        // Acquire: pairs with the Release in Sender::drop(): who sees it gone sees its values.
        self.senders.load(Ordering::Acquire)
    }

    fn weak_count(&self) -> usize {
        // Relaxed: a number for the eye, which publishes nothing.
        self.weak_senders.load(Ordering::Relaxed)
    }
}
