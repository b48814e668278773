//! TCP: listeners and streams.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;

use yamanote_base::interest::{Interest, Ready};
use yamanote_sys::receive;
use yamanote_sys::socket::{Backlog, Socket};
use yamanote_world::net as world;

use crate::context;
use crate::handle::Handle;
use crate::resource::{Registration, Resource, Watched, stand_in};

/// A listening TCP socket.
pub type TcpListener = Resource<mio::net::TcpListener, world::TcpListener>;
/// A connected TCP socket.
pub type TcpStream = Resource<mio::net::TcpStream, world::TcpStream>;

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

impl TcpListener {
    /// Listens on `addr`, which may be bound again soon after.
    ///
    /// # Errors
    /// When the address is in use, not this host's, or not allowed.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        match context::host_with_io() {
            Some(host) => {
                world::TcpListener::bind(&host, addr, Backlog::USUAL).map(Resource::World)
            }
            None => Self::of_os(mio::net::TcpListener::bind(addr)?),
        }
    }

    /// Takes a listener that does not block; in a simulated world, what it stands for there.
    ///
    /// # Errors
    /// In a simulated world: `AddrInUse`; `Unsupported` if it does not stand for one.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        let socket = Socket::from(listener);
        match stand_in::tcp(&socket) {
            Some(simulated) => simulated?.listen(Backlog::USUAL).map(Resource::World),
            None => Self::of_os(mio::net::TcpListener::from_std(socket.into())),
        }
    }

    #[track_caller]
    fn of_os(listener: mio::net::TcpListener) -> io::Result<Self> {
        let handle = context::current_io();
        let listener = Registration::new(handle, listener, Interest::READABLE)?;
        // Also where it is registered first, an accept is tried before it is waited for.
        Ok(Resource::Os(listener.assuming(Ready::READABLE)))
    }

    /// The next connection, and where it comes from.
    ///
    /// # Errors
    /// `WouldBlock`; those of accept(2).
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match self {
            Resource::Os(listener) => {
                let (stream, addr) = listener.get().accept()?;
                let stream = TcpStream::of_os(listener.handle().clone(), stream)?;
                // The client has often sent something before it was accepted.
                Ok((stream.assuming(Ready::READABLE | Ready::WRITABLE), addr))
            }
            Resource::World(listener) => listener
                .accept()
                .map(|(stream, addr)| (Resource::World(stream), addr)),
        }
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Resource::Os(listener) => listener.get().local_addr(),
            Resource::World(listener) => listener.local_addr(),
        }
    }
}

impl TcpStream {
    /// Connects to `addr`.
    ///
    /// *Cancel safety:* dropping it closes the socket.
    ///
    /// # Errors
    /// When the other side refuses, does not answer, or cannot be reached.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn connect(addr: SocketAddr) -> io::Result<Self> {
        let stream = match context::host_with_io() {
            Some(host) => Resource::World(world::TcpStream::connect(&host, addr)?),
            None => {
                let stream = mio::net::TcpStream::connect(addr)?;
                Self::of_os(context::current_io(), stream)?
            }
        };
        stream.connected().await
    }

    /// Waits until the connection that was begun stands.
    ///
    /// The first poll never finds it so, though over loopback it does stand at once: programs that
    /// begin several connections in one task count on all of them being begun. (hyper-util's client
    /// does, for one.)
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connected(self) -> io::Result<Self> {
        let stream = &self;
        let cell = stream.attach(None)?;
        cell.wait(Interest::WRITABLE).await;
        // A check changes nothing, wherever it panics.
        let checked = stream.async_io(Interest::WRITABLE, || stream.check_connected());
        AssertUnwindSafe(checked).await?;
        Ok(self.assuming(Ready::WRITABLE))
    }

    /// The same stream, taken to be ready for `assumed` if nobody has waited for it yet.
    fn assuming(self, assumed: Ready) -> Self {
        match self {
            Resource::Os(stream) => Resource::Os(stream.assuming(assumed)),
            other => other,
        }
    }

    /// Whether the connection stands: `WouldBlock` if that is open yet.
    fn check_connected(&self) -> io::Result<()> {
        if let Some(error) = self.take_error()? {
            return Err(error);
        }
        match self.peer_addr() {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            other => other.map(drop),
        }
    }

    /// Takes a stream that does not block.
    ///
    /// # Errors
    /// `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<Self> {
        let handle = context::current_io();
        Registration::new(handle, mio::net::TcpStream::from_std(stream), BOTH).map(Resource::Os)
    }

    pub(crate) fn of_os(handle: Handle, stream: mio::net::TcpStream) -> io::Result<Self> {
        match Registration::unchecked(handle, stream, BOTH) {
            Ok(stream) => Ok(Resource::Os(stream)),
            Err((_, error)) => Err(error),
        }
    }

    /// Reads into `buf` what then can be read again.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn peek<'a>(&self, buf: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]> {
        let buf = receive::zero(buf);
        let n = match self {
            Resource::Os(stream) => stream.get().peek(buf)?,
            Resource::World(stream) => stream.peek(buf)?,
        };
        Ok(&mut buf[..n])
    }

    /// The address of this end.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Resource::Os(stream) => stream.get().local_addr(),
            Resource::World(stream) => stream.local_addr(),
        }
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Resource::Os(stream) => stream.get().peer_addr(),
            Resource::World(stream) => stream.peer_addr(),
        }
    }
}
