//! UDP sockets.

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr};

use yamanote_base::interest::{Interest, Ready};
use yamanote_sys::receive;
use yamanote_sys::socket::Socket;
use yamanote_world::net as world;

use crate::context;
use crate::handle::Handle;
use crate::resource::{Registration, Resource, SockRef, stand_in};

/// A UDP socket.
pub type UdpSocket = Resource<mio::net::UdpSocket, world::UdpSocket>;

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// Who receives waits for a datagram nearly always, and goes on doing so: it is registered before
/// it tries. Who only sends never need be.
fn registration(
    handle: Handle,
    socket: mio::net::UdpSocket,
) -> io::Result<Registration<mio::net::UdpSocket>> {
    let registration = Registration::new(handle, socket, BOTH)?;
    Ok(registration
        .assuming(Ready::WRITABLE)
        .awaiting(Interest::READABLE))
}

impl UdpSocket {
    /// A socket at `addr`.
    ///
    /// # Errors
    /// When the address is in use, not this host's, or not allowed.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        match context::host_with_io() {
            Some(host) => world::UdpSocket::bind(&host, addr).map(Resource::World),
            None => {
                let socket = mio::net::UdpSocket::bind(addr)?;
                registration(context::current_io(), socket).map(Resource::Os)
            }
        }
    }

    /// Takes a socket that does not block; in a simulated world, what it stands for there.
    ///
    /// # Errors
    /// In a simulated world: `AddrInUse`; `Unsupported` if it does not stand for one.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<Self> {
        let handle = context::current_io();
        let socket = Socket::from(socket);
        match stand_in::udp(&socket) {
            Some(simulated) => simulated.map(Resource::World),
            None => {
                let socket = mio::net::UdpSocket::from_std(socket.into());
                registration(handle, socket).map(Resource::Os)
            }
        }
    }

    /// Sends to `addr` from now on, and receives from there only.
    ///
    /// # Errors
    /// When `addr` cannot be reached.
    pub fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        match self {
            Resource::Os(socket) => socket.get().connect(addr),
            Resource::World(socket) => socket.connect(addr),
        }
    }

    /// Joins a multicast group; `os` tells the system.
    ///
    /// # Errors
    /// Those of the system; `InvalidInput` if it is no such group.
    pub fn join_multicast(
        &self,
        group: IpAddr,
        os: impl FnOnce(SockRef<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Resource::Os(socket) => os(SockRef::from(socket.get())),
            Resource::World(socket) => socket.join(group),
        }
    }

    /// Leaves a multicast group; `os` tells the system.
    ///
    /// # Errors
    /// Those of the system; `AddrNotAvailable` if it is in no such group.
    pub fn leave_multicast(
        &self,
        group: IpAddr,
        os: impl FnOnce(SockRef<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Resource::Os(socket) => os(SockRef::from(socket.get())),
            Resource::World(socket) => socket.leave(group),
        }
    }

    /// Sends `buf` to the address that it is connected to.
    ///
    /// # Errors
    /// `WouldBlock`; when it is not connected, or was refused before.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Resource::Os(socket) => socket.get().send(buf),
            Resource::World(socket) => socket.send(buf),
        }
    }

    /// Sends `buf` to `target`.
    ///
    /// # Errors
    /// `WouldBlock`; when `target` cannot be reached.
    pub fn send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        match self {
            Resource::Os(socket) => socket.get().send_to(buf, target),
            Resource::World(socket) => socket.send_to(buf, target),
        }
    }

    /// Receives a datagram into `buf`; returns the part that was filled.
    ///
    /// # Errors
    /// `WouldBlock`; when an earlier datagram was refused.
    pub fn recv<'a>(&self, buf: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]> {
        match self {
            Resource::Os(socket) => receive::recv_uninit(socket.get(), buf),
            Resource::World(socket) => {
                let buf = receive::zero(buf);
                let n = socket.recv(buf)?;
                Ok(&mut buf[..n])
            }
        }
    }

    /// Receives a datagram into `buf`; returns the part that was filled, and the sender.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn recv_from<'a>(
        &self,
        buf: &'a mut [MaybeUninit<u8>],
    ) -> io::Result<(&'a mut [u8], SocketAddr)> {
        match self {
            Resource::Os(socket) => receive::recv_from_uninit(socket.get(), buf),
            Resource::World(socket) => {
                let buf = receive::zero(buf);
                let (n, from) = socket.recv_from(buf)?;
                Ok((&mut buf[..n], from))
            }
        }
    }

    /// [`recv`](Self::recv) that leaves the datagram where it is.
    ///
    /// # Errors
    /// As there.
    pub fn peek<'a>(&self, buf: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]> {
        let buf = receive::zero(buf);
        let n = match self {
            Resource::Os(socket) => socket.get().peek(buf)?,
            Resource::World(socket) => socket.peek(buf)?,
        };
        Ok(&mut buf[..n])
    }

    /// [`recv_from`](Self::recv_from) that leaves the datagram where it is.
    ///
    /// # Errors
    /// As there.
    pub fn peek_from<'a>(
        &self,
        buf: &'a mut [MaybeUninit<u8>],
    ) -> io::Result<(&'a mut [u8], SocketAddr)> {
        let buf = receive::zero(buf);
        let (n, from) = match self {
            Resource::Os(socket) => socket.get().peek_from(buf)?,
            Resource::World(socket) => socket.peek_from(buf)?,
        };
        Ok((&mut buf[..n], from))
    }

    /// Who has sent the datagram that is next.
    ///
    /// # Errors
    /// As [`recv`](Self::recv).
    pub fn peek_sender(&self) -> io::Result<SocketAddr> {
        match self {
            Resource::Os(socket) => receive::peek_sender(socket.get()),
            Resource::World(socket) => socket.peek_from(&mut []).map(|(_, from)| from),
        }
    }

    /// The address of this end.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Resource::Os(socket) => socket.get().local_addr(),
            Resource::World(socket) => socket.local_addr(),
        }
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Resource::Os(socket) => socket.get().peer_addr(),
            Resource::World(socket) => socket.peer_addr(),
        }
    }
}
