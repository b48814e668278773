//! Pipes, and what a descriptor says about itself.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use socket2::SockRef;

/// The flag with which open(2) does not wait for the other end of a pipe.
pub const OPEN_NONBLOCKING: i32 = libc::O_NONBLOCK;

/// A pipe whose ends do not block: where to write, where to read.
///
/// # Errors
/// When the system has no descriptors left.
pub fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (sender, receiver) = mio::unix::pipe::new()?;
    Ok((sender.into(), receiver.into()))
}

/// Whether operations on `fd` wait or answer `WouldBlock`.
///
/// # Errors
/// Those of fcntl(2).
pub fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> io::Result<()> {
    // fcntl(2) on whatever kind of descriptor it is.
    SockRef::from(&fd).set_nonblocking(nonblocking)
}

/// How a descriptor was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedFor {
    /// Whether it can be read.
    pub reading: bool,
    /// Whether it can be written.
    pub writing: bool,
}

/// How `fd` was opened.
///
/// # Errors
/// Those of fcntl(2).
pub fn opened_for(fd: BorrowedFd<'_>) -> io::Result<OpenedFor> {
    // SAFETY: the descriptor is open: borrowed; the call reads no memory.
    let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) };
    if flags < 0 {
        return Err(io::Error::last_os_error());
    }
    let mode = flags & libc::O_ACCMODE;
    Ok(OpenedFor {
        reading: mode != libc::O_WRONLY,
        writing: mode != libc::O_RDONLY,
    })
}

/// Whether a read of `fd` would not block now: there is something, or the end, or an error.
///
/// Another reader may be faster than the read that follows.
#[must_use]
pub fn is_readable(fd: BorrowedFd<'_>) -> bool {
    const AT_ONCE: libc::c_int = 0;
    let mut asked = libc::pollfd {
        fd: fd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: it is one element, valid for reads and writes, and the descriptor is open: borrowed.
    let found = unsafe { libc::poll(&raw mut asked, 1, AT_ONCE) };
    found > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn the_ends_of_a_pipe_know_their_direction() {
        let (sender, receiver) = pipe().unwrap();
        let to_write = OpenedFor {
            reading: false,
            writing: true,
        };
        assert_eq!(opened_for(sender.as_fd()).unwrap(), to_write);
        let to_read = OpenedFor {
            reading: true,
            writing: false,
        };
        assert_eq!(opened_for(receiver.as_fd()).unwrap(), to_read);
    }

    #[test]
    fn a_pipe_is_readable_when_there_is_something_and_at_its_end() {
        let (sender, receiver) = pipe().unwrap();
        assert!(!is_readable(receiver.as_fd()));
        std::io::Write::write_all(&mut std::fs::File::from(sender), b"x").unwrap();
        let mut receiver = std::fs::File::from(receiver);
        assert!(is_readable(receiver.as_fd()));
        std::io::Read::read_exact(&mut receiver, &mut [0]).unwrap();
        assert!(is_readable(receiver.as_fd()), "the sender has gone");
    }
}
