//! [`UnixListener`].

use std::io;
use std::path::Path;
use std::task::{Context, Poll};

use yamanote_base::ready::Direction;
use yamanote_driver::resource::{self, Watched, unix};
use yamanote_io::Interest;

use crate::methods::{real, show_source};
use crate::unix::address::SocketAddr;
use crate::unix::stream::UnixStream;

/// A Unix socket that listens for connections. Dropping it leaves its file where it is.
pub struct UnixListener {
    io: unix::UnixListener,
}

impl UnixListener {
    pub(crate) fn of(io: unix::UnixListener) -> Self {
        Self { io }
    }

    /// Listens at `path` (on Linux, an abstract name if it begins with a zero byte).
    ///
    /// # Errors
    /// When something is there already, or the path is too long.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        unix::UnixListener::bind_addr(&unix::addr_of(path.as_ref())?).map(Self::of)
    }

    /// Listens at `addr`.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<UnixListener> {
        unix::UnixListener::bind_addr(&addr.0).map(Self::of)
    }

    /// Takes std's listener, which must not block (`set_nonblocking`).
    ///
    /// # Errors
    /// `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O; in debug builds, if it blocks.
    #[track_caller]
    pub fn from_std(listener: std::os::unix::net::UnixListener) -> io::Result<UnixListener> {
        resource::assert_nonblocking(&listener);
        unix::UnixListener::from_std(listener).map(Self::of)
    }

    /// Std's listener, which does not block.
    ///
    /// # Errors
    /// When the selector does not know it.
    pub fn into_std(self) -> io::Result<std::os::unix::net::UnixListener> {
        self.io.into_os().map(Into::into)
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr().map(SocketAddr)
    }

    /// Takes what went wrong since it was asked last.
    ///
    /// # Errors
    /// Those of the system.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.take_error()
    }

    /// The next connection, and where it comes from.
    ///
    /// *Cancel safety:* if it is dropped, no connection was taken.
    ///
    /// # Errors
    /// Those of accept(2), after which the next call may succeed.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, addr) = self
            .io
            .async_io(Interest::READABLE, || self.io.accept())
            .await?;
        Ok((UnixStream::of(stream), SocketAddr(addr)))
    }

    /// [`accept`](Self::accept) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let accepted = self.io.poll_io(cx, Direction::Read, || self.io.accept());
        accepted.map_ok(|(stream, addr)| (UnixStream::of(stream), SocketAddr(addr)))
    }
}

descriptor!(UnixListener, |io| real(io.os()));
socket_traits!(UnixListener, std::os::unix::net::UnixListener, show_source);
