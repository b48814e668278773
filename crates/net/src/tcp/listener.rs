//! [`TcpListener`].

use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use yamanote_base::ready::Direction;
use yamanote_driver::resource::{self, Watched};
use yamanote_io::Interest;

use crate::addr::{ToSocketAddrs, first_success};
use crate::methods::{real, show_source};
use crate::tcp::stream::TcpStream;

/// A TCP socket that listens for connections.
pub struct TcpListener {
    io: resource::TcpListener,
}

impl TcpListener {
    pub(crate) fn of(io: resource::TcpListener) -> Self {
        Self { io }
    }

    /// Listens on the first address of `addr` that can be bound.
    ///
    /// # Errors
    /// When none can be bound: in use, not this host's, not allowed.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        let bind = |addr| ready(resource::TcpListener::bind(addr));
        first_success(addr, bind).await.map(Self::of)
    }

    /// The next connection, and where it comes from.
    ///
    /// *Cancel safety:* if it is dropped, no connection was taken.
    ///
    /// # Errors
    /// Those of accept(2), after which the next call may succeed: no descriptors left, a
    /// connection that was closed meanwhile.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, addr) = self
            .io
            .async_io(Interest::READABLE, || self.io.accept())
            .await?;
        Ok((TcpStream::of(stream), addr))
    }

    /// [`accept`](Self::accept) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let accepted = self.io.poll_io(cx, Direction::Read, || self.io.accept());
        accepted.map_ok(|(stream, addr)| (TcpStream::of(stream), addr))
    }

    /// Takes std's listener, which must not block (`set_nonblocking`). In a simulated
    /// world it becomes a simulated one, if it was bound there (feature `sim`).
    ///
    /// # Errors
    /// In a simulated world: `AddrInUse`; `Unsupported` if it is real.
    ///
    /// # Panics
    /// Outside of a runtime with I/O; in debug builds, if it blocks.
    #[track_caller]
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        resource::assert_nonblocking(&listener);
        resource::TcpListener::from_std(listener).map(Self::of)
    }

    /// Std's listener, which does not block.
    ///
    /// # Errors
    /// `Unsupported` if it is simulated.
    pub fn into_std(self) -> io::Result<std::net::TcpListener> {
        self.io.into_os().map(Into::into)
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    socket_options! {
        /// Hops that its packets may take.
        ttl, set_ttl: u32 = ttl_v4, set_ttl_v4, ttl;
    }
}

descriptor!(TcpListener, |io| real(io.os()));
socket_traits!(TcpListener, std::net::TcpListener, show_source);
