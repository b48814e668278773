//! A channel that holds any number of values: [`unbounded_channel`].

use std::fmt;

use super::channel::{ChannelState, Quota, Tx, open};
use super::error::SendError;
use super::list::{Popper, Pusher};
use super::receiver::UnboundedReceiver;
use super::weak::WeakUnboundedSender;

/// A channel without a bound: sending never waits, and memory is the limit.
///
/// ```
/// use tokio::sync::mpsc;
///
/// let (tx, mut rx) = mpsc::unbounded_channel();
/// (0..1000).for_each(|i| tx.send(i).unwrap());
/// assert_eq!((rx.len(), rx.try_recv()), (1000, Ok(0)));
/// ```
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (tx, rx) = open(Unbounded);
    (UnboundedSender { tx }, UnboundedReceiver { rx })
}

/// Sends to an unbounded channel; made by [`unbounded_channel`], and cloned for each further task.
///
/// The channel stays open for the receiver as long as there is a sender.
pub struct UnboundedSender<T> {
    pub(super) tx: Tx<T, Unbounded>,
}

/// No bound. The queue itself says when the channel is closed.
pub(super) struct Unbounded;

impl Quota for Unbounded {
    #[inline]
    fn give_back(&self, _: usize, expects: bool) -> bool {
        expects
    }

    fn close<T>(popper: &mut Popper<T, ChannelState<Self>>) {
        popper.close();
    }

    fn is_closed<T>(pusher: &Pusher<T, ChannelState<Self>>) -> bool {
        pusher.is_closed()
    }

    fn is_over<T>(popper: &Popper<T, ChannelState<Self>>) -> bool {
        popper.is_drained()
    }
}

impl<T> UnboundedSender<T> {
    /// Sends `value`, without waiting: outside of tasks too.
    ///
    /// # Errors
    /// The value, when the receiver is closed or dropped.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    /// use tokio::sync::mpsc::error::SendError;
    ///
    /// let (tx, mut rx) = mpsc::unbounded_channel();
    /// assert_eq!(tx.send(1), Ok(()));
    /// rx.close();
    /// assert_eq!(tx.send(2), Err(SendError(2)));
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.tx.push(value).map_err(SendError)
    }

    /// Waits until the receiver is closed or dropped.
    ///
    /// *Cancel safety:* dropping the future leaves no trace.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, rx) = mpsc::unbounded_channel::<u8>();
    /// tokio::spawn(async move { drop(rx) });
    /// tx.closed().await;
    /// assert!(tx.is_closed());
    /// # }
    /// ```
    pub async fn closed(&self) {
        self.tx.closed().await;
    }

    /// Whether the receiver is closed or dropped.
    pub fn is_closed(&self) -> bool {
        self.tx.is_closed()
    }

    /// Whether both send to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.tx.same_channel(&other.tx)
    }

    /// A sender that does not keep the channel open.
    #[must_use = "downgrading alone has no effect"]
    pub fn downgrade(&self) -> WeakUnboundedSender<T> {
        WeakUnboundedSender {
            tx: self.tx.downgrade(),
        }
    }

    /// How many strong senders there are.
    pub fn strong_count(&self) -> usize {
        self.tx.channel().strong_count()
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.tx.channel().weak_count()
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        Self {
            tx: self.tx.clone(),
        }
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedSender")
            .field("is_closed", &self.is_closed())
            .finish()
    }
}
