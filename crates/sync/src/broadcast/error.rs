//! Why a value could not be sent or received.

use std::error::Error;
use std::fmt;

/// There is no receiver; with the value that was not sent.
///
/// That there were receivers does not say that they will look: sending can succeed and the value
/// be dropped unseen. And a later send can succeed, if somebody has subscribed meanwhile.
///
/// ```
/// let tx = tokio::sync::broadcast::Sender::new(1);
/// assert_eq!(tx.send(7).unwrap_err().0, 7);
/// let _rx = tx.subscribe();
/// assert!(tx.send(7).is_ok());
/// ```
#[derive(Debug)]
pub struct SendError<T>(pub T);

/// Why [`recv`](super::Receiver::recv) returned no value.
///
/// A loop that serves as long as there is somebody to serve:
///
/// ```
/// use tokio::sync::broadcast::{self, error::RecvError};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let (tx, mut rx) = broadcast::channel(1);
/// (1..=3).for_each(|number| drop(tx.send(number)));
/// drop(tx);
/// let (mut sum, mut missed) = (0, 0);
/// loop {
///     match rx.recv().await {
///         Ok(number) => sum += number,
///         Err(RecvError::Lagged(values)) => missed += values,
///         Err(RecvError::Closed) => break,
///     }
/// }
/// assert_eq!((sum, missed), (3, 2));
/// # }
/// ```
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum RecvError {
    /// Every sender was dropped, and every value received.
    Closed,
    /// The receiver was too slow: so many values were overwritten before it came. It goes on
    /// with the oldest that is left.
    Lagged(u64),
}

/// Why [`try_recv`](super::Receiver::try_recv) returned no value.
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
