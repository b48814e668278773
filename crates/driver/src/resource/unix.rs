//! What Unix systems have: sockets in the file system; and pipes, of which a world has none.

mod datagram;

use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::path::Path;

use yamanote_base::interest::{Interest, Ready};
use yamanote_base::ready::ReadyCell;
use yamanote_sys::socket::Socket;
use yamanote_sys::unix_socket;
use yamanote_world::net::{self as world, SocketOptions, UnixName};

use crate::context;
use crate::resource::{Registration, Resource, Watched, WorldSocket, only_real};

pub use yamanote_sys::credentials::{Credentials, peer_credentials};
pub use yamanote_sys::pipe;
pub use yamanote_sys::read;
pub use yamanote_sys::unix_socket::{abstract_name, unix_addr as addr_of};

/// A connected Unix socket.
pub type UnixStream = Resource<mio::net::UnixStream, world::UnixStream>;
/// A listening Unix socket.
pub type UnixListener = Resource<mio::net::UnixListener, world::UnixListener>;
/// A Unix socket for datagrams.
pub type UnixDatagram = Resource<mio::net::UnixDatagram, world::UnixDatagram>;
/// A connected Unix socket of the system, also where the thread stands on a simulated host.
pub type OsUnixStream = Registration<mio::net::UnixStream>;
/// One end of a pipe, or whatever else is a descriptor.
pub type PipeEnd = Registration<File>;
/// How an end of a pipe shows itself, by the name that it has: as what events are waited for.
pub struct ShownEnd<'a>(pub &'static str, pub &'a PipeEnd);
/// A Unix socket that is not connected yet.
#[derive(Debug)]
pub enum UnixSocket {
    /// The operating system's.
    Os(Socket),
    /// The simulated world's.
    World(world::UnixSocket),
}

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
/// How many connections may wait to be accepted, unless it is said.
const BACKLOG: u32 = 1024;

macro_rules! world_sockets {
    ($($socket:ident)*) => {$(
        impl WorldSocket for world::$socket {
            fn ready(&self) -> &ReadyCell {
                self.ready()
            }

            fn options(&self) -> SocketOptions {
                SocketOptions::default()
            }

            /// Unix sockets have no options here.
            fn set_options(&self, _: impl FnOnce(&mut SocketOptions)) {}

            fn take_error(&self) -> io::Result<Option<io::Error>> {
                Ok(None)
            }
        }
    )*};
}

world_sockets! { UnixListener UnixStream UnixDatagram }
world_stream!(world::UnixStream);

/// The name that an address is in a world.
fn name_of(addr: &SocketAddr) -> UnixName {
    match (addr.as_pathname(), abstract_name(addr)) {
        (Some(path), _) => UnixName::Path(path.to_owned()),
        (None, Some(name)) => UnixName::Abstract(name.to_owned()),
        (None, None) => UnixName::Unnamed,
    }
}

/// [`name_of`] a path, which may be an abstract name.
fn name_at(path: &Path) -> io::Result<UnixName> {
    addr_of(path).map(|addr| name_of(&addr))
}

/// The address that a name is outside of a world.
fn addr_named(name: &UnixName) -> io::Result<SocketAddr> {
    match name {
        UnixName::Unnamed => unix_socket::unnamed(),
        UnixName::Path(path) => addr_of(path),
        UnixName::Abstract(name) => {
            let path = [&[0], name.as_slice()].concat();
            addr_of(Path::new(OsStr::from_bytes(&path)))
        }
    }
}

impl UnixStream {
    /// Connects to `addr`.
    ///
    /// # Errors
    /// When nobody listens there, or more connections wait than the listener allows.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn connect_addr(addr: &SocketAddr) -> io::Result<Self> {
        if let Some(host) = context::host_with_io() {
            return world::UnixStream::connect(&host, &name_of(addr)).map(Resource::World);
        }
        let stream = mio::net::UnixStream::connect_addr(addr)?;
        let stream = OsUnixStream::new(context::current_io(), stream, BOTH)?;
        stream.connected().await.map(Resource::Os)
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
        OsUnixStream::from_std(stream).map(Resource::Os)
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
        if let Some(host) = context::host_with_io() {
            let (one, two) = world::UnixStream::pair(&host)?;
            return Ok((Resource::World(one), Resource::World(two)));
        }
        let (one, two) = mio::net::UnixStream::pair()?;
        let handle = context::current_io();
        let one = OsUnixStream::new(handle.clone(), one, BOTH)?;
        let two = OsUnixStream::new(handle, two, BOTH)?;
        let [one, two] = [one, two].map(|end| Resource::Os(end.assuming(Ready::WRITABLE)));
        Ok((one, two))
    }

    /// The address of this end.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Resource::Os(stream) => stream.get().local_addr(),
            Resource::World(stream) => addr_named(&stream.local_name()?),
        }
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Resource::Os(stream) => stream.get().peer_addr(),
            Resource::World(stream) => addr_named(&stream.peer_name()?),
        }
    }

    /// Who is at the other end: on a simulated host, a process 1 of the user 0.
    ///
    /// # Errors
    /// Those of the system.
    pub fn peer_credentials(&self) -> io::Result<Credentials> {
        match self {
            Resource::Os(stream) => peer_credentials(stream.get().as_fd()),
            Resource::World(_) => Ok(Credentials {
                pid: Some(1),
                uid: 0,
                gid: 0,
            }),
        }
    }
}

