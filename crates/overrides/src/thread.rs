//! Threads: a program in a world that makes one leaves it; the world is told.

use std::ffi::{c_int, c_void};

use yamanote_base::simulated;

use crate::real::Real;

static REAL: Real = Real::new(c"pthread_create");

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
    let Some(real) = REAL.get() else {
        return libc::EAGAIN;
    };
    // SAFETY: it is the C library's function of this name and type.
    let real = unsafe { std::mem::transmute::<*mut c_void, PthreadCreate>(real) };
    // SAFETY: the caller's promise.
    unsafe { real(thread, attributes, start, argument) }
}
