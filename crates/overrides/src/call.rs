//! The C library's `syscall`: what a world decides is answered here, the rest goes to the kernel.

use std::ffi::c_long;

use yamanote_base::simulated;

use crate::{futex, randomness, real, time};

/// The variadic function of the C library.
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
    let args = [a, b, c, d, e, f];
    if number == libc::SYS_futex {
        // SAFETY: the caller's promise: this is the call that the arguments are for.
        return unsafe { futex::call(args) };
    }
    if simulated::surroundings().is_some() {
        match number {
            libc::SYS_getrandom => {
                let buffer = std::ptr::with_exposed_provenance_mut(a as usize);
                // SAFETY: the caller's promise: this is the call that the arguments are for.
                let got = unsafe { randomness::random(buffer, b as usize, 0) };
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
    unsafe { real::syscall(number, args) }
}
