//! Queues that a burst of tasks has filled give its memory back: [`forget`].

use std::collections::VecDeque;

use yamanote_task::Runnable;

/// How many tasks a queue has room for when it is empty.
pub(crate) const KEPT: usize = 1024;

/// Gives memory back if `queue` is empty and had many tasks. What a task of a burst cost here is
/// paid once more, by the next burst.
#[inline]
pub(crate) fn forget(queue: &mut VecDeque<Runnable>) {
    if queue.capacity() > KEPT && queue.is_empty() {
        queue.shrink_to(KEPT);
    }
}
