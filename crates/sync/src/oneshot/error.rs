//! Why no value came.

use std::error::Error;
use std::fmt;

/// No value came and none will: the sender was dropped without sending, or the receiver closed the
/// channel before it sent. Given by awaiting a [`Receiver`](super::Receiver).
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct RecvError(pub(super) ());

/// Why [`try_recv`](super::Receiver::try_recv) found no value.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum TryRecvError {
    /// It was not sent yet.
    Empty,
    /// It will never be sent, or was received already.
    Closed,
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "channel empty",
            Self::Closed => "channel closed",
        })
    }
}

impl Error for RecvError {}
impl Error for TryRecvError {}
