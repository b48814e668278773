//! A task is cancelled: by its list, by an abort, or with a runnable that is dropped unrun.
//!
//! Who claims the task drops its future, at once; an abort leaves that to the runner.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use super::keep::{lent_to_runner, warm_woken};
use super::{cell, schedule, tell_owner};
use crate::biased::{self, Runner};
use crate::header::{Header, Reference};
use crate::id;
use crate::lent::Lent;
use crate::runnable::TaskRef;
use crate::schedule::Schedule;
use crate::state::{Begin, Wake};

/// [`Vtable::shed`].
///
/// # Safety
/// `header` is that of a live `TaskCell<F, S>`, and the runnable's reference is given away.
pub(super) unsafe fn shed<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: the runnable's reference is given to this function.
    let reference = unsafe { Reference::from_raw(header) };
    // SAFETY: the task is one of an `S`, and its runnable is ours.
    let lent = unsafe { lent_to_runner::<S>(reference.header()) };
    // SAFETY: the task is one of an `S`.
    let is_claimed = match unsafe { biased::biased::<S>(reference.as_raw()) } {
        Some(biased) => biased.claim_to_cancel(),
        None => reference.header().state.begin_run(S::WAKERS.lent()) != Begin::Stale,
    };
    if is_claimed {
        // SAFETY: the task was claimed, and what is lent counted.
        unsafe { cancel_as::<F, S>(reference, lent) };
    }
}

/// [`Vtable::evict`].
///
/// # Safety
/// `header` is that of a live `TaskCell<F, S>`.
pub(super) unsafe fn evict<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: the caller's.
    let state = unsafe { &header.as_ref().state };
    // SAFETY: the task is one of an `S`.
    let is_claimed = match unsafe { biased::biased::<S>(header) } {
        Some(biased) => biased.claim_to_cancel(),
        None => state.claim_to_cancel(),
    };
    if is_claimed {
        state.add_reference();
        // SAFETY: counted by the line above.
        let reference = unsafe { Reference::from_raw(header) };
        // SAFETY: the task was claimed.
        unsafe { cancel_as::<F, S>(reference, Lent::NONE) };
    }
}

/// [`Vtable::abort`].
///
/// # Safety
/// `header` is that of a live task whose scheduler is an `S`.
pub(super) unsafe fn abort<S: Schedule>(header: NonNull<Header>) {
    // SAFETY: the caller has a reference, which stays.
    let reference = ManuallyDrop::new(unsafe { Reference::from_raw(header) });
    // SAFETY: the caller's.
    let woken = match unsafe { biased::biased::<S>(header) } {
        Some(biased) => biased.cancel(),
        None => reference.header().state.cancel(),
    };
    match woken {
        // SAFETY: a reference was counted for the runnable.
        Wake::Queue => unsafe { schedule::<S>(header) },
        // SAFETY: the caller's.
        Wake::Nothing if S::WAKERS.keep_warm() => unsafe { warm_woken::<S>(&reference) },
        Wake::Nothing => {}
    }
}

/// Cancels a task that was claimed.
///
/// # Safety
/// `reference` is that of a live `TaskCell<F, S>`, and the caller has claimed the task. What is
/// `lent` is counted, and the caller's.
pub(super) unsafe fn cancel_as<F: Future, S: Schedule>(reference: Reference, lent: Lent) {
    // SAFETY: the caller's.
    let cell = unsafe { cell::<F, S>(reference.as_raw()) };
    id::with(lent.beside(cell.prefix.header.notes.get()), || {
        // SAFETY: the caller has claimed the task, so the future is there and nobody else's.
        unsafe { cell.drop_cancelled() };
        let unlisted = cell.finish(TaskRef::new(&reference));
        // SAFETY: the reference keeps the task, which is one of an `S`.
        let owner = match unsafe { biased::biased::<S>(reference.as_raw()) } {
            Some(biased) => biased.complete(unlisted),
            None => {
                let lent = Runner::<S>::take_lent();
                reference.header().state.complete(unlisted, lent)
            }
        };
        // SAFETY: `complete` has said so, and `drop_cancelled` has stored the output.
        unsafe { tell_owner::<F, S>(reference, owner) };
    });
}
