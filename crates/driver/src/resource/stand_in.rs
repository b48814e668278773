//! Sockets of the system that a program in a world gives to the runtime: crates make them with
//! `std` or `socket2`, to set what the runtime's own have not. The simulated socket in their
//! place is of the same family, at the same address, with the same options.
//!
//! Where they are bound the world knows (`world::net`); one that is connected, or that the system
//! has bound, is no stand-in, and stays what it is.

use std::io;
use std::net::SocketAddr;

use yamanote_sys::socket::{self, Socket};
use yamanote_world::Host;
use yamanote_world::net::{self as world, SocketOptions};

use crate::context;

/// What stands in the place of `socket`, if the thread is on a simulated host: neither bound nor
/// connected yet, or bound there.
pub(super) fn tcp(socket: &Socket) -> Option<io::Result<world::TcpSocket>> {
    let host = context::host()?;
    let bound = bound(&host, socket);
    if bound.is_none() && is_in_use(socket) {
        return None;
    }
    let family = bound.map_or_else(|| own_addr(socket), Some)?;
    let mut simulated = match family {
        SocketAddr::V4(_) => world::TcpSocket::new_v4(&host),
        SocketAddr::V6(_) => world::TcpSocket::new_v6(&host),
    };
    simulated.set_options(|options| copy_options(socket, options));
    let bind = bound.map_or(Ok(()), |addr| simulated.bind(addr));
    Some(bind.map(|()| simulated))
}

/// As [`tcp`], of a socket for datagrams that is bound.
pub(super) fn udp(socket: &Socket) -> Option<io::Result<world::UdpSocket>> {
    let host = context::host()?;
    let addr = bound(&host, socket)?;
    let mut options = SocketOptions::default();
    copy_options(socket, &mut options);
    Some(world::UdpSocket::bind_with(&host, addr, options))
}

fn bound(host: &Host, socket: &Socket) -> Option<SocketAddr> {
    host.stand_in(socket::cookie(socket)?)
}

/// Whether the system has bound or connected it.
fn is_in_use(socket: &Socket) -> bool {
    socket.peer_addr().is_ok() || own_addr(socket).is_none_or(|addr| addr.port() != 0)
}

fn own_addr(socket: &Socket) -> Option<SocketAddr> {
    socket.local_addr().ok()?.as_socket()
}

/// What the system does not tell stays as it is.
fn copy_options(socket: &Socket, options: &mut SocketOptions) {
    fn set<T>(option: &mut T, told: io::Result<T>) {
        if let Ok(told) = told {
            *option = told;
        }
    }
    set(&mut options.nodelay, socket.tcp_nodelay());
    set(&mut options.keepalive, socket.keepalive());
    if let Some((idle, step, probes)) = socket::keepalive(socket) {
        options.keepalive_idle = idle;
        options.keepalive_step = step;
        options.keepalive_probes = probes;
    }
    set(&mut options.linger, socket.linger());
    set(&mut options.reuse_address, socket.reuse_address());
    set(&mut options.reuse_port, socket::reuse_port(socket));
    set(&mut options.only_v6, socket.only_v6());
    set(&mut options.broadcast, socket.broadcast());
    set(&mut options.ttl, socket.ttl_v4());
}
