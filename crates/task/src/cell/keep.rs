//! A task is kept [warm](crate::warm) after a poll.

use std::ptr::NonNull;

use super::scheduler_of;
use crate::biased::Runner;
use crate::header::{Header, Prefix, Reference};
use crate::lent::Lent;
use crate::notes::without_count;
use crate::runnable::TaskRef;
use crate::schedule::Schedule;
use crate::warm::Warm;

/// Has the scheduler keep a task that is to wait; whether it does.
///
/// # Safety
/// `header` is that of a live task whose scheduler is an `S`; the caller has polled it as its
/// runner, and gives away its reference if it is kept.
#[inline]
pub(super) unsafe fn keep_warm<S: Schedule>(header: NonNull<Header>) -> bool {
    // SAFETY: the caller's reference keeps the task so far; it is handed to it.
    let scheduler = unsafe { scheduler_of::<S>(header) };
    scheduler.keep_warm(|| {
        // SAFETY: as above.
        let notes = unsafe { &header.as_ref().notes };
        notes.set(Runner::<S>::take_lent().beside(notes.get()));
        // SAFETY: the caller's.
        unsafe { Warm::new(header) }
    })
}

/// What the runner of a task has lent from the start: what it had left when the task was kept warm,
/// which is in the runner's hands again.
///
/// # Safety
/// The scheduler of `task` is an `S`, and the caller has its runnable.
#[inline]
pub(super) unsafe fn lent_to_runner<S: Schedule>(task: &Header) -> Lent {
    if S::WAKERS.keep_warm() && task.may_be_warm() {
        let notes = task.notes.get();
        task.notes.set(without_count(notes));
        return Lent::in_notes(notes);
    }
    S::WAKERS.lent()
}

/// The task, if its scheduler keeps it warm for the current thread.
///
/// # Safety
/// The scheduler of the task is an `S`.
#[inline]
pub(crate) unsafe fn take_warm<S: Schedule>(task: &Reference) -> Option<Warm> {
    // SAFETY: the caller's; a task begins with its prefix.
    let Prefix { scheduler, .. } = unsafe { task.as_raw().cast::<Prefix<S>>().as_ref() };
    scheduler.take_warm(TaskRef::new(task))
}

/// Tells the scheduler that a task was woken or cancelled that may be kept warm elsewhere.
///
/// # Safety
/// The scheduler of the task is an `S`.
#[inline]
pub(crate) unsafe fn warm_woken<S: Schedule>(task: &Reference) {
    if task.header().may_be_warm() {
        // SAFETY: the caller's; a task begins with its prefix.
        let Prefix { scheduler, .. } = unsafe { task.as_raw().cast::<Prefix<S>>().as_ref() };
        scheduler.warm_woken(TaskRef::new(task));
    }
}
