//! Senders that do not keep their channel open.

use std::fmt;

use super::bounded::{Bounded, Sender};
use super::channel::WeakTx;
use super::unbounded::{Unbounded, UnboundedSender};

/// A [`Sender`] that does not keep the channel open.
pub struct WeakSender<T> {
    pub(super) tx: WeakTx<T, Bounded>,
}

/// An [`UnboundedSender`] that does not keep the channel open.
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
                f.debug_struct(stringify!($weak)).finish_non_exhaustive()
            }
        }
    };
}

weak_sender!(WeakSender => Sender);
weak_sender!(WeakUnboundedSender => UnboundedSender);