impl fmt::Debug for ShownEnd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Named<'a>(&'static str, &'a File);
        impl fmt::Debug for Named<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(self.0).field("inner", &self.1).finish()
            }
        }
        let end = Some(Named(self.0, self.1.get()));
        f.debug_struct("PollEvented").field("io", &end).finish()
    }
}

impl OsUnixStream {
    /// Waits until the connection that was begun stands.
    async fn connected(self) -> io::Result<Self> {
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
        let cell = self.attach(None)?;
        cell.wait(Interest::WRITABLE).await;
        // A check changes nothing, wherever it panics.
        AssertUnwindSafe(self.async_io(Interest::WRITABLE, check)).await?;
        Ok(self.assuming(Ready::WRITABLE))
    }

    /// Takes a stream of the system that does not block.
    ///
    /// # Errors
    /// `Unsupported` in a simulated world.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn from_std(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        let stream = mio::net::UnixStream::from_std(stream);
        Self::new(context::current_io(), stream, BOTH)
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
        if let Some(host) = context::host_with_io() {
            let listener = world::UnixListener::bind(&host, &name_of(addr), BACKLOG);
            return listener.map(Resource::World);
        }
        Self::of_os(mio::net::UnixListener::bind_addr(addr)?)
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
        Self::of_os(mio::net::UnixListener::from_std(listener))
    }

    #[track_caller]
    fn of_os(listener: mio::net::UnixListener) -> io::Result<Self> {
        let handle = context::current_io();
        Registration::new(handle, listener, Interest::READABLE).map(Resource::Os)
    }

    /// The next connection, and where it comes from.
    ///
    /// # Errors
    /// `WouldBlock`; those of accept(2).
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        match self {
            Resource::Os(listener) => {
                let (stream, addr) = listener.get().accept()?;
                let stream = OsUnixStream::new(listener.handle().clone(), stream, BOTH)?;
                // The client has often sent something before it was accepted.
                let stream = stream.assuming(Ready::READABLE | Ready::WRITABLE);
                Ok((Resource::Os(stream), addr))
            }
            Resource::World(listener) => {
                let (stream, name) = listener.accept()?;
                Ok((Resource::World(stream), addr_named(&name)?))
            }
        }
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Resource::Os(listener) => listener.get().local_addr(),
            Resource::World(listener) => addr_named(&listener.local_name()?),
        }
    }
}

impl UnixSocket {
    /// A socket for streams, or for datagrams: of the simulated host that the thread stands on, or
    /// of the system.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    pub fn new(is_datagram: bool) -> io::Result<Self> {
        match context::host() {
            Some(host) => Ok(Self::World(world::UnixSocket::new(&host, is_datagram))),
            None => unix_socket::unix(is_datagram).map(Self::Os),
        }
    }

    /// The system's socket.
    ///
    /// # Errors
    /// `Unsupported` if it is simulated.
    pub fn os(&self) -> io::Result<&Socket> {
        match self {
            UnixSocket::Os(socket) => Ok(socket),
            UnixSocket::World(_) => Err(only_real()),
        }
    }

    /// The system's socket, for its owner.
    ///
    /// # Errors
    /// `Unsupported` if it is simulated.
    pub fn into_os(self) -> io::Result<Socket> {
        match self {
            UnixSocket::Os(socket) => Ok(socket),
            UnixSocket::World(_) => Err(only_real()),
        }
    }

    /// Whether it is for datagrams.
    ///
    /// # Errors
    /// Those of the system.
    pub fn is_datagram(&self) -> io::Result<bool> {
        match self {
            UnixSocket::Os(socket) => unix_socket::is_datagram(socket),
            UnixSocket::World(socket) => Ok(socket.is_datagram()),
        }
    }

    /// Binds it to `path`.
    ///
    /// # Errors
    /// When something is there already, or the path is too long.
    pub fn bind(&self, path: &Path) -> io::Result<()> {
        match self {
            UnixSocket::Os(socket) => unix_socket::bind_unix(socket, path),
            UnixSocket::World(socket) => socket.bind(&name_at(path)?),
        }
    }

    /// Connects to `path`.
    ///
    /// # Errors
    /// As [`UnixStream::connect_addr`].
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn connect(self, path: &Path) -> io::Result<UnixStream> {
        match self {
            UnixSocket::Os(socket) => {
                unix_socket::begin_connect_unix(&socket, path)?;
                let stream = mio::net::UnixStream::from(OwnedFd::from(socket));
                let stream = OsUnixStream::new(context::current_io(), stream, BOTH)?;
                stream.connected().await.map(Resource::Os)
            }
            UnixSocket::World(socket) => socket.connect(&name_at(path)?).map(Resource::World),
        }
    }

    /// Listens, with at most `backlog` connections waiting to be accepted.
    ///
    /// # Errors
    /// Those of listen(2).
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<UnixListener> {
        match self {
            UnixSocket::Os(socket) => {
                socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
                UnixListener::of_os(OwnedFd::from(socket).into())
            }
            UnixSocket::World(socket) => socket.listen(backlog).map(Resource::World),
        }
    }

    /// The socket for datagrams that it is.
    ///
    /// # Errors
    /// Those of the system.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn datagram(self) -> io::Result<UnixDatagram> {
        match self {
            UnixSocket::Os(socket) => UnixDatagram::from_std(socket.into()),
            UnixSocket::World(socket) => socket.datagram().map(Resource::World),
        }
    }
}
