//! What can be registered with a selector: on Unix, whatever has a descriptor.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use mio::event::Source as _;
use mio::unix::SourceFd;
use socket2::SockRef;

/// What owns a descriptor.
pub type OwnedDescriptor = std::os::fd::OwnedFd;

/// Whether the selector reports changes only (edges).
///
/// Then a read that returned less than was asked for has drained the source, and the next data
/// are a new event. mio uses epoll and kqueue that way, but not poll(2).
pub const EDGE_TRIGGERED: bool = !ARMED_ONCE;

/// Whether an event ends the watching, as with mio's poll(2): it begins again
/// ([`Source::watch_again`]) after an operation that would have blocked.
pub const ARMED_ONCE: bool = cfg!(mio_unsupported_force_poll_poll);

/// Whether a source must be registered before it is used for the first time.
pub const REGISTERED_FIRST: bool = false;

/// Something that a selector can watch.
pub trait Source {
    /// Starts to watch it, while others may use it.
    ///
    /// # Errors
    /// Those of the system.
    fn register(
        &self,
        registry: &mio::Registry,
        token: mio::Token,
        interest: mio::Interest,
    ) -> io::Result<()>;

    /// Starts to watch it, before anybody uses it.
    ///
    /// # Errors
    /// Those of the system.
    fn register_first(
        &mut self,
        registry: &mio::Registry,
        token: mio::Token,
        interest: mio::Interest,
    ) -> io::Result<()> {
        self.register(registry, token, interest)
    }

    /// Watches it again where an event has ended that: see [`ARMED_ONCE`].
    ///
    /// # Errors
    /// Those of the system.
    fn watch_again(
        &self,
        registry: &mio::Registry,
        token: mio::Token,
        interest: mio::Interest,
    ) -> io::Result<()>;

    /// Stops to watch it.
    ///
    /// # Errors
    /// Those of the system.
    fn deregister(&mut self, registry: &mio::Registry) -> io::Result<()>;

    /// Does `op`, an operation on it that does not block. The selector hears if it would have.
    ///
    /// # Errors
    /// Those of `op`.
    #[inline]
    fn attempt<R>(&self, op: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        op()
    }
}

impl<T: AsRawFd> Source for T {
    fn register(
        &self,
        registry: &mio::Registry,
        token: mio::Token,
        interest: mio::Interest,
    ) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).register(registry, token, interest)
    }

    fn watch_again(
        &self,
        registry: &mio::Registry,
        token: mio::Token,
        interest: mio::Interest,
    ) -> io::Result<()> {
        match SourceFd(&self.as_raw_fd()).reregister(registry, token, interest) {
            // The end of a stream, or an error of it, has ended the registration as well.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.register(registry, token, interest)
            }
            result => result,
        }
    }

    fn deregister(&mut self, registry: &mio::Registry) -> io::Result<()> {
        match SourceFd(&self.as_raw_fd()).deregister(registry) {
            Err(error) if ARMED_ONCE && error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

/// What has a descriptor that may be borrowed: real sockets.
pub trait Descriptor: AsFd {}

impl<T: AsFd> Descriptor for T {}

/// Whether connect(2) says so that it has begun, and will end later.
pub(crate) fn is_begun(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// Checks, in debug builds, that operations on `socket` do not block.
///
/// # Panics
/// If they do: then one task would stop its whole thread.
#[track_caller]
pub fn assert_nonblocking(socket: &impl Descriptor) {
    debug_assert!(
        SockRef::from(socket).nonblocking().unwrap_or(true),
        "Registering a blocking socket with the tokio runtime is unsupported. \
         Call `set_nonblocking(true)` on it first."
    );
}
