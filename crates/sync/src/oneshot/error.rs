//! Why no value came.

use std::error::Error;
use std::fmt;

/// The sender was dropped without sending.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct RecvError(pub(super) ());

/// Why there is no value right now.
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
