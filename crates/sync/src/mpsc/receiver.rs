//! The receivers: [`Receiver`] of a bounded channel, [`UnboundedReceiver`] of an unbounded one.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use yamanote_base::block;

use super::bounded::Bounded;
use super::channel::Rx;
use super::error::TryRecvError;
use super::unbounded::Unbounded;

/// Receives from a bounded channel; made by [`channel`](super::channel).
pub struct Receiver<T> {
    pub(super) rx: Rx<T, Bounded>,
}

/// Receives from an unbounded channel; made by [`unbounded_channel`](super::unbounded_channel).
pub struct UnboundedReceiver<T> {
    pub(super) rx: Rx<T, Unbounded>,
}

/// What both receivers can do.
macro_rules! receiver {
    ($receiver:ident) => {
        impl<T> $receiver<T> {
            /// Waits for the next value; `None` when the channel is over: it is empty, and every
            /// sender has gone or the channel was closed.
            ///
            /// *Cancel safety:* dropping the future loses no value.
            pub async fn recv(&mut self) -> Option<T> {
                poll_fn(|cx| self.poll_recv(cx)).await
            }

            /// Waits for values and appends up to `limit` to `buffer`; returns how many, which is
            /// 0 only when the channel is over or `limit` is 0.
            ///
            /// *Cancel safety:* dropping the future loses no value.
            pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                poll_fn(|cx| self.poll_recv_many(cx, buffer, limit)).await
            }

            /// The next value, if there is one.
            ///
            /// # Errors
            /// When there is none yet, or never will be.
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                self.rx.try_recv()
            }

            /// [`recv`](Self::recv) on the current thread.
            ///
            /// # Panics
            /// When the thread drives asynchronous tasks.
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                block::block_on(self.recv())
            }

            /// [`recv_many`](Self::recv_many) on the current thread.
            ///
            /// # Panics
            /// When the thread drives asynchronous tasks.
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                block::block_on(self.recv_many(buffer, limit))
            }

            /// Lets senders begin nothing any more. What is in the channel, or has a permit, can
            /// still be received.
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
            pub fn len(&self) -> usize {
                self.rx.len()
            }

            /// [`recv`](Self::recv) for hand-written futures; remembers the last task to ask.
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.rx.poll_recv(cx)
            }

            /// [`recv_many`](Self::recv_many) for hand-written futures; remembers the last task
            /// to ask.
            pub fn poll_recv_many(
                &mut self,
                cx: &mut Context<'_>,
                buffer: &mut Vec<T>,
                limit: usize,
            ) -> Poll<usize> {
                self.rx.poll_recv_many(cx, buffer, limit)
            }

            /// How many strong senders there are.
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

receiver!(Receiver);
receiver!(UnboundedReceiver);

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
