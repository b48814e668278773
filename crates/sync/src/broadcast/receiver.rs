//! The receiver of a broadcast channel: [`Receiver`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;
use yamanote_base::atomic::Arc;
use yamanote_base::block;
use yamanote_base::wait::Waiter;

use super::BroadcastState;
use super::error::{RecvError, TryRecvError};
use super::ring::Found;
use crate::coop::poll_charged;
use crate::notify::Notify;

/// Receives every value that is sent after it was made; made by [`channel`](super::channel).
pub struct Receiver<T> {
    state: Arc<BroadcastState<T>>,
    /// The position of the next value.
    next: u64,
}

impl<T> Receiver<T> {
    pub(super) fn new(state: &Arc<BroadcastState<T>>) -> Self {
        let next = state.ring.subscribe();
        Self {
            state: state.clone(),
            next,
        }
    }

    /// How many values this receiver is still to have, counting those that were overwritten.
    pub fn len(&self) -> usize {
        self.state.ring.len_from(self.next)
    }

    /// Whether this receiver has had every value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both receive from the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    /// How many strong senders there are.
    pub fn sender_strong_count(&self) -> usize {
        self.state.strong_count()
    }

    /// How many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.state.weak_count()
    }

    /// Whether every strong sender was dropped.
    pub fn is_closed(&self) -> bool {
        self.sender_strong_count() == 0
    }
}

impl<T: Clone> Receiver<T> {
    /// Waits for the next value.
    ///
    /// *Cancel safety:* dropping the future loses no value.
    ///
    /// # Errors
    /// [`Lagged`](RecvError::Lagged) when values were overwritten, [`Closed`](RecvError::Closed)
    /// when there will be none.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        Recv {
            receiver: self,
            waiter: Waiter::new(()),
        }
        .await
    }

    /// The next value, if it was sent.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv), and when it was not sent yet.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.find(None, Waker::noop())
    }

    /// [`recv`](Self::recv) on the current thread.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        block::block_on(self.recv())
    }

    /// A new receiver, which gets the values that are sent from now on.
    pub fn resubscribe(&self) -> Self {
        Self::new(&self.state)
    }

    /// The next value; if it was not sent yet, queues `waiter`.
    fn find(
        &mut self,
        waiter: Option<Pin<&mut Waiter<()>>>,
        waker: &Waker,
    ) -> Result<T, TryRecvError> {
        match self.state.ring.find(self.next, waiter, waker) {
            Found::Value(value) => {
                // First: a value that cannot be cloned is not met again.
                self.next = self.next.wrapping_add(1);
                Ok(T::clone(&value))
            }
            Found::Nothing => Err(TryRecvError::Empty),
            Found::Closed => Err(TryRecvError::Closed),
            Found::Overwritten(oldest) => {
                let missed = oldest.wrapping_sub(self.next);
                self.next = oldest;
                Err(TryRecvError::Lagged(missed))
            }
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        /// Tells the senders, even if the drop of a value panicked.
        struct Tell<'a>(&'a Notify);

        impl Drop for Tell<'_> {
            fn drop(&mut self) {
                self.0.notify_waiters();
            }
        }

        let unsubscribed = self.state.ring.unsubscribe(self.next);
        let tell = unsubscribed.was_last.then(|| Tell(&self.state.abandoned));
        // First: who is told finds the ring empty.
        drop(unsubscribed);
        drop(tell);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::Receiver")
    }
}

pin_project! {
    struct Recv<'a, T> {
        receiver: &'a mut Receiver<T>,
        // Armed once it waited.
        #[pin]
        waiter: Waiter<()>,
    }

    impl<T> PinnedDrop for Recv<'_, T> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.is_armed() {
                this.receiver.state.ring.cancel(this.waiter);
            }
        }
    }
}

impl<T: Clone> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        poll_charged(cx, |cx| {
            match this.receiver.find(Some(this.waiter), cx.waker()) {
                Ok(value) => Poll::Ready(Ok(value)),
                Err(TryRecvError::Empty) => Poll::Pending,
                Err(TryRecvError::Closed) => Poll::Ready(Err(RecvError::Closed)),
                Err(TryRecvError::Lagged(n)) => Poll::Ready(Err(RecvError::Lagged(n))),
            }
        })
    }
}
