//! What goes through a connected socket, by the system call itself: [`recv`], [`send`].
//!
//! The C library makes its own `recv` and `send` points where a thread may be cancelled. In a
//! program with threads glibc pays four locked exchanges for that, and 58 of the instructions, in
//! each pair of them; and nobody cancels a thread of Rust's.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

/// For the address of the other end, which a connected socket knows.
const NO_LEN: libc::socklen_t = 0;

/// Receives into `buf`; returns how many bytes at its front are now initialised.
#[inline]
pub(crate) fn recv(socket: &impl AsFd, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    let (fd, flags) = (socket.as_fd().as_raw_fd(), 0);
    let (at, len) = (buf.as_mut_ptr(), buf.len());
    let (from, from_len) = (ptr::null_mut::<u8>(), ptr::null_mut::<libc::socklen_t>());
    // SAFETY: `buf` is valid for writes of `len` bytes, and the descriptor is open: borrowed.
    done(unsafe { libc::syscall(libc::SYS_recvfrom, fd, at, len, flags, from, from_len) })
}

/// Sends of `buf` what there is room for: so many bytes. A broken connection is an error, not a
/// signal.
#[inline]
pub(crate) fn send(socket: &impl AsFd, buf: &[u8]) -> io::Result<usize> {
    let (fd, flags) = (socket.as_fd().as_raw_fd(), libc::MSG_NOSIGNAL);
    let (at, len, to) = (buf.as_ptr(), buf.len(), ptr::null::<u8>());
    // SAFETY: `buf` is valid for reads of `len` bytes, and the descriptor is open: borrowed.
    done(unsafe { libc::syscall(libc::SYS_sendto, fd, at, len, flags, to, NO_LEN) })
}

#[inline]
fn done(returned: libc::c_long) -> io::Result<usize> {
    usize::try_from(returned).map_err(|_| io::Error::last_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn a_transfer_says_how_much_and_what_went_wrong() {
        let (one, two) = UnixStream::pair().unwrap();
        two.set_nonblocking(true).unwrap();
        let mut buf = [MaybeUninit::uninit(); 8];
        let error = recv(&two, &mut buf).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(send(&one, b"abc").unwrap(), 3);
        assert_eq!(recv(&two, &mut buf).unwrap(), 3);
        // SAFETY: the call has initialised what it says.
        let bytes = buf[..3].iter().map(|byte| unsafe { byte.assume_init() });
        assert!(bytes.eq(*b"abc"));
        drop(one);
        assert_eq!(recv(&two, &mut buf).unwrap(), 0);
        let error = send(&two, b"abc").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
