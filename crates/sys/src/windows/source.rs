//! What can be registered with a selector: on Windows, mio's types alone.
//!
//! mio keeps beside each socket what it has asked the system for. It is asked again when an
//! operation would have blocked, which mio has to see: so a source is registered before it is
//! used, and each operation is an [`attempt`](Source::attempt).

use std::io;
use std::os::windows::io::AsSocket;

use mio::event::Source as MioSource;
use mio::net::{TcpListener, TcpStream, UdpSocket};
use mio::windows::NamedPipe;

/// What owns a descriptor.
pub type OwnedDescriptor = std::os::windows::io::OwnedSocket;

/// Whether the selector reports changes only (edges): no, what is ready is reported once after
/// each operation that would have blocked.
pub const EDGE_TRIGGERED: bool = false;

/// Whether an event ends the watching: no, mio sees to that.
pub const ARMED_ONCE: bool = false;

/// Whether a source must be registered before it is used for the first time.
pub const REGISTERED_FIRST: bool = true;

/// Something that a selector can watch.
pub trait Source: MioSource {
    /// Would start to watch it while others may use it.
    ///
    /// # Errors
    /// Always `Unsupported`: see [`REGISTERED_FIRST`].
    fn register(
        &self,
        _registry: &mio::Registry,
        _token: mio::Token,
        _interest: mio::Interest,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

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
        MioSource::register(self, registry, token, interest)
    }

    /// Would watch it again: see [`ARMED_ONCE`].
    ///
    /// # Errors
    /// Always `Unsupported`.
    fn watch_again(
        &self,
        _registry: &mio::Registry,
        _token: mio::Token,
        _interest: mio::Interest,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Stops to watch it.
    ///
    /// # Errors
    /// Those of the system.
    fn deregister(&mut self, registry: &mio::Registry) -> io::Result<()> {
        MioSource::deregister(self, registry)
    }

    /// Does `op`, an operation on it that does not block. The selector hears if it would have.
    ///
    /// # Errors
    /// Those of `op`.
    fn attempt<R>(&self, op: impl FnOnce() -> io::Result<R>) -> io::Result<R>;
}

impl Source for TcpStream {
    fn attempt<R>(&self, op: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.try_io(op)
    }
}

impl Source for UdpSocket {
    fn attempt<R>(&self, op: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        self.try_io(op)
    }
}

impl Source for TcpListener {
    /// Does `op`, which is mio's `accept`: that sees for itself whether it would have blocked.
    fn attempt<R>(&self, op: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        op()
    }
}

impl Source for NamedPipe {
    /// Does `op`, which is one of the pipe's own operations: they are reads and writes under way,
    /// whose end is an event.
    fn attempt<R>(&self, op: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        op()
    }
}

/// What has a descriptor that may be borrowed: real sockets.
pub trait Descriptor: AsSocket {}

impl<T: AsSocket> Descriptor for T {}

/// Whether connect says so that it has begun, and will end later.
pub(crate) fn is_begun(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Would check that operations on `socket` do not block; Windows does not tell.
pub fn assert_nonblocking(_socket: &impl Descriptor) {}
