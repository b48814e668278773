//! [`UdpSocket`].

use std::future::ready;
use std::io;
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use bytes::BufMut;
use yamanote_base::ready::Direction;
use yamanote_driver::resource::{self, SockRef, Watched};
use yamanote_io::{Interest, ReadBuf};

use crate::addr::{ToSocketAddrs, addrs_of, first_success};
use crate::fill::{fill, fill_with};
use crate::methods::{real, show_evented};

/// What who receives waits for: that a datagram of his was refused may be all that ever comes.
const RECEIVE: Interest = Interest::READABLE.add(Interest::ERROR);

/// A UDP socket: it sends to and receives from any address, or one, once it is connected.
///
/// All its operations need `&self` only; share it in an `Arc` between tasks.
pub struct UdpSocket {
    io: resource::UdpSocket,
}

impl UdpSocket {
    /// A socket at the first address of `addr` that can be bound.
    ///
    /// # Errors
    /// When none can be bound: in use, not this host's, not allowed.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        let bind = |addr| ready(resource::UdpSocket::bind(addr));
        first_success(addr, bind).await.map(|io| Self { io })
    }

    /// Takes std's socket, which must not block (`set_nonblocking`). In a simulated
    /// world it becomes a simulated one, if it was bound there (feature `sim`).
    ///
    /// # Errors
    /// In a simulated world: `AddrInUse`; `Unsupported` if it is real.
    ///
    /// # Panics
    /// Outside of a runtime with I/O; in debug builds, if it blocks.
    #[track_caller]
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        resource::assert_nonblocking(&socket);
        resource::UdpSocket::from_std(socket).map(|io| Self { io })
    }

    /// Std's socket, which does not block.
    ///
    /// # Errors
    /// `Unsupported` if it is simulated.
    pub fn into_std(self) -> io::Result<std::net::UdpSocket> {
        self.io.into_os().map(Into::into)
    }

    /// The address of this end.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    /// When it is not connected.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr()
    }

    /// Sends to the first address of `addr` that is accepted, and receives from there only.
    ///
    /// # Errors
    /// When no address is accepted.
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        first_success(addr, |addr| ready(self.io.connect(addr))).await
    }
}

/// Sending to an address.
impl UdpSocket {
    /// Sends `buf` to the first address of `target`.
    ///
    /// *Cancel safety:* if it is dropped, nothing was sent.
    ///
    /// # Errors
    /// When `target` has no address or cannot be reached, or `buf` is too long.
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], target: A) -> io::Result<usize> {
        let Some(target) = addrs_of(target).await?.next() else {
            let what = "no addresses to send data to";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        };
        self.io
            .async_io(Interest::WRITABLE, || self.io.send_to(buf, target))
            .await
    }

    /// [`send_to`](Self::send_to) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.io
            .poll_io(cx, Direction::Write, || self.io.send_to(buf, target))
    }

    /// [`send_to`](Self::send_to) at once.
    ///
    /// # Errors
    /// As there; `WouldBlock` if there is no room.
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.io
            .try_io(Interest::WRITABLE, || self.io.send_to(buf, target))
    }
}

