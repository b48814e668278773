//! Which core a thread runs on, where the system does not tell.

/// The core that the current thread runs on: not told here.
#[must_use]
pub fn here() -> Option<usize> {
    None
}

/// How often the current thread was sent off its core: not told here.
#[must_use]
pub fn preemptions() -> u64 {
    0
}
