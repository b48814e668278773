//! What a task asks of its scheduler: [`Schedule`].

use std::task::RawWakerVTable;

use crate::lent::{LENT, Lent};
use crate::meta::TaskMeta;
use crate::resting::RestingCells;
use crate::runnable::{Runnable, TaskRef};
use crate::waker::COMMON;
use crate::warm::Warm;

/// The functions of the wakers of a scheduler's tasks.
#[derive(Clone, Copy, Debug)]
pub enum Wakers {
    /// Those that serve all schedulers.
    Common,
    /// What [`wakers_here`](crate::wakers_here) gives for the scheduler.
    Here(&'static RawWakerVTable),
    /// What [`wakers_claiming`](crate::wakers_claiming) gives for the scheduler.
    Claiming(&'static RawWakerVTable),
}

impl Wakers {
    /// What the runner of a task lends.
    #[inline]
    pub(crate) const fn lent(self) -> Lent {
        match self {
            Wakers::Claiming(_) => LENT,
            Wakers::Common | Wakers::Here(_) => Lent::NONE,
        }
    }

    /// Whether a task of theirs that waits may be kept [warm](Warm).
    #[inline]
    pub(crate) const fn keep_warm(self) -> bool {
        matches!(self, Wakers::Claiming(_))
    }

    /// Their table.
    #[inline]
    pub(crate) const fn table(self) -> &'static RawWakerVTable {
        match self {
            Wakers::Common => &COMMON,
            Wakers::Here(table) | Wakers::Claiming(table) => table,
        }
    }
}

/// The scheduler of a task. Each task owns one, usually a pointer to what all share.
///
/// # Safety
/// `schedule`, `reschedule` and `keep_warm` are given a copy of the task's scheduler, which is good
/// for as long as the task lives. Once they have put the task where another thread may take it, it
/// may end; from then on they use what `self` points to only if somebody else keeps it: a clone
/// that they have made before, or what runs on the current thread.
///
/// `is_here` is true on one thread at a time, on which it does not change within any function of
/// this crate, and what happened there is seen by the thread on which it is true next. A scheduler
/// on which it ever is true runs and drops runnables there only, and closes its list there, but
/// for tasks that were never run. Where it is true, `schedule` and `reschedule` put the runnable
/// into a queue of the thread's own. A task in it may have been sent by others, too; what they
/// have sent is taken in by [`Runnable::recall`](crate::Runnable::recall).
///
/// `WAKERS` is made for the scheduler. If that is `Here`, runnables are run where `is_here` is true
/// only. If it is `Claiming`, then the tasks are `Send`: a list that is closed leaves those that
/// are queued to whoever has their runnables. And no task that lives has the id of another one, by
/// which a thread knows those that it runs.
pub unsafe trait Schedule: Send + Sync + 'static {
    /// The functions of its tasks' wakers.
    const WAKERS: Wakers = Wakers::Common;

    /// Whether the scheduler runs its tasks on the current thread, and nowhere else meanwhile.
    /// There they need no atomic instructions, if [`WAKERS`](Self::WAKERS) are `Here`.
    #[inline]
    fn is_here(&self) -> bool {
        false
    }

    /// Queues a task that a waker made runnable. May be called on any thread, also by the task's
    /// own poll for another task.
    fn schedule(&self, task: Runnable);

    /// The same, for a caller who knows that it is here.
    ///
    /// # Safety
    /// [`is_here`](Self::is_here) is true.
    #[inline]
    unsafe fn schedule_here(&self, task: Runnable) {
        self.schedule(task);
    }

    /// Queues a task that woke itself while it was polled: behind all others.
    fn reschedule(&self, task: Runnable) {
        self.schedule(task);
    }

    /// Keeps the task that `waits` gives, for the next task that the thread runs to wake, and lets
    /// go of the one that it kept so before; `false`, and nothing is asked of `waits`, if it keeps
    /// none. It lets go of a task that it keeps when the next poll has ended, on whatever thread,
    /// and sees to it that others need not wait for that if it takes long. Asked if
    /// [`WAKERS`](Self::WAKERS) are `Claiming`.
    #[inline]
    fn keep_warm(&self, waits: impl FnOnce() -> Warm) -> bool {
        let _ = waits;
        false
    }

    /// Gives back `task`, which is being woken, if it is kept for the current thread.
    #[inline]
    fn take_warm(&self, task: &TaskRef) -> Option<Warm> {
        let _ = task;
        None
    }

    /// A task was woken, or cancelled, that may be kept by a thread which does something else for
    /// long, or was kept a moment ago. The caller has a reference.
    #[cold]
    fn warm_woken(&self, task: &TaskRef) {
        let _ = task;
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

    /// Whether somebody watches its tasks: else nobody is told of their polls and wakes. Always
    /// the same.
    #[inline]
    fn is_watched(&self) -> bool {
        true
    }

    /// A poll begins.
    fn before_poll<'a>(&self, meta: impl FnOnce() -> TaskMeta<'a>) {
        let _ = meta;
    }

    /// A poll has ended.
    fn after_poll<'a>(&self, meta: impl FnOnce() -> TaskMeta<'a>) {
        let _ = meta;
    }

    /// Calls `f` with the cells that the current thread keeps for tasks to come, if it runs this
    /// scheduler's tasks.
    #[inline]
    fn with_cells<R>(&self, f: impl FnOnce(Option<&RestingCells<Self>>) -> R) -> R
    where
        Self: Sized,
    {
        f(None)
    }

    /// A task has ended.
    fn on_terminate<'a>(&self, meta: impl FnOnce() -> TaskMeta<'a>) {
        let _ = meta;
    }
}
