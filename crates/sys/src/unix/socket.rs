//! Sockets before they are connected, and their options (socket2).

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use socket2::{Domain, Protocol, Type};
pub use socket2::{SockAddr, SockRef, Socket};

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

/// A Unix socket that does not block, for streams or for datagrams.
///
/// # Errors
/// When the system has no descriptors left.
pub fn unix(datagram: bool) -> io::Result<Socket> {
    let kind = if datagram { Type::DGRAM } else { Type::STREAM };
    let socket = Socket::new(Domain::UNIX, kind, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Begins to connect `socket` to `addr`; it is writable when that is done.
///
/// # Errors
/// What connect(2) says at once.
pub fn begin_connect(socket: &Socket, addr: SocketAddr) -> io::Result<()> {
    begun(socket.connect(&addr.into()))
}

/// [`begin_connect`] to a Unix socket at `path`.
///
/// # Errors
/// As there; when the path is too long.
pub fn begin_connect_unix(socket: &Socket, path: &Path) -> io::Result<()> {
    begun(socket.connect(&SockAddr::unix(path)?))
}

fn begun(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(()),
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
