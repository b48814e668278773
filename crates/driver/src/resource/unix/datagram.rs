//! Unix sockets for datagrams.

use std::io;
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use yamanote_base::interest::Ready;
use yamanote_sys::unix_socket;
use yamanote_world::net as world;

use super::{BOTH, UnixDatagram, addr_named, addr_of, name_at, read};
use crate::context;
use crate::resource::{Registration, Resource};

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
        match context::host_with_io() {
            Some(host) => Ok(Resource::World(world::UnixDatagram::unbound(&host))),
            None => Self::of_os(mio::net::UnixDatagram::unbound()?),
        }
    }

    /// A socket at `path`.
    ///
    /// # Errors
    /// When something is there already.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn bind(path: &Path) -> io::Result<Self> {
        match context::host_with_io() {
            Some(host) => world::UnixDatagram::bind(&host, &name_at(path)?).map(Resource::World),
            None => Self::of_os(mio::net::UnixDatagram::bind_addr(&addr_of(path)?)?),
        }
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
        if let Some(host) = context::host_with_io() {
            let (one, two) = world::UnixDatagram::pair(&host)?;
            return Ok((Resource::World(one), Resource::World(two)));
        }
        let (one, two) = mio::net::UnixDatagram::pair()?;
        let handle = context::current_io();
        let one = Registration::new(handle.clone(), one, BOTH)?;
        let two = Registration::new(handle, two, BOTH)?;
        let [one, two] = [one, two].map(|end| Resource::Os(end.assuming(Ready::WRITABLE)));
        Ok((one, two))
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
        Self::of_os(mio::net::UnixDatagram::from_std(socket))
    }

    #[track_caller]
    fn of_os(socket: mio::net::UnixDatagram) -> io::Result<Self> {
        Registration::new(context::current_io(), socket, BOTH).map(Resource::Os)
    }

    /// Sends to `path` from now on, and receives from there only.
    ///
    /// # Errors
    /// When nobody is there, or the path is too long.
    pub fn connect(&self, path: &Path) -> io::Result<()> {
        match self {
            Resource::Os(socket) => unix_socket::connect_datagram(socket.get(), path),
            Resource::World(socket) => socket.connect(&name_at(path)?),
        }
    }

    /// Sends to where it is connected.
    ///
    /// # Errors
    /// `WouldBlock`; when it is not connected, or nobody is there.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Resource::Os(socket) => socket.get().send(buf),
            Resource::World(socket) => socket.send(buf),
        }
    }

    /// Sends to `path`.
    ///
    /// # Errors
    /// `WouldBlock`; when nobody is there, or the path is too long.
    pub fn send_to(&self, buf: &[u8], path: &Path) -> io::Result<usize> {
        match self {
            Resource::Os(socket) => unix_socket::send_datagram(socket.get(), buf, path),
            Resource::World(socket) => socket.send_to(buf, &name_at(path)?),
        }
    }

    /// Receives a datagram into `buf`; returns the part that was filled.
    ///
    /// # Errors
    /// `WouldBlock`; those of the system.
    pub fn recv<'a>(&self, buf: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]> {
        match self {
            Resource::Os(socket) => read::recv_uninit(socket.get(), buf),
            Resource::World(socket) => {
                let buf = read::zero(buf);
                let (n, _) = socket.recv_from(buf)?;
                Ok(&mut buf[..n])
            }
        }
    }

    /// [`recv`](Self::recv), and who sent it.
    ///
    /// # Errors
    /// As there.
    pub fn recv_from<'a>(
        &self,
        buf: &'a mut [MaybeUninit<u8>],
    ) -> io::Result<(&'a mut [u8], SocketAddr)> {
        let buf = read::zero(buf);
        let (n, from) = match self {
            Resource::Os(socket) => socket.get().recv_from(buf)?,
            Resource::World(socket) => {
                let (n, name) = socket.recv_from(buf)?;
                (n, addr_named(&name)?)
            }
        };
        Ok((&mut buf[..n], from))
    }

    /// Shuts one or both directions down.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Resource::Os(socket) => socket.get().shutdown(how),
            Resource::World(socket) => socket.shutdown(how),
        }
    }

    /// The address of this end.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Resource::Os(socket) => socket.get().local_addr(),
            Resource::World(socket) => addr_named(&socket.local_name()?),
        }
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Resource::Os(socket) => socket.get().peer_addr(),
            Resource::World(socket) => addr_named(&socket.peer_name()?),
        }
    }
}
