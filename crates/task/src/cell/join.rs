//! What a join handle does: it waits for the task, takes its output, and is dropped.
//!
//! Who may touch the place of its waker is said in `state` and, for the task's own thread, in
//! `biased`. While `JOINS_HERE` is set, that thread uses no atomic instruction for it.

use std::future::Future;
use std::ptr::NonNull;
use std::task::{Context, Waker};

use yamanote_base::quietly::quietly;
use yamanote_base::waits::{self, Detail};

use super::{TaskCell, cell, free};
use crate::biased;
use crate::error::JoinError;
use crate::header::{Header, Prefix};
use crate::held::Held;
use crate::id;
use crate::joiner::Joiner;
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
            header.await_settled();
            true
        }
        Joined::Here if scheduler.is_here() => leave_here::<S>(header, cx.waker()),
        found => poll_elsewhere::<S>(header, found, cx.waker()),
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
// Always, with `put_waker`: else the handle's poll is two calls.
#[inline(always)]
fn leave_here<S: Schedule>(task: &Header, waker: &Waker) -> bool {
    // SAFETY: so the place is the handle's.
    let known = unsafe { task.joiner() };
    if !known.will_wake::<S>(waker) {
        put_waker::<S>(task, waker);
        biased::on_its_thread(task).mark_awaited();
        if known.is_some() {
            // SAFETY: it was there, and the handle's; it is not any more.
            drop(unsafe { known.read::<S>() });
        }
    }
    false
}

/// Puts a clone of `waker` into its place, over what is there; it is the handle's to do.
#[inline(always)]
fn put_waker<S: Schedule>(task: &Header, waker: &Waker) {
    let joiner = Joiner::of::<S>(waker);
    task.joiner.with_mut(|place| {
        // SAFETY: the place is the handle's.
        unsafe { *place = joiner };
    });
}

/// Sees what was `found` by a handle that shares the task with another thread; whether it is done.
#[inline(never)]
fn poll_elsewhere<S: Schedule>(task: &Header, found: Joined, waker: &Waker) -> bool {
    let found = match found {
        Joined::Here => task.state.join_elsewhere(is_left(task)),
        found => found,
    };
    match found {
        Joined::Done => true,
        Joined::DoneAwaited => {
            task.await_settled();
            true
        }
        Joined::Awaited => change_waker::<S>(task, waker),
        Joined::Open | Joined::Here => leave_waker::<S>(task, waker),
    }
}

/// Whether the handle has left a waker on the task's thread.
fn is_left(task: &Header) -> bool {
    // SAFETY: written by the handle only, and the runner only reads it.
    unsafe { task.joiner() }.is_some()
}

/// Leaves `waker` in the task, in which there is none; whether the task is done.
fn leave_waker<S: Schedule>(task: &Header, waker: &Waker) -> bool {
    // Neither AWAITED nor JOINS_HERE is set, so nobody else looks at the place, in which there is
    // nothing to drop.
    put_waker::<S>(task, waker);
    let is_done = task.state.leave_waker();
    if is_done {
        // SAFETY: the runner has not found AWAITED, so the waker is still ours.
        drop(unsafe { task.read_joiner::<S>() });
    }
    is_done
}

/// Leaves `waker` in the task, in which there is one; whether the task is done.
fn change_waker<S: Schedule>(task: &Header, waker: &Waker) -> bool {
    // SAFETY: AWAITED is set, so a waker is there, and the runner only reads it.
    if unsafe { task.joiner() }.will_wake::<S>(waker) {
        return false;
    }
    if !task.state.take_waker_back() {
        // The waker has become the runner's, who is about to read it.
        task.await_settled();
        return true;
    }
    // SAFETY: AWAITED was cleared while the task was not done: the waker is ours again.
    let before = unsafe { task.read_joiner::<S>() };
    let is_done = leave_waker::<S>(task, waker);
    drop(before);
    is_done
}

/// [`Vtable::poll_output`](crate::header::Vtable::poll_output).
///
/// # Safety
/// The caller is the join handle of a live `TaskCell<F, S>`, which is `held`; `place` is a valid
/// `MaybeUninit<Result<F::Output, JoinError>>`, which is filled if this returns `true`.
pub(super) unsafe fn poll_output<F: Future, S: Schedule>(
    held: &mut Held,
    cx: &mut Context<'_>,
    place: *mut (),
) -> bool {
    let task = held.get().expect("the caller holds the task");
    let header = task.as_raw();
    // SAFETY: the caller's.
    if !unsafe { poll_finished::<S>(header, cx) } {
        return false;
    }
    // SAFETY: the caller has a reference.
    let cell = unsafe { cell::<F, S>(header) };
    let task = &cell.prefix.header;
    // SAFETY: the task is done, and the output the join handle's.
    let output = unsafe { cell.take_result() }.expect("JoinHandle polled after completion");
    let output = output.map_err(|cause| JoinError::new(cause, task.id()));
    // SAFETY: the caller gave a valid place of this type.
    unsafe { place.cast::<Result<F::Output, JoinError>>().write(output) };
    if let Some(rest) = Held::id_only(task.id()) {
        *held = rest;
        // The reference is not the handle's any more. Not biased: the task is done.
        if task.state.drop_reference() {
            // SAFETY: it was the last reference.
            unsafe { free::<F, S>(header) };
        }
    }
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
            task.await_settled();
            drop_output(cell);
        }
        // SAFETY: `unjoin` has found AWAITED and no DONE: the waker is ours.
        Joined::Awaited => drop(unsafe { task.read_joiner::<S>() }),
        // The runner does not look at the place any more.
        Joined::Here if is_left(task) => {
            // SAFETY: so the waker is ours.
            drop(unsafe { task.read_joiner::<S>() });
        }
        Joined::Here | Joined::Open => {}
    }
    if is_here && task.is_biased() {
        biased::on_its_thread(task).drop_reference();
    } else if task.state.drop_reference() {
        // SAFETY: it was the last reference.
        unsafe { free::<F, S>(header) };
    }
}

/// Drops the output of a task that is done, whose join handle is the caller.
#[inline(never)]
fn drop_output<F: Future, S: Schedule>(cell: &TaskCell<F, S>) {
    // SAFETY: the output is the join handle's.
    let Some(output) = (unsafe { cell.take_result() }) else {
        return;
    };
    quietly(|| id::with(cell.prefix.header.notes.get(), || drop(output)));
}
