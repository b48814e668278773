//! The receiver of a watch channel: [`Receiver`].

use std::fmt;

use yamanote_base::atomic::{Arc, Ordering};

use super::error::RecvError;
use super::version::Version;
use super::{Ref, WatchState};
use crate::coop::charged;

/// Sees the latest value; made by [`channel`](super::channel).
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
    /// Senders wait while the [`Ref`] lives: drop it soon, and not behind an `await`.
    pub fn borrow(&self) -> Ref<'_, T> {
        let (value, version) = self.state.read();
        Ref {
            value,
            has_changed: version != self.seen,
        }
    }

    /// The current value, which counts as seen from now on.
    ///
    /// Senders wait while the [`Ref`] lives: drop it soon, and not behind an `await`.
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let (value, version) = self.state.read();
        let has_changed = version != self.seen;
        self.seen = version;
        Ref { value, has_changed }
    }

    /// Whether there is a value that was not seen.
    ///
    /// # Errors
    /// When every sender was dropped.
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        let (version, is_closed) = self.state.version.load();
        if is_closed {
            return Err(RecvError(()));
        }
        Ok(version != self.seen)
    }

    /// Whether every sender was dropped.
    pub fn is_closed(&self) -> bool {
        self.state.version.load().1
    }

    /// Makes the current value count as not seen.
    pub fn mark_changed(&mut self) {
        self.seen = self.state.version.load().0.previous();
    }

    /// Makes the current value count as seen.
    pub fn mark_unchanged(&mut self) {
        self.seen = self.state.version.load().0;
    }

    /// Waits for a value that was not seen, and marks it as seen.
    ///
    /// *Cancel safety:* dropping the future marks nothing as seen.
    ///
    /// # Errors
    /// When every sender was dropped, and the last value was seen.
    pub async fn changed(&mut self) -> Result<(), RecvError> {
        charged(next_version(&self.state, &mut self.seen)).await
    }

    /// Waits until `f` accepts the value, which is marked as seen; the current one will do.
    ///
    /// `f` runs under the channel's lock.
    ///
    /// *Cancel safety:* dropping the future only marks rejected values as seen.
    ///
    /// # Errors
    /// When every sender was dropped, and `f` rejected the last value.
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
        // Before the look, so that a change in between is heard of.
        let changed = state.changed.wait();
        let (version, is_closed) = state.version.load();
        if version != *seen {
            *seen = version;
            return Ok(());
        }
        if is_closed {
            return Err(RecvError(()));
        }
        changed.await;
    }
}
