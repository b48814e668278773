//! A descriptor that becomes readable when a process ends: pidfd_open(2), Linux 5.3.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// A descriptor of the process `pid`, a child of this one that nobody has waited for.
///
/// # Errors
/// `ENOSYS` where the kernel does not have it; when no descriptors are left.
pub(crate) fn open(pid: u32) -> io::Result<OwnedFd> {
    const NO_FLAGS: libc::c_uint = 0;
    let pid = pid as libc::pid_t;
    // SAFETY: the call takes two numbers and touches no memory.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, NO_FLAGS) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just made this descriptor, for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}
