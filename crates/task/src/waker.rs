//! The waker of a task: a counted reference behind `std`'s vtable.

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::header::{Header, Reference};

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// A waker that borrows its reference from the runner: polls count no references.
pub(crate) struct Borrowed<'a> {
    waker: ManuallyDrop<Waker>,
    _reference: &'a Reference,
}

/// The waker of the task of `reference`.
#[inline]
pub(crate) fn borrowed(reference: &Reference) -> Borrowed<'_> {
    let raw = RawWaker::new(reference.as_raw().as_ptr().cast(), &VTABLE);
    // SAFETY: the functions below keep the contract of `RawWaker`; this one waker is never
    // dropped, and `reference` outlives it.
    let waker = unsafe { Waker::from_raw(raw) };
    Borrowed {
        waker: ManuallyDrop::new(waker),
        _reference: reference,
    }
}

impl Deref for Borrowed<'_> {
    type Target = Waker;

    fn deref(&self) -> &Waker {
        &self.waker
    }
}

/// The reference of a waker, which stays the waker's.
///
/// # Safety
/// `data` is that of a live waker of this file.
unsafe fn reference(data: *const ()) -> ManuallyDrop<Reference> {
    let header = NonNull::new(data.cast_mut().cast::<Header>()).expect("made from a NonNull");
    // SAFETY: the waker's reference is counted; it is not dropped here.
    ManuallyDrop::new(unsafe { Reference::from_raw(header) })
}

/// # Safety
/// As [`reference`].
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: called by `Waker` with its own data.
    let cloned = ManuallyDrop::into_inner(unsafe { reference(data) }.clone());
    cloned.header().wakes.cloned();
    RawWaker::new(cloned.into_raw().as_ptr().cast(), &VTABLE)
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