/// Looking at what will be received next.
impl UdpSocket {
    /// [`recv`](Self::recv) that leaves the datagram where it is.
    ///
    /// # Errors
    /// As there.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        let peek = || fill(&mut &mut *buf, |buf| self.io.peek(buf));
        self.io.async_io(RECEIVE, peek).await
    }

    /// [`peek`](Self::peek) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let peek = || fill(buf, |buf| self.io.peek(buf));
        self.io.poll_io(cx, Direction::Read, peek).map_ok(drop)
    }

    /// [`peek`](Self::peek) at once.
    ///
    /// # Errors
    /// As there; `WouldBlock` if nothing is there.
    pub fn try_peek(&self, mut buf: &mut [u8]) -> io::Result<usize> {
        self.io.try_io(Interest::READABLE, || {
            fill(&mut buf, |buf| self.io.peek(buf))
        })
    }

    /// [`recv_from`](Self::recv_from) that leaves the datagram where it is.
    ///
    /// # Errors
    /// As there.
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let peek = || fill_with(&mut &mut *buf, |buf| self.io.peek_from(buf));
        self.io.async_io(RECEIVE, peek).await
    }

    /// [`peek_from`](Self::peek_from) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_peek_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let peek = || fill_with(buf, |buf| self.io.peek_from(buf));
        self.io
            .poll_io(cx, Direction::Read, peek)
            .map_ok(|(_, from)| from)
    }

    /// [`peek_from`](Self::peek_from) at once.
    ///
    /// # Errors
    /// As there; `WouldBlock` if nothing is there.
    pub fn try_peek_from(&self, mut buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let peek = || fill_with(&mut buf, |buf| self.io.peek_from(buf));
        self.io.try_io(Interest::READABLE, peek)
    }

    /// The sender of the next datagram.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    pub async fn peek_sender(&self) -> io::Result<SocketAddr> {
        self.io.async_io(RECEIVE, || self.sender_of_next()).await
    }

    /// [`peek_sender`](Self::peek_sender) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_peek_sender(&self, cx: &mut Context<'_>) -> Poll<io::Result<SocketAddr>> {
        self.io
            .poll_io(cx, Direction::Read, || self.sender_of_next())
    }

    /// [`peek_sender`](Self::peek_sender) at once.
    ///
    /// # Errors
    /// As there; `WouldBlock` if nothing is there.
    pub fn try_peek_sender(&self) -> io::Result<SocketAddr> {
        self.io.try_io(Interest::READABLE, || self.sender_of_next())
    }

    fn recv_chunk_from<'a>(
        &self,
        buf: &'a mut [MaybeUninit<u8>],
    ) -> io::Result<(&'a mut [u8], SocketAddr)> {
        self.io.recv_from(buf)
    }

    fn sender_of_next(&self) -> io::Result<SocketAddr> {
        self.io.peek_sender()
    }
}

/// Options.
impl UdpSocket {
    socket_options! {
        /// Whether datagrams may be sent to everybody in a network.
        broadcast, set_broadcast: bool = broadcast, set_broadcast, broadcast;

        /// Whether it hears its own multicasts (IPv4).
        multicast_loop_v4, set_multicast_loop_v4: bool =
            multicast_loop_v4, set_multicast_loop_v4, multicast_loop_v4;

        /// Whether it hears its own multicasts (IPv6).
        multicast_loop_v6, set_multicast_loop_v6: bool =
            multicast_loop_v6, set_multicast_loop_v6, multicast_loop_v6;

        /// Hops that its multicasts may take (IPv4).
        multicast_ttl_v4, set_multicast_ttl_v4: u32 =
            multicast_ttl_v4, set_multicast_ttl_v4, multicast_ttl_v4;

        /// Hops that its packets may take.
        ttl, set_ttl: u32 = ttl_v4, set_ttl_v4, ttl;
    }

    tos_options!();

    /// Joins a multicast group (IPv4) on an interface; the unspecified address is any.
    ///
    /// # Errors
    /// Those of the system. On a simulated network every interface is the same.
    pub fn join_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        let os = |socket: SockRef<'_>| socket.join_multicast_v4(&group, &interface);
        self.io.join_multicast(group.into(), os)
    }

    /// Joins a multicast group (IPv6) on an interface; 0 is any.
    ///
    /// # Errors
    /// As [`join_multicast_v4`](Self::join_multicast_v4).
    pub fn join_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        let os = |socket: SockRef<'_>| socket.join_multicast_v6(group, interface);
        self.io.join_multicast((*group).into(), os)
    }

    /// Leaves a multicast group (IPv4).
    ///
    /// # Errors
    /// Those of the system.
    pub fn leave_multicast_v4(&self, group: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        let os = |socket: SockRef<'_>| socket.leave_multicast_v4(&group, &interface);
        self.io.leave_multicast(group.into(), os)
    }

    /// Leaves a multicast group (IPv6).
    ///
    /// # Errors
    /// Those of the system.
    pub fn leave_multicast_v6(&self, group: &Ipv6Addr, interface: u32) -> io::Result<()> {
        let os = |socket: SockRef<'_>| socket.leave_multicast_v6(group, interface);
        self.io.leave_multicast((*group).into(), os)
    }
}

/// What Windows has not.
#[cfg(unix)]
impl UdpSocket {
    socket_options! {
        /// Traffic class of its packets (IPv6).
        tclass_v6, set_tclass_v6: u32 = tclass_v6, set_tclass_v6, tos;
    }
}

/// What only Linux has.
#[cfg(any(target_os = "linux", target_os = "android"))]
impl UdpSocket {
    device_options!();
}

datagram_methods!(UdpSocket, SocketAddr, RECEIVE);
readiness_methods!(UdpSocket, poll_recv_ready, poll_send_ready);
descriptor!(UdpSocket, |io| real(io.os()));
socket_traits!(UdpSocket, std::net::UdpSocket, show_evented);
