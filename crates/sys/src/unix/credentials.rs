//! Who is at the other end of a Unix socket.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// The process at the other end when the connection was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Its process, where the system tells.
    pub pid: Option<libc::pid_t>,
    /// Its effective user.
    pub uid: libc::uid_t,
    /// Its effective group.
    pub gid: libc::gid_t,
}

/// Who is at the other end of the Unix socket `fd`.
///
/// # Errors
/// When it is not a connected Unix socket.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn peer_credentials(fd: BorrowedFd<'_>) -> io::Result<Credentials> {
    let mut found = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let size = std::mem::size_of::<libc::ucred>();
    let mut len = libc::socklen_t::try_from(size).expect("a few bytes");
    // SAFETY: `found` is valid for writes of `len` bytes, and the descriptor is open: borrowed.
    let result = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut found).cast(),
            &raw mut len,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Credentials {
        pid: Some(found.pid),
        uid: found.uid,
        gid: found.gid,
    })
}

/// Who is at the other end of the Unix socket `fd`.
///
/// # Errors
/// When it is not a connected Unix socket.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn peer_credentials(fd: BorrowedFd<'_>) -> io::Result<Credentials> {
    let mut found = Credentials {
        pid: None,
        uid: 0,
        gid: 0,
    };
    // SAFETY: both places are valid for writes, and the descriptor is open: borrowed.
    let result =
        unsafe { libc::getpeereid(fd.as_raw_fd(), &raw mut found.uid, &raw mut found.gid) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn the_other_end_of_a_pair_is_this_process() {
        let (one, _two) = UnixStream::pair().unwrap();
        let found = peer_credentials(one.as_fd()).unwrap();
        if let Some(pid) = found.pid {
            assert_eq!(u32::try_from(pid).unwrap(), std::process::id());
        }
    }
}
