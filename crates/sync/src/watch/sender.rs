//! The sender of a watch channel: [`Sender`].

use std::fmt;
use std::mem;
use std::sync::PoisonError;

use yamanote_base::atomic::{Arc, Ordering};

use super::error::SendError;
use super::receiver::Receiver;
use super::{Ref, WatchState};
use crate::coop::charged;

/// Changes the value; made by [`channel`](super::channel) and [`new`](Self::new).
///
/// Changes of several senders come one after the other; the last one stays. The channel closes
/// when the last of them is dropped; receivers can still look then.
///
/// ```
/// use tokio::sync::watch;
///
/// let (tx, rx) = watch::channel(1);
/// let other = tx.clone();
/// tx.send(2).unwrap();
/// other.send_modify(|number| *number *= 10);
/// assert_eq!(*rx.borrow(), 20);
/// ```
pub struct Sender<T> {
    state: Arc<WatchState<T>>,
}

impl<T> Sender<T> {
    /// A sender without a receiver yet.
    ///
    /// ```
    /// let tx = tokio::sync::watch::Sender::new("init");
    /// assert!(tx.is_closed());
    /// assert_eq!(*tx.subscribe().borrow(), "init");
    /// ```
    #[must_use]
    pub fn new(init: T) -> Self {
        Self {
            state: WatchState::new(init),
        }
    }

    /// Sends `value` to all receivers, in place of the one before, which is dropped.
    ///
    /// Blocks the thread while somebody looks at the value through a [`Ref`]; so do all others
    /// here that send. Receivers are told even if `value` equals the one before.
    ///
    /// # Errors
    /// When there is no receiver: the value stays as it was, and the new one is in the error.
    /// [`send_replace`](Self::send_replace) does without receivers.
    ///
    /// ```
    /// let (tx, rx) = tokio::sync::watch::channel(0);
    /// tx.send(1).unwrap();
    /// assert_eq!(*rx.borrow(), 1);
    /// drop(rx);
    /// assert!(tx.send(2).is_err());
    /// assert_eq!(*tx.borrow(), 1);
    /// ```
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.is_closed() {
            return Err(SendError(value));
        }
        self.send_replace(value);
        Ok(())
    }

    /// Lets `modify` change the value, also if there is no receiver, and tells all receivers.
    ///
    /// `modify` runs under the channel's lock: it must be quick, and not touch the channel.
    ///
    /// # Panics
    /// If `modify` does: what it did to the value stays, but nobody is told.
    ///
    /// ```
    /// let (tx, rx) = tokio::sync::watch::channel(vec![1]);
    /// tx.send_modify(|list| list.push(2));
    /// assert_eq!(*rx.borrow(), [1, 2]);
    /// ```
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
    /// What it changes and returns `false` for stays, but counts as no change. `modify` runs under
    /// the channel's lock: it must be quick, and not touch the channel.
    ///
    /// # Panics
    /// If `modify` does: what it did to the value stays, but nobody is told.
    ///
    /// ```
    /// let (tx, rx) = tokio::sync::watch::channel(3);
    /// let raise_to = |new: i32| {
    ///     tx.send_if_modified(|highest| {
    ///         let raises = new > *highest;
    ///         *highest = new.max(*highest);
    ///         raises
    ///     })
    /// };
    /// assert!(!raise_to(2) && !rx.has_changed().unwrap());
    /// assert!(raise_to(4) && rx.has_changed().unwrap());
    /// ```
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
    ///
    /// ```
    /// let tx = tokio::sync::watch::Sender::new(1);
    /// assert_eq!(tx.send_replace(2), 1);
    /// assert_eq!(*tx.subscribe().borrow(), 2);
    /// ```
    pub fn send_replace(&self, mut value: T) -> T {
        self.send_modify(|current| mem::swap(current, &mut value));
        value
    }

    /// The current value.
    ///
    /// Senders block while the [`Ref`] lives, this one too: drop it before sending.
    ///
    /// ```
    /// let tx = tokio::sync::watch::Sender::new(1);
    /// let current = *tx.borrow();
    /// tx.send_replace(current + 1);
    /// assert_eq!(*tx.borrow(), 2);
    /// ```
    pub fn borrow(&self) -> Ref<'_, T> {
        let (value, _) = self.state.read();
        // A sender has no version of its own: to it, nothing is new.
        Ref {
            value,
            has_changed: false,
        }
    }

    /// Whether there is no receiver; [`subscribe`](Self::subscribe) can change that.
    pub fn is_closed(&self) -> bool {
        self.receiver_count() == 0
    }

    /// Waits until there is no receiver; returns at once if there is none yet.
    ///
    /// *Cancel safety:* dropping the future leaves no trace.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, rx) = tokio::sync::watch::channel(0);
    /// let watching = tokio::spawn(async move { drop(rx) });
    /// tx.closed().await;
    /// assert!(tx.is_closed());
    /// watching.await.unwrap();
    /// # }
    /// ```
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
    ///
    /// ```
    /// let tx = tokio::sync::watch::Sender::new(1);
    /// let rx = tx.subscribe();
    /// assert!(!rx.has_changed().unwrap());
    /// tx.send(2).unwrap();
    /// assert!(rx.has_changed().unwrap());
    /// ```
    pub fn subscribe(&self) -> Receiver<T> {
        let (version, _) = self.state.version.load();
        Receiver::new(&self.state, version)
    }

    /// How many receivers there are now; another thread can change that at any time.
    pub fn receiver_count(&self) -> usize {
        self.state.receiver_count()
    }

    /// How many senders there are now; another thread can change that at any time.
    pub fn sender_count(&self) -> usize {
        // Relaxed: a number for the eye, which publishes nothing.
        self.state.senders.load(Ordering::Relaxed)
    }

    /// Whether both send to the same channel.
    ///
    /// ```
    /// let tx = tokio::sync::watch::Sender::new(0);
    /// assert!(tx.same_channel(&tx.clone()));
    /// ```
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
