//! Sockets of Unix before they are connected, and their names.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::path::Path;

use crate::abstract_name;
pub use crate::abstract_name::name_of as abstract_name;
use crate::source;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

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

/// [`begin_connect`](crate::socket::begin_connect) to a Unix socket at `path`.
///
/// # Errors
/// As there; when the path is too long.
pub fn begin_connect_unix(socket: &Socket, path: &Path) -> io::Result<()> {
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if source::is_begun(&error) => Ok(()),
        other => other,
    }
}

/// Whether `socket` is for datagrams.
///
/// # Errors
/// Those of the system.
pub fn is_datagram(socket: &Socket) -> io::Result<bool> {
    Ok(socket.r#type()? == Type::DGRAM)
}

/// Binds a Unix socket to `path`.
///
/// # Errors
/// When something is there already, or the path is too long.
pub fn bind_unix(socket: &Socket, path: &Path) -> io::Result<()> {
    socket.bind(&SockAddr::unix(path)?)
}

/// Has a socket for datagrams send to `path`, and receive from there only.
///
/// # Errors
/// When nobody is there, or the path is too long or has a zero byte inside.
pub fn connect_datagram(socket: &impl AsFd, path: &Path) -> io::Result<()> {
    SockRef::from(socket).connect(&datagram_addr(path)?)
}

/// Sends a datagram to `path`.
///
/// # Errors
/// When nobody is there, there is no room, or the path is too long or has a zero byte inside.
pub fn send_datagram(socket: &impl AsFd, buf: &[u8], path: &Path) -> io::Result<usize> {
    SockRef::from(socket).send_to(buf, &datagram_addr(path)?)
}

/// The address at `path`, as [`unix_addr`]: the system would take a zero byte for its end.
fn datagram_addr(path: &Path) -> io::Result<SockAddr> {
    let name = match path.as_os_str().as_bytes() {
        [0, ..] => &[],
        name => name,
    };
    if name.contains(&0) {
        let message = "paths must not contain interior null bytes";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    SockAddr::unix(path)
}

/// The address of a Unix socket that has none.
///
/// # Errors
/// When the system has no descriptors left: std makes such an address of a socket only.
pub fn unnamed() -> io::Result<UnixAddr> {
    std::os::unix::net::UnixDatagram::unbound()?.local_addr()
}

/// The address of a Unix socket at `path`; on Linux, a path that begins with a zero byte is an
/// abstract name.
///
/// # Errors
/// When the path is too long, or has a zero byte inside.
pub fn unix_addr(path: &Path) -> io::Result<UnixAddr> {
    match path.as_os_str().as_bytes() {
        [0, name @ ..] => abstract_name::addr(name),
        _ => UnixAddr::from_pathname(path),
    }
}
