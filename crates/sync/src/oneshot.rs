//! One value from one task to another: [`channel`].
//!
//! The answer to a request, the result of a job, the word to stop. For more than one value there
//! is [`mpsc`](crate::mpsc); for many who wait for the same value, [`SetOnce`](crate::SetOnce).
//!
//! A request that carries the way for its answer:
//!
//! ```
//! use tokio::sync::{mpsc, oneshot};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let (requests, mut inbox) = mpsc::channel::<(u32, oneshot::Sender<u32>)>(8);
//! tokio::spawn(async move {
//!     while let Some((n, answer)) = inbox.recv().await {
//!         let _ = answer.send(n * n); // who asked may have gone
//!     }
//! });
//! let (answer, square) = oneshot::channel();
//! requests.send((7, answer)).await.unwrap();
//! assert_eq!(square.await, Ok(49));
//! # }
//! ```

mod cell;
pub mod error;
mod span;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use yamanote_base::block;

use crate::coop::poll_charged;
use cell::{Received, ReceiverEnd, SenderEnd};
use error::{RecvError, TryRecvError};
use span::{ReceiverSpan, SenderSpan};

/// A channel for one value.
///
/// ```
/// use tokio::sync::oneshot;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (tx, rx) = oneshot::channel();
/// tokio::spawn(async move { tx.send("done") });
/// assert_eq!(rx.await, Ok("done"));
/// # }
/// ```
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = cell::pair();
    let (sender_span, receiver_span) = span::pair();
    let sender = Sender {
        end: sender,
        span: sender_span,
    };
    let receiver = Receiver {
        end: Some(receiver),
        span: receiver_span,
    };
    (sender, receiver)
}

/// Sends the one value; made by [`channel`].
///
/// Sending does not wait, so it works outside of tasks too. A sender that is dropped without
/// sending lets the receiver end with [`RecvError`].
pub struct Sender<T> {
    end: SenderEnd<T>,
    span: SenderSpan,
}

/// A future of the one value; made by [`channel`].
///
/// *Cancel safety:* poll it by `&mut`, and nothing is lost between polls.
///
/// *Panics* when it is polled after it gave its answer, be it by polling or by
/// [`try_recv`](Self::try_recv).
///
/// *Errors:* [`RecvError`] when the sender was dropped without sending, or the channel was
/// [closed](Self::close) before.
///
/// ```
/// use std::time::Duration;
/// use tokio::{sync::oneshot, time};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let (tx, mut rx) = oneshot::channel();
/// assert!(time::timeout(Duration::from_secs(1), &mut rx).await.is_err());
/// tx.send(1).unwrap();
/// assert_eq!(rx.await, Ok(1)); // waited for in two goes
///
/// let (tx, rx) = oneshot::channel::<u32>();
/// drop(tx);
/// assert_eq!(rx.await.unwrap_err().to_string(), "channel closed");
/// # }
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct Receiver<T> {
    /// `None` once an answer was given.
    end: Option<ReceiverEnd<T>>,
    span: ReceiverSpan,
}

impl<T> Sender<T> {
    /// Sends `value`, without waiting.
    ///
    /// That this succeeds does not say that the value arrives: the receiver may be dropped after.
    ///
    /// # Errors
    /// `value`, when the receiver is closed or dropped.
    ///
    /// ```
    /// let (tx, rx) = tokio::sync::oneshot::channel();
    /// drop(rx);
    /// assert_eq!(tx.send(1), Err(1));
    /// ```
    pub fn send(self, value: T) -> Result<(), T> {
        let Self { end, span } = self;
        end.send(value)?;
        span.sent();
        Ok(())
    }

    /// Waits until the receiver is closed or dropped: nobody wants the value any more.
    ///
    /// *Cancel safety:* dropping the future loses nothing.
    ///
    /// Work that stops when its result is not wanted:
    ///
    /// ```
    /// use tokio::sync::oneshot;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (mut tx, rx) = oneshot::channel::<u32>();
    /// let job = tokio::spawn(async move {
    ///     tokio::select! {
    ///         () = tx.closed() => "stopped",
    ///         () = std::future::pending() => "finished",
    ///     }
    /// });
    /// drop(rx);
    /// assert_eq!(job.await.unwrap(), "stopped");
    /// # }
    /// ```
    pub async fn closed(&mut self) {
        poll_fn(|cx| self.poll_closed(cx)).await;
    }

