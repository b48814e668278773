//! The sender of a watch channel: [`Sender`].

use std::fmt;
use std::mem;
use std::sync::PoisonError;

use yamanote_base::atomic::{Arc, Ordering};

use super::error::SendError;
use super::receiver::Receiver;
use super::{Ref, WatchState};
use crate::coop::charged;

/// Changes the value; made by [`channel`](super::channel).
pub struct Sender<T> {
    state: Arc<WatchState<T>>,
}

impl<T> Sender<T> {
    /// A sender without a receiver yet.
    #[must_use]
    pub fn new(init: T) -> Self {
        Self {
            state: WatchState::new(init),
        }
    }

    /// Sends `value` to all receivers.
    ///
    /// # Errors
    /// When there is no receiver; the value stays as it was.
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        self.send_replace(value);
        Ok(())
    }

    /// Lets `modify` change the value, and tells all receivers.
    ///
    /// `modify` runs under the channel's lock. If it panics, nobody is told.
    pub fn send_modify<F>(&self, modify: F)
    where
        F: FnOnce(&mut T),
    {
        self.send_if_modified(|value| {
            modify(value);
            true
        });
    }

    /// Lets `modify` change the value, and tells all receivers if it returns `true`, which is
    /// also returned here.
    ///
    /// `modify` runs under the channel's lock. If it panics, nobody is told.
    pub fn send_if_modified<F>(&self, modify: F) -> bool
    where
        F: FnOnce(&mut T) -> bool,
    {
        // A closure that panicked under the lock left a value all the same.
        let mut value = self
            .state
            .value
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if !modify(&mut value) {
            return false;
        }
        self.state.version.bump();
        drop(value);
        self.state.changed.notify_waiters();
        true
    }

    /// Sends `value`, also if there is no receiver, and returns the one before.
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|current| mem::swap(current, &mut value));
        value
    }

    /// The current value.
    ///
    /// Senders wait while the [`Ref`] lives: drop it soon, and not behind an `await`.
    pub fn borrow(&self) -> Ref<'_, T> {
        let (value, _) = self.state.read();
        // A sender has no version of its own: to it, nothing is new.
        Ref {
            value,
            has_changed: false,
        }
    }

    /// Whether there is no receiver.
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
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
                if self.is_closed() {
                    return;
                }
                abandoned.await;
            }
        })
        .await;
    }

    /// A new receiver, for which the current value counts as seen.
    pub fn subscribe(&self) -> Receiver<T> {
        let (version, _) = self.state.version.load();
        Receiver::new(&self.state, version)
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.state.receiver_count()
    }

    /// How many senders there are.
    pub fn sender_count(&self) -> usize {
        // Relaxed: a number for the eye, which publishes nothing.
        self.state.senders.load(Ordering::Relaxed)
    }

    /// Whether both send to the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
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

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // AcqRel: the last sender passes on what all others did, through close().
        if self.state.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.state.version.close();
            self.state.changed.notify_waiters();
        }
    }
}

impl<T: Default> Default for Sender<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.state).finish()
    }
}
