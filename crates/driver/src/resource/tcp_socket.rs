//! A TCP socket before it connects or listens: [`TcpSocket`].

use std::io;
use std::net::SocketAddr;

use yamanote_base::lock::Mutex;
use yamanote_sys::socket::{self, SockRef, Socket};
use yamanote_sys::source::OwnedDescriptor;
use yamanote_world::net::{self as world, SocketOptions};

use crate::context;
use crate::resource::{Resource, TcpListener, TcpStream, only_real, stand_in};

/// A TCP socket that may be configured and bound, and then connects or listens.
#[derive(Debug)]
pub enum TcpSocket {
    /// The operating system's.
    Os(Socket),
    /// The simulated world's.
    World(Mutex<world::TcpSocket>),
}

impl TcpSocket {
    /// A socket for IPv4, or for IPv6 if `v6`.
    ///
    /// Inside a simulated world it is simulated, everywhere else real; it needs no runtime yet.
    ///
    /// # Errors
    /// When the system has no descriptors left, or not the family.
    pub fn new(v6: bool) -> io::Result<Self> {
        match context::host() {
            Some(host) if v6 => Ok(Self::of_world(world::TcpSocket::new_v6(&host))),
            Some(host) => Ok(Self::of_world(world::TcpSocket::new_v4(&host))),
            None => socket::tcp(v6).map(TcpSocket::Os),
        }
    }

    fn of_world(socket: world::TcpSocket) -> Self {
        TcpSocket::World(Mutex::new(socket))
    }

    /// Takes a socket of the real system that does not block; in a simulated world, what it
    /// stands for there.
    #[must_use]
    pub fn of_fd(fd: OwnedDescriptor) -> Self {
        let socket = fd.into();
        match stand_in::tcp(&socket) {
            Some(Ok(simulated)) => Self::of_world(simulated),
            // One that has lost its address is of no use in a world: the next call says so.
            Some(Err(_)) | None => TcpSocket::Os(socket),
        }
    }

    /// The socket's descriptor.
    ///
    /// # Errors
    /// `Unsupported` if it is simulated.
    pub fn into_fd(self) -> io::Result<OwnedDescriptor> {
        match self {
            TcpSocket::Os(socket) => Ok(socket.into()),
            TcpSocket::World(_) => Err(only_real()),
        }
    }

    /// Binds it to `addr`.
    ///
    /// # Errors
    /// When the address is in use, not this host's, or not allowed.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        match self {
            TcpSocket::Os(socket) => socket.bind(&addr.into()),
            TcpSocket::World(socket) => socket.lock().bind(addr),
        }
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            TcpSocket::Os(socket) => socket::inet_addr(&socket.local_addr()?),
            TcpSocket::World(socket) => Ok(socket.lock().local_addr()),
        }
    }

    /// Connects it to `addr`.
    ///
    /// *Cancel safety:* dropping it closes the socket.
    ///
    /// # Errors
    /// As [`TcpStream::connect`].
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn connect(self, addr: SocketAddr) -> io::Result<TcpStream> {
        let stream = match self {
            TcpSocket::Os(socket) => {
                socket::begin_connect(&socket, addr)?;
                let stream = mio::net::TcpStream::from_std(socket.into());
                TcpStream::of_os(context::current_io(), stream)?
            }
            TcpSocket::World(socket) => Resource::World(socket.into_inner().connect(addr)?),
        };
        stream.connected().await
    }

    /// Listens, with at most `backlog` connections waiting to be accepted.
    ///
    /// # Errors
    /// When the address is in use.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        match self {
            TcpSocket::Os(socket) => {
                socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
                TcpListener::from_std(socket.into())
            }
            TcpSocket::World(socket) => socket.into_inner().listen(backlog).map(Resource::World),
        }
    }

    /// Reads an option: `os` asks the system, `world` what the simulated socket remembers.
    ///
    /// # Errors
    /// Those of the system.
    pub fn option<R>(
        &self,
        os: impl FnOnce(SockRef<'_>) -> io::Result<R>,
        world: impl FnOnce(SocketOptions) -> R,
    ) -> io::Result<R> {
        match self {
            TcpSocket::Os(socket) => os(SockRef::from(socket)),
            TcpSocket::World(socket) => Ok(world(socket.lock().options())),
        }
    }

    /// Sets an option: `os` tells the system, `world` the simulated socket.
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_option(
        &self,
        os: impl FnOnce(SockRef<'_>) -> io::Result<()>,
        world: impl FnOnce(&mut SocketOptions),
    ) -> io::Result<()> {
        match self {
            TcpSocket::Os(socket) => os(SockRef::from(socket)),
            TcpSocket::World(socket) => {
                socket.lock().set_options(world);
                Ok(())
            }
        }
    }

    /// The operating system's socket.
    ///
    /// # Errors
    /// `Unsupported` if it is simulated.
    pub fn os(&self) -> io::Result<&Socket> {
        match self {
            TcpSocket::Os(socket) => Ok(socket),
            TcpSocket::World(_) => Err(only_real()),
        }
    }
}