    /// Whether the receiver is closed or dropped; once so, for good.
    ///
    /// ```
    /// let (tx, rx) = tokio::sync::oneshot::channel::<u32>();
    /// assert!(!tx.is_closed());
    /// drop(rx);
    /// assert!(tx.is_closed());
    /// ```
    pub fn is_closed(&self) -> bool {
        self.end.is_closed()
    }

    /// [`closed`](Self::closed) for futures written by hand; only the last task that asked is
    /// woken.
    ///
    /// ```
    /// use std::future::poll_fn;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (mut tx, mut rx) = tokio::sync::oneshot::channel::<u32>();
    /// rx.close();
    /// poll_fn(|cx| tx.poll_closed(cx)).await;
    /// # }
    /// ```
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        poll_charged(cx, |cx| self.end.poll_closed(cx))
    }
}

impl<T> Receiver<T> {
    /// Lets the sender send no more; a value that was sent before can still be received.
    ///
    /// ```
    /// use tokio::sync::oneshot::{self, error::TryRecvError};
    ///
    /// let (tx, mut rx) = oneshot::channel();
    /// rx.close();
    /// assert_eq!(tx.send(1), Err(1));
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    ///
    /// let (tx, mut rx) = oneshot::channel();
    /// tx.send(1).unwrap();
    /// rx.close();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// ```
    pub fn close(&mut self) {
        if let Some(end) = &mut self.end {
            end.close();
        }
    }

    /// Whether an answer was given already: to poll again would panic.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, mut rx) = tokio::sync::oneshot::channel();
    /// tx.send(1).unwrap();
    /// assert!(!rx.is_terminated());
    /// assert_eq!((&mut rx).await, Ok(1));
    /// assert!(rx.is_terminated());
    /// # }
    /// ```
    pub fn is_terminated(&self) -> bool {
        self.end.is_none()
    }

    /// Whether there is no value to receive right now: not yet, never, or not any more.
    ///
    /// ```
    /// let (tx, rx) = tokio::sync::oneshot::channel();
    /// assert!(rx.is_empty());
    /// tx.send(1).unwrap();
    /// assert!(!rx.is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        !self.end.as_ref().is_some_and(ReceiverEnd::has_value)
    }

    /// The value, if it was sent, without waiting.
    ///
    /// # Errors
    /// [`Empty`](TryRecvError::Empty) when it was not sent yet, [`Closed`](TryRecvError::Closed)
    /// when it never will be or was received already.
    ///
    /// ```
    /// use tokio::sync::oneshot::{self, error::TryRecvError};
    ///
    /// let (tx, mut rx) = oneshot::channel();
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    /// tx.send(1).unwrap();
    /// assert_eq!(rx.try_recv(), Ok(1));
    /// assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    /// ```
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Some(end) = &mut self.end else {
            return Err(TryRecvError::Closed);
        };
        let value = match end.try_recv() {
            Received::Value(value) => Some(value),
            Received::Never => None,
            Received::NotYet => return Err(TryRecvError::Empty),
        };
        self.answer(value).ok_or(TryRecvError::Closed)
    }

    /// Waits for the value on the current thread, which belongs to no runtime.
    ///
    /// # Errors
    /// As awaiting it.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    ///
    /// ```
    /// let (tx, rx) = tokio::sync::oneshot::channel();
    /// let thread = std::thread::spawn(move || rx.blocking_recv());
    /// tx.send(1).unwrap();
    /// assert_eq!(thread.join().unwrap(), Ok(1));
    /// ```
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        block::block_on(self)
    }

    /// Passes the answer on, the last thing that comes from the channel.
    fn answer(&mut self, value: Option<T>) -> Option<T> {
        self.end = None;
        if value.is_some() {
            self.span.received();
        }
        value
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { end, span } = &mut *self;
        let end = end.as_mut().expect("called after complete");
        let value = ready!(span.polled(|| poll_charged(cx, |cx| end.poll_recv(cx))));
        Poll::Ready(self.answer(value).ok_or(RecvError(())))
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("is_closed", &self.is_closed())
            .finish()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("is_empty", &self.is_empty())
            .finish()
    }
}
