//! By the instruction `prefetcht0`.

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

#[inline(always)]
pub(super) fn fetch(place: *const i8) {
    // SAFETY: a hint, which neither reads nor faults, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(place) };
}
