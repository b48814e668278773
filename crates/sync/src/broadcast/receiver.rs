//! The receiver of a broadcast channel: [`Receiver`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use yamanote_base::atomic::Arc;
use yamanote_base::wait::Waiter;
use yamanote_base::{block, budget};

use super::BroadcastState;
use super::error::{RecvError, TryRecvError};
use super::ring::Found;
use crate::coop::poll_charged;
use crate::notify::Notify;

/// Receives every value that is sent after it was made; made by [`channel`](super::channel),
/// [`Sender::subscribe`](super::Sender::subscribe) and [`resubscribe`](Self::resubscribe).
///
/// It holds up nobody: a receiver that is slow lags, as [`channel`](super::channel) tells. When
/// it is dropped, what only it had not received yet is dropped too.
///
/// It is not `Clone`, as it would not be clear where the other one begins: at the next value that
/// is sent, says `resubscribe`.
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

    /// How many values were sent that this receiver did not have yet.
    ///
    /// Overwritten ones count, until a receive has reported them: the number can be larger than
    /// the channel's capacity.
    ///
    /// ```
    /// let (tx, mut rx) = tokio::sync::broadcast::channel(2);
    /// (1..=3).for_each(|number| drop(tx.send(number)));
    /// assert_eq!(rx.len(), 3);
    /// assert!(rx.try_recv().is_err()); // lagged by 1
    /// assert_eq!(rx.len(), 2);
    /// ```
    pub fn len(&self) -> usize {
        self.state.ring.len_from(self.next)
    }

    /// Whether this receiver has had every value that was sent: [`len`](Self::len) is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both receive from the same channel.
    ///
    /// ```
    /// let (_tx, rx) = tokio::sync::broadcast::channel::<u8>(1);
    /// assert!(rx.same_channel(&rx.resubscribe()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    /// How many [`Sender`](super::Sender)s there are.
    pub fn sender_strong_count(&self) -> usize {
        self.state.strong_count()
    }

    /// How many [`WeakSender`](super::WeakSender)s there are.
    pub fn sender_weak_count(&self) -> usize {
        self.state.weak_count()
    }

    /// Whether every [`Sender`](super::Sender) was dropped: nothing more will be sent, but what
    /// was sent can still be received.
    ///
    /// ```
    /// let (tx, mut rx) = tokio::sync::broadcast::channel(1);
    /// tx.send(1).unwrap();
    /// drop(tx);
    /// assert!(rx.is_closed());
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
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
    /// [`Lagged`](RecvError::Lagged) when values were overwritten before this receiver had them:
    /// then the next call returns the oldest that is left. [`Closed`](RecvError::Closed) when all
    /// were received and every sender was dropped.
    ///
    /// # Panics
    /// If the value's `clone` does: it is passed over then.
    ///
    /// ```
    /// use tokio::sync::broadcast::{self, error::RecvError};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, mut rx) = broadcast::channel(4);
    /// let hearing = tokio::spawn(async move {
    ///     assert_eq!(rx.recv().await, Ok(1));
    ///     rx.recv().await
    /// });
    /// tx.send(1).unwrap();
    /// drop(tx);
    /// assert_eq!(hearing.await.unwrap(), Err(RecvError::Closed));
    /// # }
    /// ```
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        if let Some(value) = self.take_charged() {
            return Ok(value);
        }
        Recv {
            receiver: self,
            waiter: Waiter::new(()),
        }
        .await
    }

    /// The next value, if it was sent.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv), and [`Empty`](TryRecvError::Empty) when nothing was sent yet.
    ///
    /// # Panics
    /// As [`recv`](Self::recv).
    ///
    /// ```
    /// use tokio::sync::broadcast::{self, error::TryRecvError};
    ///
    /// let (tx, mut rx) = broadcast::channel(4);
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// drop(tx);
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let found = self.state.ring.find(self.next);
        take(&mut self.next, found)
    }

    /// [`recv`](Self::recv) for threads outside of a runtime: blocks until there is an answer.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks, and as [`recv`](Self::recv).
    ///
    /// ```
    /// let (tx, mut rx) = tokio::sync::broadcast::channel(4);
    /// let hearing = std::thread::spawn(move || rx.blocking_recv());
    /// tx.send(1).unwrap();
    /// assert_eq!(hearing.join().unwrap(), Ok(1));
    /// ```
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        block::block_on(self.recv())
    }

    /// A new receiver of the same channel, which gets the values that are sent from now on.
    ///
    /// ```
    /// let (tx, mut rx) = tokio::sync::broadcast::channel(4);
    /// tx.send(1).unwrap();
    /// let mut fresh = rx.resubscribe();
    /// tx.send(2).unwrap();
    /// assert_eq!((rx.try_recv(), fresh.try_recv()), (Ok(1), Ok(2)));
    /// ```
    pub fn resubscribe(&self) -> Self {
        Self::new(&self.state)
    }

    /// The next value, if it is there, and the task has budget left for it.
    #[inline]
    fn take_charged(&mut self) -> Option<T> {
        if !budget::current().has_remaining() {
            return None;
        }
        let found = Found::Value(self.state.ring.read(self.next)?);
        budget::spend();
        take(&mut self.next, found).ok()
    }
}

/// Clones what was found at position `next`, and moves that on.
fn take<T: Clone>(next: &mut u64, found: Found<'_, T>) -> Result<T, TryRecvError> {
    match found {
        Found::Value(value) => {
            // First: a value that cannot be cloned is not met again.
            *next = next.wrapping_add(1);
            Ok(T::clone(&value))
        }
        Found::Nothing => Err(TryRecvError::Empty),
        Found::Closed => Err(TryRecvError::Closed),
        Found::Overwritten(oldest) => {
            let missed = oldest.wrapping_sub(*next);
            *next = oldest;
            Err(TryRecvError::Lagged(missed))
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
            let Receiver { state, next } = &mut **this.receiver;
            let found = ready!(state.ring.poll_find(*next, this.waiter, cx));
            match take(next, found) {
                Ok(value) => Poll::Ready(Ok(value)),
                Err(TryRecvError::Empty) => Poll::Pending,
                Err(TryRecvError::Closed) => Poll::Ready(Err(RecvError::Closed)),
                Err(TryRecvError::Lagged(n)) => Poll::Ready(Err(RecvError::Lagged(n))),
            }
        })
    }
}
