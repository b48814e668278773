//! [`TcpStream`].

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BufMut;
use yamanote_base::ready::Direction;
use yamanote_driver::resource::{self, Watched};
use yamanote_io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

use crate::addr::{ToSocketAddrs, first_success};
use crate::fill::{self, fill};
use crate::methods::{real, show_source};

/// A TCP connection.
///
/// It is read and written through `AsyncReadExt` and `AsyncWriteExt`. Dropping it closes both
/// directions; `shutdown` closes the writing one alone.
pub struct TcpStream {
    io: resource::TcpStream,
}

impl TcpStream {
    pub(crate) fn of(io: resource::TcpStream) -> Self {
        Self { io }
    }

    pub(crate) fn into_io(self) -> resource::TcpStream {
        self.io
    }

    /// Connects to the first address of `addr` that answers.
    ///
    /// *Cancel safety:* dropping it gives the attempt up.
    ///
    /// # Errors
    /// Of the last address, when none answers.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        first_success(addr, resource::TcpStream::connect)
            .await
            .map(Self::of)
    }

    /// Takes std's stream, which must not block (`set_nonblocking`).
    ///
    /// # Errors
    /// `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O; in debug builds, if it blocks.
    #[track_caller]
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        resource::assert_nonblocking(&stream);
        resource::TcpStream::from_std(stream).map(Self::of)
    }

    /// Std's stream, which does not block.
    ///
    /// # Errors
    /// `Unsupported` if it is simulated.
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        self.io.into_os().map(Into::into)
    }

    /// The address of this end.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// When it is not connected any more.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr()
    }

    /// Reads into `buf` what then can be read again; 0 is the end of the stream.
    ///
    /// *Cancel safety:* nothing is taken in any case.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut peek = || fill(&mut &mut *buf, |buf| self.io.peek(buf));
        self.io.async_io(Interest::READABLE, &mut peek).await
    }

    /// [`peek`](Self::peek) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        self.io
            .poll_io(cx, Direction::Read, || fill(buf, |buf| self.io.peek(buf)))
    }

    linger_options!();

    socket_options! {
        /// Whether small writes are sent at once.
        nodelay, set_nodelay: bool = tcp_nodelay, set_tcp_nodelay, nodelay;

        /// Hops that its packets may take.
        ttl, set_ttl: u32 = ttl_v4, set_ttl_v4, ttl;
    }

    /// Closes the writing direction; that the other side did so first is no error.
    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        match self.io.shutdown(Shutdown::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            other => other,
        }
    }
}

/// What only Linux has.
#[cfg(any(target_os = "linux", target_os = "android"))]
impl TcpStream {
    /// Whether acknowledgements are sent at once. The system may change it by itself.
    ///
    /// # Errors
    /// Those of the system.
    pub fn quickack(&self) -> io::Result<bool> {
        self.io.option(|socket| socket.tcp_quickack(), |_| false)
    }

    /// Sets [`quickack`](Self::quickack).
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        // A simulated network acknowledges at once anyway.
        self.io
            .set_option(|socket| socket.set_tcp_quickack(quickack), |_| ())
    }
}

stream_methods!(TcpStream);
readiness_methods!(TcpStream, poll_read_ready, poll_write_ready);
descriptor!(TcpStream, |io| real(io.os()));
socket_traits!(TcpStream, std::net::TcpStream, show_source);
