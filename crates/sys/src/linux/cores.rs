//! Which core a thread runs on, and how often it was sent off.

use std::mem::MaybeUninit;

/// The core that the current thread runs on; `None` if the system does not tell.
#[must_use]
#[inline]
pub fn here() -> Option<usize> {
    // SAFETY: it takes nothing, and only answers.
    let core = unsafe { libc::sched_getcpu() };
    usize::try_from(core).ok()
}

/// How often the current thread was sent off its core so far, for another one to run.
#[must_use]
pub fn preemptions() -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: it fills in what it is given, which is large enough.
    unsafe { libc::getrusage(libc::RUSAGE_THREAD, usage.as_mut_ptr()) };
    // SAFETY: numbers alone, which were zero before the call.
    let usage = unsafe { usage.assume_init() };
    usage.ru_nivcsw.try_into().unwrap_or(0)
}
