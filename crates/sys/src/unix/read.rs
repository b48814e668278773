//! Reading into memory that is not initialised yet.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::receive::assume_init;
pub use crate::receive::{recv_from_uninit, recv_uninit, zero};

/// The most bytes that one call asks for: more is an error on some systems.
const LEN_MAX: usize = i32::MAX as usize;

/// Reads into `buf`; returns the bytes at its front that are now initialised.
///
/// # Errors
/// Those of read(2); a signal never shows.
pub fn read_uninit<'a>(
    fd: BorrowedFd<'_>,
    buf: &'a mut [MaybeUninit<u8>],
) -> io::Result<&'a mut [u8]> {
    let len = buf.len().min(LEN_MAX);
    loop {
        // SAFETY: `buf` is valid for writes of `len` bytes, and the descriptor is open: borrowed.
        let read = unsafe { libc::read(fd.as_raw_fd(), buf.as_mut_ptr().cast(), len) };
        let Ok(read) = usize::try_from(read) else {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            return Err(error);
        };
        // SAFETY: read(2) has initialised the first `read` bytes.
        return Ok(unsafe { assume_init(&mut buf[..read]) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn reads_what_is_there_and_no_more() {
        let (mut one, two) = UnixStream::pair().unwrap();
        two.set_nonblocking(true).unwrap();
        one.write_all(b"abc").unwrap();
        let mut buf = [MaybeUninit::uninit(); 8];
        assert_eq!(read_uninit(two.as_fd(), &mut buf).unwrap(), b"abc");
        let error = read_uninit(two.as_fd(), &mut buf).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        drop(one);
        assert!(read_uninit(two.as_fd(), &mut buf).unwrap().is_empty());
    }
}
