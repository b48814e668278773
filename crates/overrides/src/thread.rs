//! Threads: a program in a world that makes one leaves it; the world is told.
//!
//! AddressSanitizer wants to be told of each thread, too, and stands in the place of the same
//! function; what stands in its own place finds it by another name.

use std::ffi::{c_int, c_void};

use yamanote_base::simulated;

#[cfg(not(yamanote_asan))]
use crate::real::Real;

type Start = extern "C" fn(*mut c_void) -> *mut c_void;
type PthreadCreate = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    Start,
    *mut c_void,
) -> c_int;

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    if let Some(surroundings) = simulated::surroundings() {
        (surroundings.leak)("a thread is made");
    }
    let Some(real) = next() else {
        return libc::EAGAIN;
    };
    // SAFETY: the caller's promise.
    unsafe { real(thread, attributes, start, argument) }
}

/// The function in whose place this one stands; `None` where the program is linked statically.
#[cfg(not(yamanote_asan))]
fn next() -> Option<PthreadCreate> {
    static REAL: Real = Real::new(c"pthread_create");
    // SAFETY: it is the C library's function of this name and type.
    let real = |found| unsafe { std::mem::transmute::<*mut c_void, PthreadCreate>(found) };
    REAL.get().map(real)
}

/// The function in whose place this one stands: the sanitizer's, which calls the C library's.
#[cfg(yamanote_asan)]
fn next() -> Option<PthreadCreate> {
    unsafe extern "C" {
        fn __interceptor_pthread_create(
            thread: *mut libc::pthread_t,
            attributes: *const libc::pthread_attr_t,
            start: Start,
            argument: *mut c_void,
        ) -> c_int;
    }
    Some(__interceptor_pthread_create)
}
