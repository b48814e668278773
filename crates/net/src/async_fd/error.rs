//! What can go wrong with an [`AsyncFd`](super::AsyncFd).

use std::error::Error;
use std::fmt;
use std::io;

/// A guard's operation would have blocked; the readiness was cleared.
#[derive(Debug)]
pub struct TryIoError(());

/// A descriptor that could not be watched: what owns it, and why not.
///
/// # Examples
/// ```
/// use tokio::io::unix::AsyncFd;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let regular = std::fs::File::open(std::env::current_exe()?)?;
/// let refused = AsyncFd::try_new(regular).expect_err("it is always ready");
/// let (regular, cause) = refused.into_parts();
/// assert!(regular.metadata()?.is_file());
/// assert_eq!(cause.kind(), std::io::ErrorKind::PermissionDenied);
/// # Ok(())
/// # }
/// ```
pub struct AsyncFdRegisterError<T> {
    owner: T,
    cause: io::Error,
}

impl TryIoError {
    pub(super) const WOULD_BLOCK: TryIoError = TryIoError(());
}

impl<T> AsyncFdRegisterError<T> {
    pub(super) fn new(owner: T, cause: io::Error) -> Self {
        Self { owner, cause }
    }

    /// What owns the descriptor, and why it could not be watched.
    pub fn into_parts(self) -> (T, io::Error) {
        (self.owner, self.cause)
    }
}

impl<T> fmt::Display for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.cause, f)
    }
}

impl<T> fmt::Debug for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.cause, f)
    }
}

impl<T> Error for AsyncFdRegisterError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

impl<T> From<AsyncFdRegisterError<T>> for io::Error {
    fn from(error: AsyncFdRegisterError<T>) -> Self {
        error.cause
    }
}
