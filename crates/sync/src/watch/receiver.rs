//! The receiver of a watch channel: [`Receiver`].

use std::fmt;

use yamanote_base::atomic::{Arc, Ordering};

use super::error::RecvError;
use super::version::Version;
use super::{Ref, WatchState};
use crate::coop::charged;

/// Sees the latest value; made by [`channel`](super::channel) and
/// [`Sender::subscribe`](super::Sender::subscribe).
///
/// A clone counts as seen what this one has seen, and from then on for itself.
pub struct Receiver<T> {
    state: Arc<WatchState<T>>,
    /// The version that counts as seen.
    seen: Version,
}

impl<T> Receiver<T> {
    pub(super) fn new(state: &Arc<WatchState<T>>, seen: Version) -> Self {
        // Relaxed: publishes nothing; whoever made the state known to this thread ordered it.
        state.receivers.fetch_add(1, Ordering::Relaxed);
        Self {
            state: state.clone(),
            seen,
        }
    }

    /// The current value, without marking it as seen.
    ///
    /// In a loop around [`changed`](Self::changed), take
    /// [`borrow_and_update`](Self::borrow_and_update): a value that comes between the two is not
    /// reported again then. Senders block while the [`Ref`] lives.
    ///
    /// ```
    /// let (_tx, rx) = tokio::sync::watch::channel("init");
    /// assert_eq!(*rx.borrow(), "init");
    /// ```
    pub fn borrow(&self) -> Ref<'_, T> {
        let (value, version) = self.state.read();
        Ref {
            value,
            has_changed: version != self.seen,
        }
    }

    /// The current value, which counts as seen from now on.
    ///
    /// Senders block while the [`Ref`] lives.
    ///
    /// ```
    /// let (tx, mut rx) = tokio::sync::watch::channel(0);
    /// tx.send(1).unwrap();
    /// assert_eq!(*rx.borrow_and_update(), 1);
    /// assert!(!rx.has_changed().unwrap());
    /// ```
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let (value, version) = self.state.read();
        let has_changed = version != self.seen;
        self.seen = version;
        Ref { value, has_changed }
    }

    /// Whether there is a value that was not seen. Marks nothing.
    ///
    /// # Errors
    /// When every sender was dropped, even if there is such a value: [`changed`](Self::changed)
    /// still reports it.
    ///
    /// ```
    /// let (tx, rx) = tokio::sync::watch::channel(0);
    /// assert!(!rx.has_changed().unwrap());
    /// tx.send(1).unwrap();
    /// assert!(rx.has_changed().unwrap());
    /// drop(tx);
    /// assert!(rx.has_changed().is_err());
    /// ```
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        let (version, is_closed) = self.state.version.load();
        if is_closed {
            return Err(RecvError(()));
        }
        Ok(version != self.seen)
    }

    /// Whether every sender was dropped: the value is the last one.
    pub fn is_closed(&self) -> bool {
        self.state.version.load().1
    }

    /// Makes the current value count as not seen, so that [`changed`](Self::changed) returns at
    /// once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (_tx, mut rx) = tokio::sync::watch::channel(0);
    /// rx.mark_changed();
    /// rx.changed().await.unwrap(); // for the initial value too
    /// # }
    /// ```
    pub fn mark_changed(&mut self) {
        self.seen = self.state.version.load().0.previous();
    }

    /// Makes the current value count as seen, without a look at it.
    ///
    /// ```
    /// let (tx, mut rx) = tokio::sync::watch::channel(0);
    /// tx.send(1).unwrap();
    /// rx.mark_unchanged();
    /// assert!(!rx.has_changed().unwrap());
    /// ```
    pub fn mark_unchanged(&mut self) {
        self.seen = self.state.version.load().0;
    }

    /// Waits for a value that was not seen, and marks it as seen.
    ///
    /// *Cancel safety:* dropping the future marks nothing as seen.
    ///
    /// # Errors
    /// When every sender was dropped, and the last value was seen.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, mut rx) = tokio::sync::watch::channel(0);
    /// tx.send(1).unwrap();
    /// drop(tx);
    /// assert!(rx.changed().await.is_ok()); // 1 was not seen
    /// assert!(rx.changed().await.is_err());
    /// # }
    /// ```
    pub async fn changed(&mut self) -> Result<(), RecvError> {
        charged(next_version(&self.state, &mut self.seen)).await
    }

    /// Waits until `f` accepts the value, which is marked as seen; the current one will do.
    ///
    /// `f` sees the values that are there when this looks, not each that is sent. It runs under
    /// the channel's lock: it must be quick, and not touch the channel. Senders block while the
    /// [`Ref`] lives.
    ///
    /// *Cancel safety:* dropping the future only marks rejected values as seen.
    ///
    /// # Errors
    /// When every sender was dropped, and `f` rejected the last value.
    ///
    /// # Panics
    /// If `f` does; the channel goes on.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, mut rx) = tokio::sync::watch::channel(0);
    /// let counting = tokio::spawn(async move {
    ///     (1..=9).for_each(|number| drop(tx.send_replace(number)));
    /// });
    /// assert!(*rx.wait_for(|number| *number > 5).await.unwrap() > 5);
    /// counting.await.unwrap();
    /// assert!(rx.wait_for(|number| *number > 9).await.is_err());
    /// # }
    /// ```
    pub async fn wait_for(
        &mut self,
        mut f: impl FnMut(&T) -> bool,
    ) -> Result<Ref<'_, T>, RecvError> {
        let (state, seen) = (&*self.state, &mut self.seen);
        charged(async {
            let mut is_closed = false;
            // Each turn but the last is a value that was rejected.
            loop {
                if let Some(value) = look(state, seen, is_closed, &mut f) {
                    return Ok(value);
                }
                if is_closed {
                    return Err(RecvError(()));
                }
                is_closed = next_version(state, seen).await.is_err();
            }
        })
        .await
    }

    /// Whether both receive from the same channel.
    ///
    /// ```
    /// let (_tx, rx) = tokio::sync::watch::channel(0);
    /// assert!(rx.same_channel(&rx.clone()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self::new(&self.state, self.seen)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // AcqRel: Release pairs with the Acquire in receiver_count(); Acquire: the last one
        // passes on what all others did.
        if self.state.receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.state.abandoned.notify_waiters();
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("state", &self.state)
            .field("seen", &self.seen)
            .finish()
    }
}

