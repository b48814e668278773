//! Random bytes: from the host's generator, which the seed decides.

use std::ffi::{c_int, c_long, c_uint, c_void};

use yamanote_base::rng;
use yamanote_base::simulated;

use crate::{real, time};

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

/// The C library's variadic function; what it does not know it hands to the kernel.
///
/// # Safety
/// The arguments are what the call `number` wants; six are always passed on.
#[unsafe(no_mangle)]
unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    if simulated::surroundings().is_some() {
        match number {
            libc::SYS_getrandom => {
                let buffer = std::ptr::with_exposed_provenance_mut(a as usize);
                // SAFETY: the caller's promise: this is the call that the arguments are for.
                let got = unsafe { random(buffer, b as usize, 0) };
                return got as c_long;
            }
            libc::SYS_clock_gettime => {
                let time = std::ptr::with_exposed_provenance_mut(b as usize);
                let clock = libc::clockid_t::try_from(a).unwrap_or(-1);
                // SAFETY: the caller's promise: this is the call that the arguments are for.
                return c_long::from(unsafe { time::read(clock, time) });
            }
            _ => {}
        }
    }
    // SAFETY: the caller's promise.
    unsafe { real::syscall(number, [a, b, c, d, e, f]) }
}

/// # Safety
/// `buffer` has room for `len` bytes.
unsafe fn random(buffer: *mut c_void, len: usize, flags: c_uint) -> isize {
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
