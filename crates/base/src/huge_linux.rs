//! Huge pages of Linux: those that need not be set aside ("transparent").

use std::ffi::{c_int, c_void};
use std::ptr::NonNull;

/// `MADV_HUGEPAGE` of madvise(2).
const HUGE_PAGE: c_int = 14;

unsafe extern "C" {
    fn madvise(addr: *mut c_void, length: usize, advice: c_int) -> c_int;
}

/// Asks that so many bytes from `place` be on huge pages, as far as these have room there. For
/// memory of which all is used, else what is not takes as much of the machine.
pub fn ask(place: NonNull<u8>, bytes: usize) {
    // What it answers does not matter: there may be none, or the system be told not to give any.
    // SAFETY: whatever memory that is, this advice changes nothing that a program sees of it.
    unsafe { madvise(place.as_ptr().cast(), bytes, HUGE_PAGE) };
}
