//! By the instruction `prfm`.

use std::arch::asm;

#[inline(always)]
pub(super) fn fetch(place: *const i8) {
    // SAFETY: a hint, which neither reads nor faults, whatever the address.
    unsafe {
        asm!("prfm pldl1keep, [{}]", in(reg) place, options(nostack, readonly, preserves_flags));
    }
}
