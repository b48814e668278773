//! A descriptor that was ready: [`AsyncFdReadyGuard`] and its twin that may change it.

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

use yamanote_base::ready::ReadyEvent;
use yamanote_io::Ready;

use super::{AsyncFd, TryIoError};

/// A descriptor that was ready, and the right to say that it is not any more.
///
/// Dropping it changes nothing: whoever waits next sees the same readiness.
///
/// # Examples
/// ```
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
/// use tokio::io::unix::AsyncFd;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (ours, mut theirs) = UnixStream::pair()?;
/// ours.set_nonblocking(true)?;
/// let ours = AsyncFd::new(ours)?;
/// theirs.write_all(b"x")?;
/// let mut byte = [0];
/// let mut guard = ours.readable().await?;
/// let read = guard.try_io(|socket| socket.get_ref().read(&mut byte));
/// assert_eq!(read.expect("it was readable")?, 1);
/// assert!(guard.try_io(|socket| socket.get_ref().read(&mut byte)).is_err());
/// assert!(guard.ready().is_empty());
/// # Ok(())
/// # }
/// ```
#[must_use = "readiness that is not used should be cleared or retained"]
pub struct AsyncFdReadyGuard<'a, T: AsRawFd> {
    async_fd: &'a AsyncFd<T>,
    seen: Option<ReadyEvent>,
}

/// An [`AsyncFdReadyGuard`] that may change what owns the descriptor.
///
/// # Examples
/// ```
/// # use std::os::unix::net::UnixStream;
/// use std::io::Write;
/// use tokio::io::unix::AsyncFd;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// # let (ours, _theirs) = UnixStream::pair()?;
/// # ours.set_nonblocking(true)?;
/// let mut ours = AsyncFd::new(ours)?;
/// let mut guard = ours.writable_mut().await?;
/// let written = guard.try_io(|socket| socket.get_mut().write(b"x"));
/// assert_eq!(written.expect("it was writable")?, 1);
/// # Ok(())
/// # }
/// ```
#[must_use = "readiness that is not used should be cleared or retained"]
pub struct AsyncFdReadyMutGuard<'a, T: AsRawFd> {
    async_fd: &'a mut AsyncFd<T>,
    seen: Option<ReadyEvent>,
}

/// Writes what both guards have; `$Borrow` is how they hold the descriptor, `$f` what their
/// operations may do with it.
macro_rules! guard {
    ($Guard:ident, $Borrow:ty, $f:ty) => {
        impl<'a, Inner: AsRawFd> $Guard<'a, Inner> {
            pub(super) fn new(async_fd: $Borrow, event: ReadyEvent) -> Self {
                Self {
                    async_fd,
                    seen: Some(event),
                }
            }

            /// Does `f`; if it answers `WouldBlock`, clears the readiness.
            ///
            /// # Errors
            /// [`TryIoError`] if it would have blocked; what else `f` says is inside of the `Ok`.
            pub fn try_io<R>(
                &mut self,
                f: impl FnOnce($f) -> io::Result<R>,
            ) -> Result<io::Result<R>, TryIoError> {
                match f(self.async_fd) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.clear_ready();
                        Err(TryIoError::WOULD_BLOCK)
                    }
                    result => Ok(result),
                }
            }

            /// Says that the descriptor is ready no more: an operation would have blocked.
            ///
            /// What has become ready since the guard was made remains.
            pub fn clear_ready(&mut self) {
                if let Some(event) = self.seen.take() {
                    self.async_fd.clear(event);
                }
            }

            /// [`clear_ready`](Self::clear_ready) for a part of what was ready.
            pub fn clear_ready_matching(&mut self, ready: Ready) {
                if let Some(event) = self.seen {
                    let now_cleared = event.with_ready(event.ready & ready);
                    self.async_fd.clear(now_cleared);
                    let rest = event.with_ready(event.ready - ready);
                    self.seen = (!rest.ready.is_empty()).then_some(rest);
                }
            }

            /// Leaves the readiness as it is. So does dropping the guard; this says it.
            pub fn retain_ready(&mut self) {}

            /// What was ready and was not cleared by this guard.
            pub fn ready(&self) -> Ready {
                self.seen.map_or(Ready::EMPTY, |event| event.ready)
            }
        }

        impl<'a, T: fmt::Debug + AsRawFd> fmt::Debug for $Guard<'a, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Guard))
                    .field("async_fd", &self.async_fd)
                    .finish_non_exhaustive()
            }
        }
    };
}

guard!(AsyncFdReadyGuard, &'a AsyncFd<Inner>, &'a AsyncFd<Inner>);
guard!(
    AsyncFdReadyMutGuard,
    &'a mut AsyncFd<Inner>,
    &mut AsyncFd<Inner>
);

impl<'a, Inner: AsRawFd> AsyncFdReadyGuard<'a, Inner> {
    /// What is ready.
    pub fn get_ref(&self) -> &'a AsyncFd<Inner> {
        self.async_fd
    }

    /// What owns the descriptor.
    pub fn get_inner(&self) -> &'a Inner {
        self.async_fd.get_ref()
    }
}

impl<'a, Inner: AsRawFd> AsyncFdReadyMutGuard<'a, Inner> {
    /// What is ready.
    pub fn get_ref(&self) -> &AsyncFd<Inner> {
        self.async_fd
    }

    /// What is ready, to be changed.
    pub fn get_mut(&mut self) -> &mut AsyncFd<Inner> {
        self.async_fd
    }

    /// What owns the descriptor.
    pub fn get_inner(&self) -> &Inner {
        self.async_fd.get_ref()
    }

    /// What owns the descriptor, to be changed.
    pub fn get_inner_mut(&mut self) -> &mut Inner {
        self.async_fd.get_mut()
    }
}
