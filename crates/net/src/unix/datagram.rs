//! [`UnixDatagram`].

use std::io;
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::unix::net as std_unix;
use std::path::Path;
use std::task::{Context, Poll};

use bytes::BufMut;
use yamanote_base::ready::Direction;
use yamanote_driver::resource::{self, Watched, unix};
use yamanote_io::{Interest, ReadBuf};

use crate::fill::{fill, fill_with};
use crate::methods::{real, show_source};
use crate::unix::address::SocketAddr;

/// A Unix socket for datagrams. Dropping it leaves its file where it is.
///
/// All its operations need `&self` only; share it in an `Arc` between tasks.
pub struct UnixDatagram {
    io: unix::UnixDatagram,
}

impl UnixDatagram {
    pub(crate) fn of(io: unix::UnixDatagram) -> Self {
        Self { io }
    }

    /// A socket at `path` (on Linux, an abstract name if it begins with a zero byte; so wherever a
    /// path is asked for).
    ///
    /// # Errors
    /// When something is there already, or the path is too long.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        unix::UnixDatagram::bind(path.as_ref()).map(Self::of)
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (one, two) = unix::UnixDatagram::pair()?;
        Ok((Self::of(one), Self::of(two)))
    }

    /// A socket without an address.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn unbound() -> io::Result<UnixDatagram> {
        unix::UnixDatagram::unbound().map(Self::of)
    }

    /// Takes std's socket, which must not block (`set_nonblocking`).
    ///
    /// # Errors
    /// `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O; in debug builds, if it blocks.
    #[track_caller]
    pub fn from_std(socket: std_unix::UnixDatagram) -> io::Result<UnixDatagram> {
        resource::assert_nonblocking(&socket);
        unix::UnixDatagram::from_std(socket).map(Self::of)
    }

    /// Std's socket, which does not block.
    ///
    /// # Errors
    /// When the selector does not know it.
    pub fn into_std(self) -> io::Result<std_unix::UnixDatagram> {
        self.io.into_os().map(Into::into)
    }

    /// Sends to `path` from now on, and receives from there only.
    ///
    /// # Errors
    /// When nobody is there.
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.io.connect(path.as_ref())
    }

    /// The address of this end.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr().map(SocketAddr)
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr().map(SocketAddr)
    }

    /// Shuts one or both directions down: waiting operations end.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.io.shutdown(how)
    }
}

/// Sending to an address.
impl UnixDatagram {
    /// Sends `buf` to the socket at `target`.
    ///
    /// *Cancel safety:* if it is dropped, nothing was sent.
    ///
    /// # Errors
    /// When nobody is there.
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let target = target.as_ref();
        self.io
            .async_io(Interest::WRITABLE, || self.io.send_to(buf, target))
            .await
    }

    /// [`send_to`](Self::send_to) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: P,
    ) -> Poll<io::Result<usize>> {
        let target = target.as_ref();
        self.io
            .poll_io(cx, Direction::Write, || self.io.send_to(buf, target))
    }

    /// [`send_to`](Self::send_to) at once.
    ///
    /// # Errors
    /// As there; `WouldBlock` if there is no room.
    pub fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let target = target.as_ref();
        self.io
            .try_io(Interest::WRITABLE, || self.io.send_to(buf, target))
    }
}

impl UnixDatagram {
    fn recv_chunk_from<'a>(
        &self,
        buf: &'a mut [MaybeUninit<u8>],
    ) -> io::Result<(&'a mut [u8], SocketAddr)> {
        let (received, from) = self.io.recv_from(buf)?;
        Ok((received, SocketAddr(from)))
    }
}

datagram_methods!(UnixDatagram, SocketAddr, Interest::READABLE);
readiness_methods!(UnixDatagram, poll_recv_ready, poll_send_ready);
descriptor!(UnixDatagram, |io| real(io.os()));
socket_traits!(UnixDatagram, std_unix::UnixDatagram, show_source);
