//! Sockets before they are connected, and their options (socket2).

use std::io;
use std::net::SocketAddr;

use crate::source;
use socket2::{Domain, Protocol, Type};
pub use socket2::{SockAddr, SockRef, Socket};

pub use crate::source::assert_nonblocking;
pub use crate::stand_in::{cookie, keepalive, reuse_port};

/// How many connections wait to be accepted, if nobody says.
#[derive(Debug)]
pub struct Backlog;

impl Backlog {
    /// What most servers ask for; the system has a limit of its own.
    pub const USUAL: u32 = 1024;
}

/// A TCP socket that does not block.
///
/// # Errors
/// When the system has no descriptors left, or not the family.
pub fn tcp(v6: bool) -> io::Result<Socket> {
    let domain = if v6 { Domain::IPV6 } else { Domain::IPV4 };
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Begins to connect `socket` to `addr`; it is writable when that is done.
///
/// # Errors
/// What connect(2) says at once.
pub fn begin_connect(socket: &Socket, addr: SocketAddr) -> io::Result<()> {
    match socket.connect(&addr.into()) {
        Err(error) if source::is_begun(&error) => Ok(()),
        other => other,
    }
}

/// The address as one of the internet.
///
/// # Errors
/// If it is of another family.
pub fn inet_addr(addr: &SockAddr) -> io::Result<SocketAddr> {
    addr.as_socket()
        .ok_or_else(|| io::Error::other("the address is of another family"))
}
