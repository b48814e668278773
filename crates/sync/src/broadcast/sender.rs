//! The senders of a broadcast channel: [`Sender`], [`WeakSender`].

use std::fmt;

use yamanote_base::atomic::{Arc, Ordering};

use super::BroadcastState;
use super::error::SendError;
use super::receiver::Receiver;
use super::ring::Ring;

/// Sends to all receivers; made by [`channel`](super::channel) and [`new`](Self::new).
///
/// All senders may send at once; every receiver sees the values in the same order. The channel
/// closes when the last of them is dropped.
///
/// ```
/// use tokio::sync::broadcast;
///
/// let (tx, mut rx) = broadcast::channel(8);
/// let other = tx.clone();
/// tx.send(1).unwrap();
/// other.send(2).unwrap();
/// assert_eq!((rx.try_recv(), rx.try_recv()), (Ok(1), Ok(2)));
/// ```
pub struct Sender<T> {
    state: Arc<BroadcastState<T>>,
}

/// A [`Sender`] that does not keep the channel open; made by [`Sender::downgrade`].
///
/// For those who send now and then but shall not be what receivers wait for.
///
/// ```
/// use tokio::sync::broadcast::{self, error::TryRecvError};
///
/// let (tx, mut rx) = broadcast::channel::<u8>(8);
/// let weak = tx.downgrade();
/// weak.upgrade().unwrap().send(1).unwrap();
/// drop(tx);
/// assert!(weak.upgrade().is_none());
/// assert_eq!(rx.try_recv(), Ok(1));
/// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
/// ```
pub struct WeakSender<T> {
    state: Arc<BroadcastState<T>>,
}

impl<T> Sender<T> {
    /// A sender without a receiver yet, of a channel that keeps the last `capacity` values,
    /// rounded up to a power of two.
    ///
    /// # Panics
    /// If `capacity` is 0 or more than `usize::MAX / 2`.
    ///
    /// ```
    /// let tx = tokio::sync::broadcast::Sender::new(8);
    /// assert_eq!(tx.receiver_count(), 0);
    /// let mut rx = tx.subscribe();
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            state: BroadcastState::new(Ring::new(capacity)),
        }
    }

    /// Sends `value` to all receivers, whose number is returned.
    ///
    /// Never waits. If the channel is full, its oldest value is overwritten (and dropped here).
    /// That a receiver is there does not say that it will have the value: it can lag, or go.
    ///
    /// # Errors
    /// When there is no receiver; the value is in the error.
    ///
    /// ```
    /// let (tx, rx) = tokio::sync::broadcast::channel(8);
    /// let other = tx.subscribe();
    /// assert_eq!(tx.send(1).unwrap(), 2);
    /// drop((rx, other));
    /// assert!(tx.send(2).is_err());
    /// ```
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        self.state.ring.send(value).map_err(SendError)
    }

    /// A new receiver, which gets the values that are sent from now on.
    ///
    /// # Panics
    /// If there are more than `usize::MAX / 4` receivers.
    ///
    /// ```
    /// let (tx, mut rx) = tokio::sync::broadcast::channel(8);
    /// tx.send("before").unwrap();
    /// let mut late = tx.subscribe();
    /// tx.send("after").unwrap();
    /// assert_eq!(rx.try_recv(), Ok("before"));
    /// assert_eq!(late.try_recv(), Ok("after"));
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(&self.state)
    }

    /// A sender that does not keep the channel open: see [`WeakSender`].
    #[must_use = "downgrading alone has no effect"]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender::of(&self.state)
    }

    /// How many values the channel holds: those that some receiver is still to have.
    ///
    /// Costs a binary search over the channel, during which nobody can send.
    ///
    /// ```
    /// let (tx, mut rx) = tokio::sync::broadcast::channel(8);
    /// let mut other = tx.subscribe();
    /// tx.send(1).unwrap();
    /// tx.send(2).unwrap();
    /// rx.try_recv().unwrap();
    /// assert_eq!(tx.len(), 2); // the other had none
    /// other.try_recv().unwrap();
    /// assert_eq!(tx.len(), 1);
    /// ```
    pub fn len(&self) -> usize {
        self.state.ring.len()
    }

    /// Whether every receiver has had every value: [`len`](Self::len) is 0.
    pub fn is_empty(&self) -> bool {
        self.state.ring.is_empty()
    }

    /// How many receivers there are now; another thread can change that at any time.
    pub fn receiver_count(&self) -> usize {
        self.state.ring.receivers()
    }

    /// Whether both send to the same channel.
    ///
    /// ```
    /// let tx = tokio::sync::broadcast::Sender::<u8>::new(1);
    /// assert!(tx.same_channel(&tx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    /// Waits until there is no receiver; returns at once if there is none yet.
    ///
    /// *Cancel safety:* dropping the future leaves no trace.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, rx) = tokio::sync::broadcast::channel::<u8>(1);
    /// let hearing = tokio::spawn(async move { drop(rx) });
    /// tx.closed().await;
    /// assert_eq!(tx.receiver_count(), 0);
    /// hearing.await.unwrap();
    /// # }
    /// ```
    pub async fn closed(&self) {
        // Each turn is a receiver that went and another that came.
        loop {
            // Before the look, so that a receiver that goes in between is heard of.
            let abandoned = self.state.abandoned.wait();
            if self.receiver_count() == 0 {
                return;
            }
            abandoned.await;
        }
    }

    /// How many [`Sender`]s there are.
    pub fn strong_count(&self) -> usize {
        self.state.strong_count()
    }

    /// How many [`WeakSender`]s there are.
    pub fn weak_count(&self) -> usize {
        self.state.weak_count()
    }
}

impl<T> WeakSender<T> {
    fn of(state: &Arc<BroadcastState<T>>) -> Self {
        // Relaxed: see weak_count().
        state.weak_senders.fetch_add(1, Ordering::Relaxed);
        Self {
            state: state.clone(),
        }
    }

    /// A [`Sender`], unless the last one was dropped: a closed channel stays closed.
    #[must_use]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let more = |senders: usize| (senders > 0).then_some(senders + 1);
        // Relaxed: as in Sender::clone(); from zero there is no way back.
        let counted = self
            .state
            .senders
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        counted.ok().map(|_| Sender {
            state: self.state.clone(),
        })
    }

    /// How many [`Sender`]s there are.
    pub fn strong_count(&self) -> usize {
        self.state.strong_count()
    }

    /// How many [`WeakSender`]s there are.
    pub fn weak_count(&self) -> usize {
        self.state.weak_count()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        // Relaxed: the sender at hand keeps the count above zero.
        self.state.senders.fetch_add(1, Ordering::Relaxed);
        Self {
            state: self.state.clone(),
        }
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self::of(&self.state)
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // AcqRel: Release pairs with the Acquire in strong_count(); the last sender passes on
        // what all others did.
        if self.state.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.state.ring.close();
        }
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        // Relaxed: see weak_count().
        self.state.weak_senders.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::Sender")
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::WeakSender")
    }
}
