//! The receivers: [`Receiver`] of a bounded channel, [`UnboundedReceiver`] of an unbounded one.

use std::fmt;
use std::future::{Future, poll_fn};
use std::task::{Context, Poll};

use yamanote_base::block;

use super::bounded::Bounded;
use super::channel::Rx;
use super::error::TryRecvError;
use super::unbounded::Unbounded;

/// Receives from a bounded channel; made by [`channel`](super::channel).
///
/// Dropped, it closes the channel and drops what was not received.
pub struct Receiver<T> {
    pub(super) rx: Rx<T, Bounded>,
}

/// Receives from an unbounded channel; made by [`unbounded_channel`](super::unbounded_channel).
///
/// Dropped, it closes the channel and drops what was not received.
pub struct UnboundedReceiver<T> {
    pub(super) rx: Rx<T, Unbounded>,
}

/// What both receivers can do.
macro_rules! receiver {
    ($receiver:ident, $open:literal, $send:literal) => {
        impl<T> $receiver<T> {
            /// Waits for the next value; `None` when the channel is over: it is empty, and every
            /// sender has gone or the channel was closed.
            ///
            /// *Cancel safety:* dropping the future loses no value.
            ///
            /// ```
            /// # use tokio::sync::mpsc::{self, error::TryRecvError};
            /// # #[tokio::main(flavor = "current_thread")] async fn main() {
            #[doc = concat!("let (tx, mut rx) = mpsc::", $open, ";")]
            #[doc = concat!("tx.", $send, "('a').unwrap();")]
            /// drop(tx);
            /// assert_eq!(rx.recv().await, Some('a'));
            /// assert_eq!(rx.recv().await, None);
            /// # }
            /// ```
            pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
                self.rx.recv()
            }

            /// Waits for values and appends up to `limit` to `buffer`; returns how many, which is
            /// 0 only when the channel is over or `limit` is 0.
            ///
            /// *Cancel safety:* dropping the future loses no value.
            ///
            /// ```
            /// # use tokio::sync::mpsc::{self, error::TryRecvError};
            /// # #[tokio::main(flavor = "current_thread")] async fn main() {
            #[doc = concat!("let (tx, mut rx) = mpsc::", $open, ";")]
            /// for i in 0..5 {
            #[doc = concat!("    tx.", $send, "(i).unwrap();")]
            /// }
            /// let mut batch = Vec::new();
            /// assert_eq!(rx.recv_many(&mut batch, 3).await, 3);
            /// assert_eq!(rx.recv_many(&mut batch, 3).await, 2); // does not wait for more
            /// assert_eq!(batch, [0, 1, 2, 3, 4]);
            /// # }
            /// ```
            pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                poll_fn(|cx| self.poll_recv_many(cx, buffer, limit)).await
            }

            /// The next value, if there is one.
            ///
            /// # Errors
            /// [`Empty`](TryRecvError::Empty) when there is none yet,
            /// [`Disconnected`](TryRecvError::Disconnected) when there never will be.
            ///
            /// ```
            /// # use tokio::sync::mpsc::{self, error::TryRecvError};
            #[doc = concat!("let (tx, mut rx) = mpsc::", $open, ";")]
            /// assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
            #[doc = concat!("tx.", $send, "(1).unwrap();")]
            /// drop(tx);
            /// assert_eq!(rx.try_recv(), Ok(1));
            /// assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
            /// ```
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                self.rx.try_recv()
            }

            /// [`recv`](Self::recv) on the current thread, which belongs to no runtime.
            ///
            /// # Panics
            /// When the thread drives asynchronous tasks.
            ///
            /// ```
            /// # use tokio::sync::mpsc::{self, error::TryRecvError};
            #[doc = concat!("let (tx, mut rx) = mpsc::", $open, ";")]
            /// let thread = std::thread::spawn(move || rx.blocking_recv());
            #[doc = concat!("tx.", $send, "(1).unwrap();")]
            /// assert_eq!(thread.join().unwrap(), Some(1));
            /// ```
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                block::block_on(self.recv())
            }

            /// [`recv_many`](Self::recv_many) on the current thread, which belongs to no runtime.
            ///
            /// # Panics
            /// When the thread drives asynchronous tasks.
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                block::block_on(self.recv_many(buffer, limit))
            }

            /// Lets senders begin nothing any more. What is in the channel, or has a permit, can
            /// still be received.
            ///
            /// ```
            /// # use tokio::sync::mpsc::{self, error::TryRecvError};
            /// # #[tokio::main(flavor = "current_thread")] async fn main() {
            #[doc = concat!("let (tx, mut rx) = mpsc::", $open, ";")]
            #[doc = concat!("tx.", $send, "(1).unwrap();")]
            /// rx.close();
            #[doc = concat!("assert!(tx.", $send, "(2).is_err());")]
            /// assert_eq!((rx.recv().await, rx.recv().await), (Some(1), None));
            /// # }
            /// ```
            pub fn close(&mut self) {
                self.rx.close();
            }

            /// Whether the channel was closed, or every sender has gone.
            pub fn is_closed(&self) -> bool {
                self.rx.is_closed()
            }

            /// Whether there is no value in the channel.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            /// How many values are in the channel.
            ///
            /// ```
            /// # use tokio::sync::mpsc::{self, error::TryRecvError};
            #[doc = concat!("let (tx, mut rx) = mpsc::", $open, ";")]
            #[doc = concat!("tx.", $send, "(1).unwrap();")]
            /// assert_eq!((rx.len(), rx.is_empty()), (1, false));
            /// rx.try_recv().unwrap();
            /// assert_eq!((rx.len(), rx.is_empty()), (0, true));
            /// ```
            pub fn len(&self) -> usize {
                self.rx.len()
            }

            /// [`recv`](Self::recv) for futures written by hand; only the last
            /// task that asked is woken.
            ///
            /// ```
            /// # use tokio::sync::mpsc::{self, error::TryRecvError};
            /// # #[tokio::main(flavor = "current_thread")] async fn main() {
            #[doc = concat!("let (tx, mut rx) = mpsc::", $open, ";")]
            #[doc = concat!("tx.", $send, "(1).unwrap();")]
            /// assert_eq!(std::future::poll_fn(|cx| rx.poll_recv(cx)).await, Some(1));
            /// # }
            /// ```
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.rx.poll_recv(cx)
            }

            /// [`recv_many`](Self::recv_many) for futures written by hand; only the last
            /// task that asked is woken.
            pub fn poll_recv_many(
                &mut self,
                cx: &mut Context<'_>,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> Poll<usize> {
                self.rx.poll_recv_many(cx, buffer, limit)
            }

            /// How many strong senders there are.
            ///
            /// ```
            /// # use tokio::sync::mpsc::{self, error::TryRecvError};
            #[doc = concat!("let (tx, mut rx) = mpsc::", $open, ";")]
            /// let _weak = tx.downgrade();
            #[doc = concat!("tx.", $send, "(1).unwrap();")]
            /// assert_eq!((rx.sender_strong_count(), rx.sender_weak_count()), (1, 1));
            /// drop(tx);
            /// assert_eq!((rx.sender_strong_count(), rx.is_closed()), (0, true));
            /// ```
            pub fn sender_strong_count(&self) -> usize {
                self.rx.channel().strong_count()
            }

            /// How many weak senders there are.
            pub fn sender_weak_count(&self) -> usize {
                self.rx.channel().weak_count()
            }
        }

        // Values are moved in and out, never pinned in the channel.
        impl<T> Unpin for $receiver<T> {}

        impl<T> fmt::Debug for $receiver<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($receiver))
                    .field("len", &self.len())
                    .field("is_closed", &self.is_closed())
                    .finish()
            }
        }
    };
}

receiver!(Receiver, "channel(8)", "try_send");
receiver!(UnboundedReceiver, "unbounded_channel()", "send");

impl<T> Receiver<T> {
    /// How many more values there is room for.
    pub fn capacity(&self) -> usize {
        self.rx.channel().quota.free()
    }

    /// How many values the channel may hold.
    pub fn max_capacity(&self) -> usize {
        self.rx.channel().quota.max()
    }
}
