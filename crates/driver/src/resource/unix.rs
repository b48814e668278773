//! What only real Unix systems have: sockets in the file system, pipes.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::SocketAddr;

use yamanote_base::interest::{Interest, Ready};
use yamanote_sys::socket::Socket;
use yamanote_sys::unix_socket;

use crate::context;
use crate::handle::Handle;
use crate::resource::{Registration, Watched};

pub use yamanote_sys::credentials::{Credentials, peer_credentials};
pub use yamanote_sys::pipe;
pub use yamanote_sys::read;
pub use yamanote_sys::unix_socket::{
    abstract_name, bind_unix, connect_datagram, is_datagram, send_datagram, unix_addr as addr_of,
};

/// A connected Unix socket.
pub type UnixStream = Registration<mio::net::UnixStream>;
/// A listening Unix socket.
pub type UnixListener = Registration<mio::net::UnixListener>;
/// A Unix socket for datagrams.
pub type UnixDatagram = Registration<mio::net::UnixDatagram>;
/// One end of a pipe, or whatever else is a descriptor.
pub type PipeEnd = Registration<std::fs::File>;
/// A Unix socket that is not connected yet.
pub type UnixSocket = Socket;

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

impl UnixStream {
    /// Connects to `addr`.
    ///
    /// # Errors
    /// When nobody listens there, or more connections wait than the listener allows.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn connect_addr(addr: &SocketAddr) -> io::Result<Self> {
        let handle = context::current_io();
        Self::new(handle, mio::net::UnixStream::connect_addr(addr)?, BOTH)?
            .connected()
            .await
    }

    /// Waits until the connection that was begun stands.
    ///
    /// # Errors
    /// As [`connect_addr`](Self::connect_addr).
    pub async fn connected(self) -> io::Result<Self> {
        let stream = self.get();
        let check = || match (stream.take_error()?, stream.peer_addr()) {
            (Some(error), _) => Err(error),
            (None, Err(error)) if error.kind() == io::ErrorKind::NotConnected => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            (None, other) => other.map(drop),
        };
        // The system lets a stream connect before it is accepted: if the listener goes meanwhile,
        // only who waits for the first readiness hears of it.
        self.readiness(Interest::WRITABLE).await?;
        self.async_io(Interest::WRITABLE, check).await?;
        Ok(self.assuming(Ready::WRITABLE))
    }

    /// Takes a stream that does not block.
    ///
    /// # Errors
    /// `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn from_std(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        Self::new(
            context::current_io(),
            mio::net::UnixStream::from_std(stream),
            BOTH,
        )
    }

    /// Two streams that are connected to each other.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn pair() -> io::Result<(Self, Self)> {
        let handle = context::current_io();
        let (one, two) = mio::net::UnixStream::pair()?;
        let one = Self::new(handle.clone(), one, BOTH)?;
        let two = Self::new(handle, two, BOTH)?;
        Ok((one.assuming(Ready::WRITABLE), two.assuming(Ready::WRITABLE)))
    }
}

impl UnixListener {
    /// Listens on `addr`.
    ///
    /// # Errors
    /// When something is there already.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<Self> {
        let handle = context::current_io();
        Self::new(
            handle,
            mio::net::UnixListener::bind_addr(addr)?,
            Interest::READABLE,
        )
    }

    /// Takes a listener that does not block.
    ///
    /// # Errors
    /// `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn from_std(listener: std::os::unix::net::UnixListener) -> io::Result<Self> {
        let listener = mio::net::UnixListener::from_std(listener);
        Self::new(context::current_io(), listener, Interest::READABLE)
    }

    /// The next connection, and where it comes from.
    ///
    /// # Errors
    /// `WouldBlock`; those of accept(2).
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, addr) = self.get().accept()?;
        let stream = UnixStream::new(self.handle().clone(), stream, BOTH)?;
        // The client has often sent something before it was accepted.
        Ok((stream.assuming(Ready::READABLE | Ready::WRITABLE), addr))
    }
}

impl UnixDatagram {
    /// A socket without an address.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn unbound() -> io::Result<Self> {
        Self::of(context::current_io(), mio::net::UnixDatagram::unbound()?)
    }

    /// A socket at `path`.
    ///
    /// # Errors
    /// When something is there already.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn bind(path: &std::path::Path) -> io::Result<Self> {
        let handle = context::current_io();
        let socket = mio::net::UnixDatagram::bind_addr(&addr_of(path)?)?;
        Self::of(handle, socket)
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn pair() -> io::Result<(Self, Self)> {
        let handle = context::current_io();
        let (one, two) = mio::net::UnixDatagram::pair()?;
        let (one, two) = (Self::of(handle.clone(), one)?, Self::of(handle, two)?);
        Ok((one.assuming(Ready::WRITABLE), two.assuming(Ready::WRITABLE)))
    }

    /// Takes a socket that does not block.
    ///
    /// # Errors
    /// `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn from_std(socket: std::os::unix::net::UnixDatagram) -> io::Result<Self> {
        Self::of(
            context::current_io(),
            mio::net::UnixDatagram::from_std(socket),
        )
    }

    fn of(handle: Handle, socket: mio::net::UnixDatagram) -> io::Result<Self> {
        Registration::new(handle, socket, BOTH)
    }
}

/// A Unix socket for streams, or for datagrams.
///
/// # Errors
/// When the system has no descriptors left.
pub fn unix_socket(datagram: bool) -> io::Result<UnixSocket> {
    unix_socket::unix(datagram)
}

/// Connects `socket` to `path`.
///
/// # Errors
/// As [`UnixStream::connect_addr`].
///
/// # Panics
/// Outside of a runtime with I/O.
pub async fn connect_unix(socket: UnixSocket, path: &std::path::Path) -> io::Result<UnixStream> {
    let handle = context::current_io();
    unix_socket::begin_connect_unix(&socket, path)?;
    let stream = mio::net::UnixStream::from(OwnedFd::from(socket));
    UnixStream::new(handle, stream, BOTH)?.connected().await
}

/// Listens on `socket`, with at most `backlog` connections waiting to be accepted.
///
/// # Errors
/// Those of listen(2).
///
/// # Panics
/// Outside of a runtime with I/O.
#[track_caller]
pub fn listen_unix(socket: UnixSocket, backlog: u32) -> io::Result<UnixListener> {
    let handle = context::current_io();
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    UnixListener::new(handle, OwnedFd::from(socket).into(), Interest::READABLE)
}
