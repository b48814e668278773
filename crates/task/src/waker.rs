//! The waker of a task: a counted reference behind `std`'s vtable.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::biased;
use crate::cell::{self, keep};
use crate::header::{Header, Reference};
use crate::lent;
use crate::schedule::{Schedule, Wakers};
use crate::state::{Wake, WakeByValue};

/// For tasks of all schedulers, whichever thread they are on.
pub(crate) static COMMON: RawWakerVTable =
    RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// The functions of wakers for tasks of a scheduler `S` that have a thread of their own, where
/// they use no atomic instructions. To be put into one `static`, for wakers are told apart by it.
#[must_use]
pub const fn wakers_here<S: Schedule>() -> RawWakerVTable {
    RawWakerVTable::new(
        clone_here::<S>,
        wake_here::<S>,
        wake_by_ref_here::<S>,
        drop_here::<S>,
    )
}

/// The functions of wakers for tasks of a scheduler `S` on several threads, which has whoever wakes
/// a task make its runnable's owner the runner: so a poll begins without a transition. To be put
/// into one `static`, for wakers are told apart by it.
#[must_use]
pub const fn wakers_claiming<S: Schedule>() -> RawWakerVTable {
    RawWakerVTable::new(
        clone_as::<S>,
        wake_claiming::<S>,
        wake_by_ref_claiming::<S>,
        drop_as,
    )
}

/// A waker of the task of `header` that borrows its reference: polls count none.
///
/// # Safety
/// The scheduler of the task is an `S`, and the result is not used when the task may be gone.
#[inline]
pub(crate) unsafe fn borrowed<S: Schedule>(header: NonNull<Header>) -> ManuallyDrop<Waker> {
    let raw = RawWaker::new(header.as_ptr().cast(), S::WAKERS.table());
    // SAFETY: the functions below keep the contract of `RawWaker`; this one waker is never
    // dropped, and the caller's.
    ManuallyDrop::new(unsafe { Waker::from_raw(raw) })
}

/// What the function of the table of an `S` does that clones a waker.
///
/// # Safety
/// `data` is that of a live waker of a task whose scheduler is an `S`.
#[inline]
pub(crate) unsafe fn clone_own<S: Schedule>(data: *const ()) {
    // The clone has the same table and data.
    let _ = match S::WAKERS {
        // SAFETY: the caller's.
        Wakers::Common => unsafe { clone(data) },
        // SAFETY: as above.
        Wakers::Here(_) => unsafe { clone_here::<S>(data) },
        // SAFETY: as above.
        Wakers::Claiming(_) => unsafe { clone_as::<S>(data) },
    };
}

/// What the function of the table of an `S` does that uses a waker up to wake.
///
/// # Safety
/// `data` is that of a live waker of a task whose scheduler is an `S`; it is used up.
#[inline]
pub(crate) unsafe fn wake_own<S: Schedule>(data: *const ()) {
    match S::WAKERS {
        // SAFETY: the caller's.
        Wakers::Common => unsafe { wake(data) },
        // SAFETY: as above.
        Wakers::Here(_) => unsafe { wake_here::<S>(data) },
        // SAFETY: as above.
        Wakers::Claiming(_) => unsafe { wake_claiming::<S>(data) },
    }
}

/// The reference of a waker, which stays the waker's.
///
/// # Safety
/// `data` is that of a live waker of this file.
#[inline(always)]
unsafe fn reference(data: *const ()) -> ManuallyDrop<Reference> {
    // SAFETY: the data of a waker are made of a `NonNull`.
    let header = unsafe { NonNull::new_unchecked(data.cast_mut().cast::<Header>()) };
    // SAFETY: the waker's reference is counted; it is not dropped here.
    ManuallyDrop::new(unsafe { Reference::from_raw(header) })
}

/// # Safety
/// As [`reference`].
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: called by `Waker` with its own data.
    let cloned = ManuallyDrop::into_inner(unsafe { reference(data) }.clone());
    cloned.header().wakes.cloned();
    RawWaker::new(cloned.into_raw().as_ptr().cast(), &COMMON)
}

