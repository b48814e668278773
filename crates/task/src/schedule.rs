//! What a task asks of its scheduler: [`Schedule`].

use crate::meta::TaskMeta;
use crate::runnable::{Runnable, TaskRef};

/// The scheduler of a task. Each task owns one, usually a pointer to what all share.
///
/// # Safety
/// `schedule` and `reschedule` are given a copy of the task's scheduler, which is good for as long
/// as the task lives. Once they have put the runnable where another thread may take it, the task
/// may end; from then on they use what `self` points to only if somebody else keeps it: a clone
/// that they have made before, or what runs on the current thread.
pub unsafe trait Schedule: Send + Sync + 'static {
    /// Queues a task that a waker made runnable. May be called on any thread, also by the task's
    /// own poll for another task.
    fn schedule(&self, task: Runnable);

    /// Queues a task that woke itself while it was polled: behind all others.
    fn reschedule(&self, task: Runnable) {
        self.schedule(task);
    }

    /// Takes a task that is about to wait for the first time in on its list, by
    /// [`TaskList::enter`](crate::TaskList::enter); `false` if the list takes no more: then the
    /// task is cancelled.
    fn enter(&self, task: &TaskRef) -> bool {
        let _ = task;
        true
    }

    /// Takes a task that is over off its list, by [`TaskList::leave`](crate::TaskList::leave);
    /// whether the list's reference is the caller's now, as it is if there is no list.
    fn release(&self, task: &TaskRef) -> bool {
        let _ = task;
        true
    }

    /// A task's poll panicked.
    fn unhandled_panic(&self) {}

    /// A poll begins.
    fn before_poll(&self, meta: &TaskMeta<'_>) {
        let _ = meta;
    }

    /// A poll has ended.
    fn after_poll(&self, meta: &TaskMeta<'_>) {
        let _ = meta;
    }

    /// The task is being freed.
    fn recycle(self)
    where
        Self: Sized,
    {
    }

    /// A task has ended.
    fn on_terminate(&self, meta: &TaskMeta<'_>) {
        let _ = meta;
    }
}
