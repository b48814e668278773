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
/// Each value goes to every receiver that was there when it was sent. Sending never waits: when
/// the channel is full, the oldest value makes room, and a receiver that did not have it yet
/// *lags*. Its next receive says by [`Lagged`](error::RecvError::Lagged) how many values it
/// missed, and goes on with the oldest that is left. Values are cloned for each receiver (put
/// large ones into an `Arc`), and dropped once all have had them.
///
/// # Panics
/// If `capacity` is 0 or more than `usize::MAX / 2`.
///
/// ```
/// use tokio::sync::broadcast;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (tx, mut one) = broadcast::channel(16);
/// let mut two = tx.subscribe();
/// tx.send("hello").unwrap();
/// assert_eq!(one.recv().await, Ok("hello"));
/// assert_eq!(two.recv().await, Ok("hello"));
/// # }
/// ```
///
/// Who is slow hears of it, and can go on:
///
/// ```
/// use tokio::sync::broadcast::{self, error::RecvError};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (tx, mut rx) = broadcast::channel(2);
/// for number in 1..=5 {
///     tx.send(number).unwrap();
/// }
/// assert_eq!(rx.recv().await, Err(RecvError::Lagged(3)));
/// assert_eq!(rx.recv().await, Ok(4));
/// assert_eq!(rx.recv().await, Ok(5));
/// # }
/// ```
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
