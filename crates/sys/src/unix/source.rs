//! What can be registered with a selector: on Unix, whatever has a descriptor.

use std::io;
use std::os::fd::AsRawFd;

use mio::event::Source as _;
use mio::unix::SourceFd;

/// Something that a selector can watch.
pub trait Source {
    /// Starts to watch it.
    ///
    /// # Errors
    /// Those of the system.
    fn register(
        &self,
        registry: &mio::Registry,
        token: mio::Token,
        interest: mio::Interest,
    ) -> io::Result<()>;

    /// Stops to watch it.
    ///
    /// # Errors
    /// Those of the system.
    fn deregister(&self, registry: &mio::Registry) -> io::Result<()>;
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

    fn deregister(&self, registry: &mio::Registry) -> io::Result<()> {
        SourceFd(&self.as_raw_fd()).deregister(registry)
    }
}

/// What has a descriptor that may be borrowed: real sockets.
pub trait Descriptor: std::os::fd::AsFd {}

impl<T: std::os::fd::AsFd> Descriptor for T {}
