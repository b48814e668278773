//! Why a value could not be sent or waited for.

use std::error::Error;
use std::fmt;

/// There is no receiver; with the value that was not sent.
///
/// ```
/// let tx = tokio::sync::watch::Sender::new(0);
/// assert_eq!(tx.send(7).unwrap_err().0, 7);
/// assert_eq!(*tx.borrow(), 0);
/// ```
#[derive(PartialEq, Eq, Clone, Copy)]
pub struct SendError<T>(pub T);

/// Every sender was dropped: the value stays what it is.
#[derive(Debug, Clone)]
pub struct RecvError(pub(super) ());

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").finish_non_exhaustive()
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("channel closed")
    }
}

impl<T> Error for SendError<T> {}
impl Error for RecvError {}
