//! What a join handle does: it waits for the task, takes its output, and is dropped.
//!
//! Who may touch the place of its waker is said in `state` and, for the task's own thread, in
//! `biased`. While `JOINS_HERE` is set, that thread uses no atomic instruction for it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::task::{Context, Waker};

use yamanote_base::waits::{self, Detail};

use super::{TaskCell, cell, free};
use crate::biased;
use crate::error::JoinError;
use crate::header::{Header, Prefix};
use crate::id;
use crate::schedule::Schedule;
use crate::state::Joined;

/// [`Vtable::poll_finished`](crate::header::Vtable::poll_finished).
///
/// # Safety
/// `header` is that of a live task whose scheduler is an `S`; the caller is its join handle.
#[inline(always)]
pub(super) unsafe fn poll_finished<S: Schedule>(
    header: NonNull<Header>,
    cx: &mut Context<'_>,
) -> bool {
    // SAFETY: the caller's; a task begins with its prefix.
    let Prefix { header, scheduler } = unsafe { header.cast::<Prefix<S>>().as_ref() };
    let is_done = match header.state.joined() {
        Joined::Done => true,
        Joined::DoneAwaited => {
            header.here.await_settled();
            true
        }
        Joined::Here if scheduler.is_here() => leave_here(header, cx.waker()),
        found => poll_elsewhere(header, found, cx.waker()),
    };
    if !is_done {
        waits::note(|| {
            let place = Detail::SpawnedAt(header.origin.location.location());
            ("JoinHandle: the end of the task", place)
        });
    }
    is_done
}

/// Leaves `waker` in the task, on its thread, where it is not done and `JOINS_HERE` is set.
#[inline]
fn leave_here(task: &Header, waker: &Waker) -> bool {
    let is_known = task.joiner.with(|place| {
        // SAFETY: so the place is the handle's.
        let place = unsafe { &*place };
        place.as_ref().is_some_and(|known| known.will_wake(waker))
    });
    if !is_known {
        let waker = waker.clone();
        let before = task.joiner.with_mut(|place| {
            // SAFETY: as above.
            unsafe { &mut *place }.replace(waker)
        });
        biased::on_its_thread(task).mark_awaited();
        drop(before);
    }
    false
}

/// Sees what was `found` by a handle that shares the task with another thread; whether it is done.
#[inline(never)]
fn poll_elsewhere(task: &Header, found: Joined, waker: &Waker) -> bool {
    let found = match found {
        Joined::Here => task.state.join_elsewhere(is_left(task)),
        found => found,
    };
    match found {
        Joined::Done => true,
        Joined::DoneAwaited => {
            task.here.await_settled();
            true
        }
        Joined::Awaited => change_waker(task, waker),
        Joined::Open | Joined::Here => leave_waker(task, waker),
    }
}

/// Whether the handle has left a waker on the task's thread.
fn is_left(task: &Header) -> bool {
    task.joiner.with(|place| {
        // SAFETY: written by the handle only, and the runner only reads it.
        unsafe { &*place }.is_some()
    })
}

/// Leaves `waker` in the task, in which there is none; whether the task is done.
fn leave_waker(task: &Header, waker: &Waker) -> bool {
    let waker = waker.clone();
    task.joiner.with_mut(|place| {
        // SAFETY: neither AWAITED nor JOINS_HERE is set, so nobody else looks at the place, in
        // which there is nothing to drop.
        unsafe { place.write(std::mem::ManuallyDrop::new(Some(waker))) };
    });
    let is_done = task.state.leave_waker();
    if is_done {
        // SAFETY: the runner has not found AWAITED, so the waker is still ours.
        drop(unsafe { task.read_joiner() });
    }
    is_done
}

/// Leaves `waker` in the task, in which there is one; whether the task is done.
fn change_waker(task: &Header, waker: &Waker) -> bool {
    let is_known = task.joiner.with(|place| {
        // SAFETY: AWAITED is set, so a waker is there, and the runner only reads it.
        let place = unsafe { &*place };
        place.as_ref().is_some_and(|known| known.will_wake(waker))
    });
    if is_known {
        return false;
    }
    if !task.state.take_waker_back() {
        return true;
    }
    // SAFETY: AWAITED was cleared while the task was not done: the waker is ours again.
    let before = unsafe { task.read_joiner() };
    let is_done = leave_waker(task, waker);
    drop(before);
    is_done
}

/// [`Vtable::poll_output`](crate::header::Vtable::poll_output).
///
/// # Safety
/// `header` is that of a live `TaskCell<F, S>`; the caller is its join handle, and `place` is a
/// valid `MaybeUninit<Result<F::Output, JoinError>>`, which is filled if this returns `true`.
pub(super) unsafe fn poll_output<F: Future, S: Schedule>(
    header: NonNull<Header>,
    cx: &mut Context<'_>,
    place: *mut (),
) -> bool {
    // SAFETY: the caller's.
    if !unsafe { poll_finished::<S>(header, cx) } {
        return false;
    }
    // SAFETY: the caller has a reference.
    let cell = unsafe { cell::<F, S>(header) };
    // SAFETY: the task is done, and the output the join handle's.
    let output = unsafe { cell.take_result() }.expect("JoinHandle polled after completion");
    let output = output.map_err(|cause| JoinError::new(cause, cell.prefix.header.id));
    // SAFETY: the caller gave a valid place of this type.
    unsafe { place.cast::<Result<F::Output, JoinError>>().write(output) };
    true
}

/// [`Vtable::drop_join`](crate::header::Vtable::drop_join).
///
/// # Safety
/// `header` is that of a live `TaskCell<F, S>`; the caller is its join handle, whose reference is
/// given away.
pub(super) unsafe fn drop_join<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: the caller has a reference.
    let cell = unsafe { cell::<F, S>(header) };
    let Prefix {
        header: task,
        scheduler,
    } = &cell.prefix;
    let is_here = scheduler.is_here();
    match task.state.unjoin() {
        Joined::Done => drop_output(cell),
        Joined::DoneAwaited => {
            task.here.await_settled();
            drop_output(cell);
        }
        // SAFETY: `unjoin` has found AWAITED and no DONE: the waker is ours.
        Joined::Awaited => drop(unsafe { task.read_joiner() }),
        // The runner does not look at the place any more.
        Joined::Here if is_left(task) => {
            // SAFETY: so the waker is ours.
            drop(unsafe { task.read_joiner() });
        }
        Joined::Here | Joined::Open => {}
    }
    if is_here && task.state.is_biased() {
        biased::on_its_thread(task).drop_reference();
    } else if task.state.drop_reference() {
        // SAFETY: it was the last reference.
        unsafe { free::<F, S>(header) };
    }
}

/// Drops the output of a task that is done, whose join handle is the caller.
#[inline]
fn drop_output<F: Future, S: Schedule>(cell: &TaskCell<F, S>) {
    // SAFETY: the output is the join handle's.
    let Some(output) = (unsafe { cell.take_result() }) else {
        return;
    };
    let _ = catch_unwind(AssertUnwindSafe(|| {
        id::with(cell.prefix.header.id, || drop(output));
    }));
}
