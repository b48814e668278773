//! [`UnixStream`].

use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BufMut;
use yamanote_base::ready::Direction;
use yamanote_driver::resource::{self, Watched, unix};
use yamanote_io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

use crate::fill::{self, fill};
use crate::methods::{real, show_source};
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

    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        self.io.shutdown(Shutdown::Write)
    }
}

stream_methods!(UnixStream);
readiness_methods!(UnixStream, poll_read_ready, poll_write_ready);
descriptor!(UnixStream, |io| real(io.os()));
socket_traits!(UnixStream, std::os::unix::net::UnixStream, show_source);
