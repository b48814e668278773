//! [`UnixStream`].

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BufMut;
use yamanote_base::ready::Direction;
use yamanote_driver::resource::{self, Watched, unix};
use yamanote_io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

use crate::fill::{self, fill};
use crate::methods::real;
use crate::unix::address::SocketAddr;
use crate::unix::credentials::UCred;

/// A connected Unix socket.
///
/// It is read and written through `AsyncReadExt` and `AsyncWriteExt`. Dropping it closes both
/// directions; `shutdown` closes the writing one alone.
pub struct UnixStream {
    io: unix::UnixStream,
}

impl UnixStream {
    pub(crate) fn of(io: unix::UnixStream) -> Self {
        Self { io }
    }

    /// Connects to `path` (on Linux, an abstract name if it begins with a zero byte).
    ///
    /// # Errors
    /// When nobody listens there.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        let addr = unix::addr_of(path.as_ref())?;
        unix::UnixStream::connect_addr(&addr).await.map(Self::of)
    }

    /// Connects to `addr`.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn connect_addr(addr: &SocketAddr) -> io::Result<UnixStream> {
        unix::UnixStream::connect_addr(&addr.0).await.map(Self::of)
    }

    /// Two streams that are connected to each other.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (one, two) = unix::UnixStream::pair()?;
        Ok((Self::of(one), Self::of(two)))
    }

    /// Takes std's stream, which must not block (`set_nonblocking`).
    ///
    /// # Errors
    /// `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O; in debug builds, if it blocks.
    #[track_caller]
    pub fn from_std(stream: std::os::unix::net::UnixStream) -> io::Result<UnixStream> {
        resource::assert_nonblocking(&stream);
        unix::UnixStream::from_std(stream).map(Self::of)
    }

    /// Std's stream, which does not block.
    ///
    /// # Errors
    /// When the selector does not know it.
    pub fn into_std(self) -> io::Result<std::os::unix::net::UnixStream> {
        self.io.into_os().map(Into::into)
    }

    /// The address of this end.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr().map(SocketAddr)
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// When it is not connected any more.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr().map(SocketAddr)
    }

    /// Who is at the other end.
    ///
    /// # Errors
    /// Those of the system.
    pub fn peer_cred(&self) -> io::Result<UCred> {
        self.io.peer_credentials().map(UCred::of)
    }

    /// Takes what went wrong since it was asked last.
    ///
    /// # Errors
    /// Those of the system.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.take_error()
    }

    /// Reads what is there; 0 is the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is there.
    pub fn try_read(&self, mut buf: &mut [u8]) -> io::Result<usize> {
        self.try_read_buf(&mut buf)
    }

    /// [`try_read`](Self::try_read) into `buf`, which advances.
    ///
    /// # Errors
    /// As there.
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io
            .try_io(Interest::READABLE, || fill(buf, |buf| self.recv(buf)))
    }

    /// [`try_read`](Self::try_read) into several buffers.
    ///
    /// # Errors
    /// As there.
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.io
            .try_io(Interest::READABLE, || self.io.read_vectored(bufs))
    }

    /// Writes what there is room for.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.try_io(Interest::WRITABLE, || self.io.write(buf))
    }

    /// [`try_write`](Self::try_write) from several buffers.
    ///
    /// # Errors
    /// As there.
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.io
            .try_io(Interest::WRITABLE, || self.io.write_vectored(bufs))
    }

    fn recv<'a>(&self, buf: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]> {
        self.io.read(buf)
    }

    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        self.io.shutdown(Shutdown::Write)
    }

    pub(crate) fn poll_read_priv(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        fill::poll_read(&self.io, cx, buf, |buf| self.recv(buf))
    }

    pub(crate) fn poll_write_priv(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = || self.io.write(buf);
        self.io
            .poll_transfer(cx, Direction::Write, buf.len(), write)
    }

    pub(crate) fn poll_write_vectored_priv(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io
            .poll_io(cx, Direction::Write, || self.io.write_vectored(bufs))
    }
}

readiness_methods!(UnixStream, poll_read_ready, poll_write_ready);
descriptor!(UnixStream, |io| real(io.os()));
socket_traits!(UnixStream, std::os::unix::net::UnixStream, |io| io
    .os()
    .ok());

impl AsRef<Self> for UnixStream {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsyncRead for UnixStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_read_priv(cx, buf)
    }
}

impl AsyncWrite for UnixStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_priv(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored_priv(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is kept back on this side.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown_write())
    }
}
