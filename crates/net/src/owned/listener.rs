//! [`TcpListener`].

use std::fmt;
use std::future::{poll_fn, ready};
use std::io;
use std::net::SocketAddr;

use yamanote_driver::resource::{self, Resource, Watched};
use yamanote_driver::sockets::{self, Acceptor, SockRef};
use yamanote_io::Interest;

use super::stream::TcpStream;
use super::{inet, set_blocking};
use crate::addr::{ToSocketAddrs, first_success};

/// A TCP socket that listens for connections.
///
/// In a ring, one request stays with the kernel and takes connections as they come: an accept
/// then takes no system call. What was taken and not asked for is closed with the listener.
pub struct TcpListener {
    io: ListenerIo,
}

enum ListenerIo {
    Ring(Acceptor),
    Ready(resource::TcpListener),
}

impl TcpListener {
    /// Listens on the first address of `addr` that can be bound.
    ///
    /// # Errors
    /// When none can be bound: in use, not this host's, not allowed.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<Self> {
        let bind = |addr| ready(resource::TcpListener::bind(addr));
        let io = first_success(addr, bind).await?;
        if !sockets::are_available() {
            let io = ListenerIo::Ready(io);
            return Ok(Self { io });
        }
        match io {
            Resource::Os(_) => Self::from_std(io.into_os()?.into()),
            simulated => Ok(Self {
                io: ListenerIo::Ready(simulated),
            }),
        }
    }

    /// Takes std's listener, whether it blocks or not.
    ///
    /// # Errors
    /// `Unsupported` in a simulated world; those of the system.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        let socket = listener.into();
        set_blocking(&socket, true)?;
        let io = match Acceptor::new(socket) {
            Ok(acceptor) => ListenerIo::Ring(acceptor),
            Err(socket) => {
                set_blocking(&socket, false)?;
                ListenerIo::Ready(resource::TcpListener::from_std(socket.into())?)
            }
        };
        Ok(Self { io })
    }

    /// The next connection, and where it comes from. Any number of tasks may wait.
    ///
    /// *Cancel safety:* if it is dropped, the connection is for who asks next.
    ///
    /// # Errors
    /// Those of accept(2), after which the next call may succeed: no descriptors left, a
    /// connection that was closed meanwhile.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn f() -> std::io::Result<()> {
    /// use yamanote::owned::TcpListener;
    ///
    /// let listener = TcpListener::bind("127.0.0.1:6142").await?;
    /// let (stream, from) = listener.accept().await?;
    /// # Ok(()) }
    /// ```
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.io {
            ListenerIo::Ready(io) => {
                let accept = || io.accept();
                let (stream, from) = io.async_io(Interest::READABLE, accept).await?;
                Ok((TcpStream::of(stream)?, from))
            }
            ListenerIo::Ring(acceptor) => {
                let socket = poll_fn(|cx| acceptor.poll_accept(cx)).await?;
                let from = SockRef::from(&socket).peer_addr();
                // It was reset before anybody has looked: so accept(2) says it.
                let from = from.map_err(|_| io::Error::from(io::ErrorKind::ConnectionAborted))?;
                Ok((TcpStream::of_socket(socket)?, inet(&from)?))
            }
        }
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.io {
            ListenerIo::Ring(acceptor) => inet(&SockRef::from(acceptor.socket()).local_addr()?),
            ListenerIo::Ready(io) => io.local_addr(),
        }
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener")
            .field("local_addr", &self.local_addr().ok())
            .finish_non_exhaustive()
    }
}
