//! A descriptor that becomes readable when a process ends: pidfd_open(2), Linux 5.3.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

const NO_FLAGS: libc::c_uint = 0;

/// A descriptor of the process `pid`, a child of this one that nobody has waited for.
///
/// # Errors
/// `ENOSYS` where the kernel does not have it; when no descriptors are left.
pub(crate) fn open(pid: u32) -> io::Result<OwnedFd> {
    let pid = pid as libc::pid_t;
    // SAFETY: the call takes two numbers and touches no memory.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, NO_FLAGS) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just made this descriptor, for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) })
}

/// Ends the process of `pidfd` at once (`SIGKILL`): that one, and no other that has got its number.
///
/// # Errors
/// `ESRCH` if somebody has waited for it.
pub(crate) fn kill(pidfd: &impl AsFd) -> io::Result<()> {
    let (fd, signal) = (pidfd.as_fd().as_raw_fd(), libc::SIGKILL);
    let no_more = ptr::null::<libc::siginfo_t>();
    // SAFETY: the descriptor is open: borrowed. A null pointer says that there is no more to tell.
    let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, no_more, NO_FLAGS) };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Whether a [`kill`] has met nobody: the process was waited for.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ESRCH)
}