/// # Safety
/// As [`reference`]; the waker is used up.
unsafe fn wake(data: *const ()) {
    // SAFETY: called by `Waker` with its own data, whose reference is given up.
    let reference = ManuallyDrop::into_inner(unsafe { reference(data) });
    reference.header().wakes.woken();
    reference.wake_by_value();
}

/// # Safety
/// As [`reference`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: called by `Waker` with its own data.
    let reference = unsafe { reference(data) };
    reference.header().wakes.woken_by_ref();
    reference.wake();
}

/// # Safety
/// As [`reference`]; the waker is used up.
unsafe fn drop_waker(data: *const ()) {
    // SAFETY: called by `Waker` with its own data, whose reference is given up.
    let reference = ManuallyDrop::into_inner(unsafe { reference(data) });
    reference.header().wakes.dropped();
}

/// # Safety
/// As [`reference`], of a task whose scheduler is an `S`.
unsafe fn clone_as<S: Schedule>(data: *const ()) -> RawWaker {
    // SAFETY: called by `Waker` with its own data.
    let reference = unsafe { reference(data) };
    let header = reference.header();
    if !lent::take_one(header.notes.get()) {
        header.state.add_reference();
    }
    header.wakes.cloned();
    RawWaker::new(data, S::WAKERS.table())
}

/// # Safety
/// As [`clone_as`]; the waker is used up.
unsafe fn drop_as(data: *const ()) {
    // SAFETY: called by `Waker` with its own data, whose reference is given up.
    let reference = ManuallyDrop::into_inner(unsafe { reference(data) });
    reference.header().wakes.dropped();
    if lent::put_back(reference.header().notes.get()) {
        _ = reference.into_raw();
    }
}

/// # Safety
/// As [`clone_as`]; the waker is used up.
unsafe fn wake_claiming<S: Schedule>(data: *const ()) {
    // SAFETY: called by `Waker` with its own data, whose reference is given up.
    let reference = ManuallyDrop::into_inner(unsafe { reference(data) });
    reference.header().wakes.woken();
    if reference.header().may_be_warm() {
        // SAFETY: the caller's.
        return unsafe { wake_warm::<S>(reference) };
    }
    match reference.header().state.claim_by_value() {
        // SAFETY: so the transition has said; its reference is given away.
        WakeByValue::Queue => unsafe { cell::schedule::<S>(reference.into_raw()) },
        WakeByValue::Drop => drop(reference),
        WakeByValue::Nothing => _ = reference.into_raw(),
    }
}

/// # Safety
/// As [`clone_as`].
unsafe fn wake_by_ref_claiming<S: Schedule>(data: *const ()) {
    // SAFETY: called by `Waker` with its own data.
    let reference = unsafe { reference(data) };
    reference.header().wakes.woken_by_ref();
    if reference.header().may_be_warm() {
        // SAFETY: the caller's.
        return unsafe { wake_warm_by_ref::<S>(&reference) };
    }
    if reference.header().state.claim() == Wake::Queue {
        // SAFETY: the transition has counted a reference for the runnable.
        unsafe { cell::schedule::<S>(reference.as_raw()) };
    }
}

/// Wakes a task that may be kept [warm](crate::warm), here or elsewhere.
///
/// # Safety
/// The scheduler of the task is an `S`.
#[inline(never)]
unsafe fn wake_warm<S: Schedule>(reference: Reference) {
    // SAFETY: the caller's.
    match unsafe { keep::take_warm::<S>(&reference) } {
        Some(warm) => {
            let runnable = warm.take_in(reference).wake();
            // SAFETY: the runnable is given away.
            unsafe { cell::schedule::<S>(runnable.into_header()) };
        }
        // SAFETY: the caller's.
        None => unsafe { wake_elsewhere::<S>(&reference) },
    }
}

