//! Files that are not in the page cache.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

/// Has the system forget the content of a file, which must be on the disk.
pub(super) fn drop_cached(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    // SAFETY: no pointers are passed, and the descriptor is open: borrowed.
    let code = unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    match code {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}
