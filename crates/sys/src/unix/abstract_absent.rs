//! Names of Unix sockets that are no files: this system has none.

use std::io;
use std::os::unix::net::SocketAddr;

/// The address of the abstract `name`.
///
/// # Errors
/// Always: there is no such name.
pub(crate) fn addr(_name: &[u8]) -> io::Result<SocketAddr> {
    Err(io::Error::new(
        io::ErrorKind::InvalidInput,
        "this system has no abstract names",
    ))
}

/// The abstract name of `addr`: it has none.
pub fn name_of(_addr: &SocketAddr) -> Option<&[u8]> {
    None
}
