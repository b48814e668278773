//! Where there is no pidfd_open(2).

use std::io;
use std::os::fd::OwnedFd;

/// There is no such descriptor here.
///
/// # Errors
/// Always `Unsupported`.
pub(crate) fn open(_pid: u32) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nobody has such a descriptor here.
///
/// # Errors
/// Always `Unsupported`.
pub(crate) fn kill(_pidfd: &OwnedFd) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nobody has asked.
pub(crate) fn is_gone(_error: &io::Error) -> bool {
    false
}
