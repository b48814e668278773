//! The senders of a broadcast channel: [`Sender`], [`WeakSender`].

use std::fmt;

use yamanote_base::atomic::{Arc, Ordering};

use super::BroadcastState;
use super::error::SendError;
use super::receiver::Receiver;
use super::ring::Ring;
use crate::coop::charged;

/// Sends to all receivers; made by [`channel`](super::channel).
pub struct Sender<T> {
    state: Arc<BroadcastState<T>>,
}

/// A [`Sender`] that does not keep the channel open.
pub struct WeakSender<T> {
    state: Arc<BroadcastState<T>>,
}

impl<T> Sender<T> {
    /// A sender without a receiver yet, of a channel that keeps the last `capacity` values,
    /// rounded up to a power of two.
    ///
    /// # Panics
    /// If `capacity` is 0 or more than `usize::MAX / 2`.
    #[track_caller]
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            state: BroadcastState::new(Ring::new(capacity)),
        }
    }

    /// Sends `value` to all receivers, whose number is returned.
    ///
    /// # Errors
    /// When there is no receiver.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        self.state.ring.send(value).map_err(SendError)
    }

    /// A new receiver, which gets the values that are sent from now on.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(&self.state)
    }

    /// A sender that does not keep the channel open.
    #[must_use = "downgrading alone has no effect"]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender::of(&self.state)
    }

    /// How many values some receiver is still to have.
    pub fn len(&self) -> usize {
        self.state.ring.len()
    }

    /// Whether every receiver has had every value.
    pub fn is_empty(&self) -> bool {
        self.state.ring.is_empty()
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.state.ring.receivers()
    }

    /// Whether both send to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    /// Waits until there is no receiver.
    ///
    /// *Cancel safety:* dropping the future leaves no trace.
    pub async fn closed(&self) {
        charged(async {
            // Each turn is a receiver that went and another that came.
            loop {
                // Before the look, so that a receiver that goes in between is heard of.
                let abandoned = self.state.abandoned.wait();
                if self.receiver_count() == 0 {
                    return;
                }
                abandoned.await;
            }
        })
        .await;
    }

    /// How many strong senders there are.
    pub fn strong_count(&self) -> usize {
        self.state.strong_count()
    }

    /// How many weak senders there are.
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

    /// A strong sender, unless the last one was dropped already.
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

    /// How many strong senders there are.
    pub fn strong_count(&self) -> usize {
        self.state.strong_count()
    }

    /// How many weak senders there are.
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
