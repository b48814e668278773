//! A channel that holds any number of values: [`unbounded_channel`].

use std::fmt;

use super::channel::{ChannelState, Quota, Tx, open};
use super::error::SendError;
use super::list::{Popper, Pusher};
use super::receiver::UnboundedReceiver;
use super::weak::WeakUnboundedSender;

/// A channel without a bound: sending never waits, and memory is the limit.
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (tx, rx) = open(Unbounded);
    (UnboundedSender { tx }, UnboundedReceiver { rx })
}

/// Sends to an unbounded channel; made by [`unbounded_channel`].
pub struct UnboundedSender<T> {
    pub(super) tx: Tx<T, Unbounded>,
}

/// No bound. The queue itself says when the channel is closed.
pub(super) struct Unbounded;

impl Quota for Unbounded {
    #[inline]
    fn give_back(&self, _: usize) {}

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
    /// Sends `value`, without waiting.
    ///
    /// # Errors
    /// When the receiver is closed or dropped.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.tx.push(value).map_err(SendError)
    }

    /// Waits until the receiver is closed or dropped.
    ///
    /// *Cancel safety:* dropping the future leaves no trace.
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
