//! Random bytes: from the host's generator, which the seed decides.

use std::ffi::{c_int, c_long, c_uint, c_void};

use yamanote_base::rng;
use yamanote_base::simulated;

use crate::real;

/// # Safety
/// `buffer` has room for `len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(buffer: *mut c_void, len: usize, flags: c_uint) -> isize {
    // SAFETY: the caller's promise.
    unsafe { random(buffer, len, flags) }
}

/// # Safety
/// `buffer` has room for `len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn getentropy(buffer: *mut c_void, len: usize) -> c_int {
    // SAFETY: the caller's promise. The kernel gives up to 256 bytes in one piece.
    let got = unsafe { random(buffer, len, 0) };
    if got == isize::try_from(len).unwrap_or(isize::MAX) {
        0
    } else {
        -1
    }
}

/// # Safety
/// `buffer` has room for `len` bytes.
pub(crate) unsafe fn random(buffer: *mut c_void, len: usize, flags: c_uint) -> isize {
    if simulated::surroundings().is_none() {
        let args = [
            buffer.addr() as c_long,
            len as c_long,
            c_long::from(flags),
            0,
            0,
            0,
        ];
        // SAFETY: the caller's promise.
        return unsafe { real::syscall(libc::SYS_getrandom, args) } as isize;
    }
    let mut place = buffer.cast::<u8>();
    let mut left = len;
    while left > 0 {
        let word = rng::with_thread_rng(|rng| rng.next_u64()).to_ne_bytes();
        let count = left.min(word.len());
        // SAFETY: `count` bytes are left of the caller's buffer from `place` on.
        unsafe { std::ptr::copy_nonoverlapping(word.as_ptr(), place, count) };
        // SAFETY: the end of the buffer at most.
        place = unsafe { place.add(count) };
        left -= count;
    }
    isize::try_from(len).unwrap_or(isize::MAX)
}