/// As [`wake_warm`], by a waker that stays.
///
/// # Safety
/// As there.
#[inline(never)]
unsafe fn wake_warm_by_ref<S: Schedule>(reference: &Reference) {
    // SAFETY: the caller's.
    match unsafe { keep::take_warm::<S>(reference) } {
        // SAFETY: the runnable is given away.
        Some(warm) => unsafe { cell::schedule::<S>(warm.wake().into_header()) },
        // SAFETY: the caller's.
        None => unsafe { wake_elsewhere::<S>(reference) },
    }
}

/// Wakes a task that may be kept warm by another thread.
///
/// # Safety
/// The scheduler of the task is an `S`.
#[cold]
unsafe fn wake_elsewhere<S: Schedule>(reference: &Reference) {
    match reference.header().state.claim() {
        // SAFETY: the transition has counted a reference for the runnable.
        Wake::Queue => unsafe { cell::schedule::<S>(reference.as_raw()) },
        // SAFETY: the caller's.
        Wake::Nothing => unsafe { keep::warm_woken::<S>(reference) },
    }
}

/// # Safety
/// As [`clone_as`].
unsafe fn clone_here<S: Schedule>(data: *const ()) -> RawWaker {
    // SAFETY: called by `Waker` with its own data.
    let reference = unsafe { reference(data) };
    let header = reference.header();
    // SAFETY: the caller's.
    match unsafe { biased::biased::<S>(reference.as_raw()) } {
        Some(biased) => biased.add_reference(),
        None => header.state.add_reference(),
    }
    header.wakes.cloned();
    RawWaker::new(data, S::WAKERS.table())
}

/// # Safety
/// As [`clone_here`]; the waker is used up.
unsafe fn wake_here<S: Schedule>(data: *const ()) {
    // SAFETY: called by `Waker` with its own data, whose reference is given up.
    let reference = unsafe { reference(data) };
    reference.header().wakes.woken();
    // SAFETY: the caller's.
    if unsafe { biased::queue_idle::<S>(reference.as_raw()) } {
        // SAFETY: so the transition has said; its reference is given away. It happened here.
        unsafe { cell::schedule_here::<S>(reference.as_raw()) }
    } else {
        // SAFETY: the caller's.
        unsafe { wake_busy::<S>(ManuallyDrop::into_inner(reference)) };
    }
}

/// Wakes a task that is not idle, or not here. Not inlined: it needs registers that [`wake_here`]
/// would save for nothing.
///
/// # Safety
/// The scheduler of the task is an `S`.
#[inline(never)]
unsafe fn wake_busy<S: Schedule>(reference: Reference) {
    // SAFETY: the caller's.
    let woken = match unsafe { biased::biased::<S>(reference.as_raw()) } {
        Some(biased) => biased.wake_by_value(),
        None => reference.header().state.wake_by_value(),
    };
    match woken {
        // SAFETY: so the transition has said; its reference is given away.
        WakeByValue::Queue => unsafe { cell::schedule::<S>(reference.into_raw()) },
        WakeByValue::Drop => drop(reference),
        WakeByValue::Nothing => _ = reference.into_raw(),
    }
}

/// # Safety
/// As [`clone_here`].
unsafe fn wake_by_ref_here<S: Schedule>(data: *const ()) {
    // SAFETY: called by `Waker` with its own data.
    let reference = unsafe { reference(data) };
    let header = reference.header();
    header.wakes.woken_by_ref();
    // SAFETY: the caller's.
    let woken = match unsafe { biased::biased::<S>(reference.as_raw()) } {
        Some(biased) => biased.wake(),
        None => header.state.wake(),
    };
    if woken == Wake::Queue {
        // SAFETY: the transition has counted a reference for the runnable.
        unsafe { cell::schedule::<S>(reference.as_raw()) };
    }
}

/// # Safety
/// As [`clone_here`]; the waker is used up.
unsafe fn drop_here<S: Schedule>(data: *const ()) {
    // SAFETY: called by `Waker` with its own data, whose reference is given up.
    let reference = ManuallyDrop::into_inner(unsafe { reference(data) });
    reference.header().wakes.dropped();
    // SAFETY: the caller's.
    if let Some(biased) = unsafe { biased::biased::<S>(reference.as_raw()) } {
        biased.drop_reference();
        _ = reference.into_raw();
    }
}
