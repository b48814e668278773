//! One value from one task to another: [`channel`].

mod cell;
pub mod error;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use yamanote_base::block;

use crate::coop::poll_charged;
use cell::{Received, ReceiverEnd, SenderEnd};
use error::{RecvError, TryRecvError};

/// A channel for one value.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = cell::pair();
    (
        Sender { end: sender },
        Receiver {
            end: Some(receiver),
        },
    )
}

/// Sends the one value; sending does not wait.
pub struct Sender<T> {
    end: SenderEnd<T>,
}

/// A future of the one value; [`RecvError`] if the sender was dropped instead.
///
/// *Cancel safety:* poll it by `&mut`: nothing is lost between polls.
#[must_use = "futures do nothing unless polled"]
pub struct Receiver<T> {
    /// `None` once an answer was given.
    end: Option<ReceiverEnd<T>>,
}

impl<T> Sender<T> {
    /// Sends `value`.
    ///
    /// # Errors
    /// `value`, when the receiver is closed or dropped.
    pub fn send(self, value: T) -> Result<(), T> {
        self.end.send(value)
    }

    /// Waits until the receiver is closed or dropped.
    ///
    /// *Cancel safety:* dropping the future leaves no trace.
    pub async fn closed(&mut self) {
        poll_fn(|cx| self.poll_closed(cx)).await;
    }

    /// Whether the receiver is closed or dropped.
    pub fn is_closed(&self) -> bool {
        self.end.is_closed()
    }

    /// Ready when the receiver is closed or dropped; remembers the last task to ask.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        poll_charged(cx, |cx| self.end.poll_closed(cx))
    }
}

impl<T> Receiver<T> {
    /// Lets the sender send no more; a value that was sent already can still be received.
    pub fn close(&mut self) {
        if let Some(end) = &mut self.end {
            end.close();
        }
    }

    /// Whether an answer was given already: polling again would panic.
    pub fn is_terminated(&self) -> bool {
        self.end.is_none()
    }

    /// Whether there is no value to receive right now.
    pub fn is_empty(&self) -> bool {
        !self.end.as_ref().is_some_and(ReceiverEnd::has_value)
    }

    /// The value, if it was sent.
    ///
    /// # Errors
    /// When it was not sent yet, or never will be, or was received already.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Some(end) = &mut self.end else {
            return Err(TryRecvError::Closed);
        };
        match end.try_recv() {
            Received::Value(value) => {
                self.end = None;
                Ok(value)
            }
            Received::Never => {
                self.end = None;
                Err(TryRecvError::Closed)
            }
            Received::NotYet => Err(TryRecvError::Empty),
        }
    }

    /// Waits for the value on the current thread.
    ///
    /// # Errors
    /// When the sender was dropped instead.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        block::block_on(self)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let end = self.end.as_mut().expect("called after complete");
        let value = ready!(poll_charged(cx, |cx| end.poll_recv(cx)));
        self.end = None;
        Poll::Ready(value.ok_or(RecvError(())))
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
