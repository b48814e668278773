//! Watching the standard input: this system has no way to.

use std::task::{Context, Poll};

/// How one handle waits for the standard input: not at all.
#[derive(Debug, Default)]
pub(super) struct Watch;

impl Watch {
    /// Lets the read wait.
    pub(super) fn poll_readable(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// Whether a read that finds nothing can be waited for: no.
    pub(super) fn is_on(&self) -> bool {
        false
    }
}

/// Whether a read of the standard input would not block: nobody knows.
pub(super) fn is_readable() -> bool {
    true
}
