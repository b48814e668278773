//! The worker on the current thread: [`here`].

use std::cell::Cell;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use yamanote_task::{Own, Runnable, TaskRef, Warm};

use super::Desk;
use crate::multi::{Lane, Multi, MultiParts};

/// The worker on the current thread, seen by its scheduler; nobody elsewhere.
#[derive(Clone, Copy)]
pub(in crate::multi) struct Here<'a>(Option<&'a Desk>);

/// The innermost [`Worker::run`](super::Worker::run) on a thread: whose it is, and its desk. Both
/// null without one.
#[derive(Clone, Copy)]
struct Place {
    scheduler: *const MultiParts,
    desk: *const Desk,
}

thread_local! {
    static PLACE: Cell<Place> = const {
        Cell::new(Place {
            scheduler: ptr::null(),
            desk: ptr::null(),
        })
    };
}

/// The desk lies on the thread, until this is dropped.
pub(super) struct DeskPlace {
    desk: Rc<Desk>,
    before: Place,
}

impl DeskPlace {
    pub(super) fn take(desk: &Rc<Desk>) -> Self {
        Self {
            before: PLACE.replace(Place {
                scheduler: Arc::as_ptr(&desk.multi.0),
                desk: Rc::as_ptr(desk),
            }),
            desk: desk.clone(),
        }
    }
}

impl Drop for DeskPlace {
    fn drop(&mut self) {
        let place = PLACE.replace(self.before);
        debug_assert!(ptr::eq(place.desk, Rc::as_ptr(&self.desk)));
    }
}

impl<'a> Here<'a> {
    /// Puts a task that became runnable here into the worker's hands.
    #[inline]
    pub(in crate::multi) fn push(&self, task: Runnable, lane: Lane) -> Result<(), Runnable> {
        match self.0 {
            Some(desk) => desk.accept(task, lane),
            None => Err(task),
        }
    }

    /// Keeps the task that `waits` gives for the worker's next poll, if that keeps any.
    #[inline]
    pub(in crate::multi) fn keep_warm(&self, waits: impl FnOnce() -> Warm) -> bool {
        self.0.is_some_and(|desk| desk.keep_warm(waits))
    }

    /// Gives back `task` if the worker keeps it.
    #[inline]
    pub(in crate::multi) fn take_warm(&self, task: &TaskRef) -> Option<Warm> {
        self.0?.take_warm(task)
    }

    /// The shard of the list that the thread has to itself: none after the worker was sent to
    /// another one.
    #[inline]
    pub(in crate::multi) fn shard(&self) -> Option<usize> {
        let desk = self.0?;
        desk.kit.borrow().is_some().then_some(desk.index)
    }

    /// What the thread has for new tasks.
    #[inline]
    pub(in crate::multi) fn own(&self) -> Own<'a, Multi> {
        Own {
            shard: self.shard(),
            cells: self.0.map(|desk| &desk.cells),
        }
    }
}

/// Calls `f` with the desk on the current thread, if there is one.
#[inline]
pub(super) fn with_desk<R>(f: impl FnOnce(Option<&Desk>) -> R) -> R {
    // SAFETY: as in `here`.
    f(unsafe { PLACE.get().desk.as_ref() })
}

/// Calls `f` with the worker of `multi` on the current thread, if one is there.
#[inline]
pub(in crate::multi) fn here<R>(multi: &Multi, f: impl FnOnce(Here<'_>) -> R) -> R {
    let place = PLACE.get();
    let is_here = ptr::eq(place.scheduler, &*multi.0);
    // SAFETY: a `DeskPlace` on this thread's stack keeps the desk, and takes it away from here
    // before it lets it go; it lies below this call.
    f(Here(is_here.then(|| unsafe { &*place.desk })))
}

/// The index of the current thread's worker, if it is one of `multi`.
pub(in crate::multi) fn index_of(multi: &Multi) -> Option<usize> {
    here(multi, |here| here.0.map(|desk| desk.index))
}

/// The index of the worker that runs on the current thread, if one does.
pub fn current_worker() -> Option<usize> {
    with_desk(|desk| desk.map(|desk| desk.index))
}
