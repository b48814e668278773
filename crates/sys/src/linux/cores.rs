//! Which core a thread runs on.

/// The core that the current thread runs on; `None` if the system does not tell.
#[must_use]
#[inline]
pub fn here() -> Option<usize> {
    // SAFETY: it takes nothing, and only answers.
    let core = unsafe { libc::sched_getcpu() };
    usize::try_from(core).ok()
}