/// Marks the current value as seen, and returns it if `accept` does; of a closed channel, only if
/// it was not seen before.
fn look<'a, T>(
    state: &'a WatchState<T>,
    seen: &mut Version,
    is_closed: bool,
    accept: impl FnOnce(&T) -> bool,
) -> Option<Ref<'a, T>> {
    let (value, version) = state.read();
    let has_changed = version != *seen;
    *seen = version;
    ((!is_closed || has_changed) && accept(&value)).then_some(Ref { value, has_changed })
}

/// Waits for a version that was not seen, and marks it as seen.
async fn next_version<T>(state: &WatchState<T>, seen: &mut Version) -> Result<(), RecvError> {
    // Two turns at most: once told, the version differs or the channel is closed.
    loop {
        if let Some(seen_or_closed) = see(state, seen) {
            return seen_or_closed;
        }
        let changed = state.changed.wait();
        // Once more: of what came before the wait began, it does not hear.
        if let Some(seen_or_closed) = see(state, seen) {
            return seen_or_closed;
        }
        changed.await;
    }
}

/// Marks a version that was not seen as seen; an error if there will not be any.
#[inline]
fn see<T>(state: &WatchState<T>, seen: &mut Version) -> Option<Result<(), RecvError>> {
    let (version, is_closed) = state.version.load();
    if version != *seen {
        *seen = version;
        return Some(Ok(()));
    }
    is_closed.then_some(Err(RecvError(())))
}
