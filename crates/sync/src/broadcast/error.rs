//! Why a value could not be sent or received.

use std::error::Error;
use std::fmt;

/// There is no receiver; with the value that was not sent.
#[derive(Debug)]
pub struct SendError<T>(pub T);

/// Why no value was received.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum RecvError {
    /// Every sender was dropped, and every value received.
    Closed,
    /// The receiver was too slow: so many values were overwritten before it came. It goes on
    /// with the oldest that is left.
    Lagged(u64),
}

/// Why there is no value right now.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum TryRecvError {
    /// None was sent yet.
    Empty,
    /// Every sender was dropped, and every value received.
    Closed,
    /// As [`RecvError::Lagged`].
    Lagged(u64),
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("channel closed"),
            Self::Lagged(n) => write!(f, "channel lagged by {n}"),
        }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("channel empty"),
            Self::Closed => f.write_str("channel closed"),
            Self::Lagged(n) => write!(f, "channel lagged by {n}"),
        }
    }
}

impl<T: fmt::Debug> Error for SendError<T> {}
impl Error for RecvError {}
impl Error for TryRecvError {}
