//! Memory that will be used soon is fetched ahead of that, so that nobody waits for it then.
//!
//! A processor works on while lines come that it was told of; a line that it finds missing where it
//! is used costs it some hundred instructions. It is told, and nothing else: no address is wrong.

#[cfg(target_arch = "aarch64")]
#[path = "ahead/aarch64.rs"]
mod processor;
#[cfg(target_arch = "x86_64")]
#[path = "ahead/x86_64.rs"]
mod processor;
#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
#[path = "ahead/absent.rs"]
mod processor;

/// Bytes that come from memory at once.
pub const LINE: usize = 64;

/// Has the line of `place` fetched.
#[inline(always)]
pub fn fetch<T>(place: *const T) {
    processor::fetch(place.cast());
}

/// Has so many lines fetched, the first of which is that of `place`.
#[inline(always)]
pub fn fetch_lines<T>(place: *const T, count: usize) {
    for line in 0..count {
        fetch(place.cast::<u8>().wrapping_add(line * LINE));
    }
}
