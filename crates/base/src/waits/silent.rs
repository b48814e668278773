//! Nobody asks what a task waits for: nothing is noted, and nothing is paid.

use super::{WAITS_MAX, Wait, Waits};

/// Whether waits are noted.
pub const ARE_NOTED: bool = false;

/// Has leaves note what they wait for: they do not.
pub fn watch() {}

/// Notes that the current poll waits for something: it does not.
#[inline(always)]
pub fn note<W: Into<Wait>>(_wait: impl FnOnce() -> W) {}

/// Begins a poll, by the task of this number.
pub fn begin(_task: u64) {}

/// Ends a poll; what it waits for is not known.
#[must_use]
pub fn end() -> Waits {
    [None; WAITS_MAX]
}

/// Notes that the current task has taken what is at an address: it does not.
#[inline(always)]
pub fn note_taken(_address: impl FnOnce() -> usize) {}

/// Notes that what is at an address is taken no more: it does not.
#[inline(always)]
pub fn note_given_back(_address: impl FnOnce() -> usize) {}

/// Who has taken what is at `address`: that is not known.
#[must_use]
pub fn taker(_address: usize) -> Option<u64> {
    None
}
