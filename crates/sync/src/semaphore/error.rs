//! Why permits or a lock could not be had.

use std::error::Error;
use std::fmt;

/// The [`Semaphore`](super::Semaphore) was closed while, or before, permits were waited for.
#[derive(Debug)]
pub struct AcquireError(());

/// Why permits could not be had at once.
#[derive(Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// The semaphore is closed.
    Closed,
    /// Too few permits are free, or others were here first.
    NoPermits,
}

/// The lock is held, and the caller would have to wait for it; returned by the `try_` functions
/// of [`Mutex`](crate::Mutex) and [`RwLock`](crate::RwLock).
#[derive(Debug)]
pub struct TryLockError(pub(crate) ());

impl AcquireError {
    pub(crate) fn closed() -> Self {
        Self(())
    }
}

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("semaphore closed")
    }
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "semaphore closed",
            Self::NoPermits => "no permits available",
        })
    }
}

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("operation would block")
    }
}

impl Error for AcquireError {}
impl Error for TryAcquireError {}
impl Error for TryLockError {}
