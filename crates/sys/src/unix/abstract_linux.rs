//! Names of Unix sockets that are no files: Linux's.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;

/// The address of the abstract `name`.
///
/// # Errors
/// When the name is too long.
pub(crate) fn addr(name: &[u8]) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name)
}

/// The abstract name of `addr`, if it has one.
pub fn name_of(addr: &SocketAddr) -> Option<&[u8]> {
    addr.as_abstract_name()
}
