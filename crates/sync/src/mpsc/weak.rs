//! Senders that do not keep their channel open.

use std::fmt;

use super::bounded::{Bounded, Sender};
use super::channel::WeakTx;
use super::unbounded::{Unbounded, UnboundedSender};

/// A [`Sender`] that does not keep the channel open, from [`Sender::downgrade`]: to be
/// [upgraded](Self::upgrade) for each use.
///
/// ```
/// use tokio::sync::mpsc;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (tx, mut rx) = mpsc::channel(1);
/// let weak = tx.downgrade();
/// weak.upgrade().expect("a sender is left").try_send(1).unwrap();
/// drop(tx);
/// assert!(weak.upgrade().is_none());
/// assert_eq!((rx.recv().await, rx.recv().await), (Some(1), None));
/// # }
/// ```
pub struct WeakSender<T> {
    pub(super) tx: WeakTx<T, Bounded>,
}

/// An [`UnboundedSender`] that does not keep the channel open; else as [`WeakSender`].
///
/// ```
/// use tokio::sync::mpsc;
///
/// let (tx, _rx) = mpsc::unbounded_channel::<u8>();
/// let weak = tx.downgrade();
/// assert_eq!((weak.strong_count(), weak.weak_count()), (1, 1));
/// ```
pub struct WeakUnboundedSender<T> {
    pub(super) tx: WeakTx<T, Unbounded>,
}

/// What both weak senders can do.
macro_rules! weak_sender {
    ($weak:ident => $sender:ident) => {
        impl<T> $weak<T> {
            /// A strong sender, unless the last one was dropped already.
            pub fn upgrade(&self) -> Option<$sender<T>> {
                self.tx.upgrade().map(|tx| $sender { tx })
            }

            /// How many strong senders there are.
            pub fn strong_count(&self) -> usize {
                self.tx.channel().strong_count()
            }

            /// How many weak senders there are.
            pub fn weak_count(&self) -> usize {
                self.tx.channel().weak_count()
            }
        }

        impl<T> Clone for $weak<T> {
            fn clone(&self) -> Self {
                Self {
                    tx: self.tx.clone(),
                }
            }
        }

        impl<T> fmt::Debug for $weak<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($weak)).finish()
            }
        }
    };
}

weak_sender!(WeakSender => Sender);
weak_sender!(WeakUnboundedSender => UnboundedSender);
