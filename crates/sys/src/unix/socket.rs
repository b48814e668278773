//! Sockets before they are connected, and their options (socket2).

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::path::Path;

use crate::abstract_name;
pub use crate::abstract_name::name_of as abstract_name;
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

/// Checks, in debug builds, that operations on `socket` do not block.
///
/// # Panics
/// If they do: then one task would stop its whole thread.
#[track_caller]
pub fn assert_nonblocking(socket: &impl AsFd) {
    debug_assert!(
        SockRef::from(socket).nonblocking().unwrap_or(true),
        "Registering a blocking socket with the tokio runtime is unsupported. \
         Call `set_nonblocking(true)` on it first."
    );
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
