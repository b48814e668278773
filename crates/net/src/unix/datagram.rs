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
use crate::methods::real;
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

    /// Takes what went wrong since it was asked last.
    ///
    /// # Errors
    /// Those of the system.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.take_error()
    }

    /// Shuts one or both directions down: waiting operations end.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.io.shutdown(how)
    }
}

/// Sending.
impl UnixDatagram {
    /// Sends `buf` to the address that it is connected to.
    ///
    /// *Cancel safety:* if it is dropped, nothing was sent.
    ///
    /// # Errors
    /// When it is not connected, or the other side has gone.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.io
            .async_io(Interest::WRITABLE, || self.io.send(buf))
            .await
    }

    /// [`send`](Self::send) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.io.poll_io(cx, Direction::Write, || self.io.send(buf))
    }

    /// [`send`](Self::send) at once.
    ///
    /// # Errors
    /// As there; `WouldBlock` if there is no room.
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.try_io(Interest::WRITABLE, || self.io.send(buf))
    }

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

/// Receiving. What of a datagram does not fit into the buffer is lost.
impl UnixDatagram {
    /// Receives a datagram; returns its length.
    ///
    /// *Cancel safety:* if it is dropped, nothing was received.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn recv(&self, mut buf: &mut [u8]) -> io::Result<usize> {
        self.recv_buf(&mut buf).await
    }

    /// [`recv`](Self::recv) into `buf`, which advances.
    ///
    /// # Errors
    /// As there.
    pub async fn recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        let recv = || fill(buf, |buf| self.recv_chunk(buf));
        self.io.async_io(Interest::READABLE, recv).await
    }

    /// [`recv`](Self::recv) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let recv = || fill(buf, |buf| self.recv_chunk(buf));
        self.io.poll_io(cx, Direction::Read, recv).map_ok(drop)
    }

    /// [`recv`](Self::recv) at once.
    ///
    /// # Errors
    /// As there; `WouldBlock` if nothing is there.
    pub fn try_recv(&self, mut buf: &mut [u8]) -> io::Result<usize> {
        self.try_recv_buf(&mut buf)
    }

    /// [`try_recv`](Self::try_recv) into `buf`, which advances.
    ///
    /// # Errors
    /// As there.
    pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io
            .try_io(Interest::READABLE, || fill(buf, |buf| self.recv_chunk(buf)))
    }

    /// Receives a datagram; returns its length and its sender.
    ///
    /// *Cancel safety:* if it is dropped, nothing was received.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn recv_from(&self, mut buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.recv_buf_from(&mut buf).await
    }

    /// [`recv_from`](Self::recv_from) into `buf`, which advances.
    ///
    /// # Errors
    /// As there.
    pub async fn recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        let recv = || fill_with(buf, |buf| self.recv_chunk_from(buf));
        self.io.async_io(Interest::READABLE, recv).await
    }

    /// [`recv_from`](Self::recv_from) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let recv = || fill_with(buf, |buf| self.recv_chunk_from(buf));
        self.io
            .poll_io(cx, Direction::Read, recv)
            .map_ok(|(_, from)| from)
    }

    /// [`recv_from`](Self::recv_from) at once.
    ///
    /// # Errors
    /// As there; `WouldBlock` if nothing is there.
    pub fn try_recv_from(&self, mut buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.try_recv_buf_from(&mut buf)
    }

    /// [`try_recv_from`](Self::try_recv_from) into `buf`, which advances.
    ///
    /// # Errors
    /// As there.
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        let recv = || fill_with(buf, |buf| self.recv_chunk_from(buf));
        self.io.try_io(Interest::READABLE, recv)
    }

    fn recv_chunk<'a>(&self, buf: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]> {
        self.io.recv(buf)
    }

    fn recv_chunk_from<'a>(
        &self,
        buf: &'a mut [MaybeUninit<u8>],
    ) -> io::Result<(&'a mut [u8], SocketAddr)> {
        let (received, from) = self.io.recv_from(buf)?;
        Ok((received, SocketAddr(from)))
    }
}

readiness_methods!(UnixDatagram, poll_recv_ready, poll_send_ready);
descriptor!(UnixDatagram, |io| real(io.os()));
socket_traits!(UnixDatagram, std_unix::UnixDatagram, |io| io.os().ok());
