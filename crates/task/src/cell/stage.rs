//! What is in the place of a task's future: it, or what became of it.
//!
//! The header [notes](Holds) which. Place and note are used by whoever has the stage to itself, as
//! the head of `cell` says.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;

use yamanote_base::atomic::UnsafeCell;
use yamanote_trace::TaskSpan;

use super::TaskCell;
use crate::error::Cause;
use crate::notes::{Holds, Notes};

/// What is there, as [`Holds`] says. Nothing of it is dropped by itself.
pub(super) union Stage<F: Future> {
    future: ManuallyDrop<(F, TaskSpan)>,
    output: ManuallyDrop<F::Output>,
    cause: ManuallyDrop<Cause>,
}

impl<F: Future> Stage<F> {
    /// `future`, to be polled and dropped in `span`.
    #[inline]
    pub(super) fn new(future: F, span: TaskSpan) -> UnsafeCell<Self> {
        UnsafeCell::new(Self {
            future: ManuallyDrop::new((future, span)),
        })
    }
}

impl<F: Future, S> TaskCell<F, S> {
    #[inline]
    fn notes(&self) -> &Notes {
        &self.prefix.header.notes
    }

    /// Calls `f` with the future.
    ///
    /// # Safety
    /// The caller runs the task, and the stage is the future.
    #[inline]
    pub(super) unsafe fn with_future<R>(&self, f: impl FnOnce(Pin<&mut F>, &TaskSpan) -> R) -> R {
        debug_assert_eq!(self.notes().holds(), Holds::Future);
        self.stage.with_mut(|stage| {
            // SAFETY: the caller has the stage to itself.
            let stage = unsafe { &mut *stage };
            // SAFETY: it is the future.
            let (future, span) = &mut **unsafe { &mut stage.future };
            // SAFETY: the future lies in the allocation and is dropped there.
            f(unsafe { Pin::new_unchecked(future) }, span)
        })
    }

    /// Drops the future where it is, and puts `result` there; also when that panics.
    ///
    /// # Safety
    /// The caller runs the task, and the stage is the future.
    #[inline]
    pub(super) unsafe fn end_future(&self, result: Option<Result<F::Output, Cause>>) {
        /// Has the result and not the stage, which may be large, and moved as a whole.
        struct SetAfter<'a, F: Future, S> {
            cell: &'a TaskCell<F, S>,
            result: Option<Result<F::Output, Cause>>,
        }

        impl<F: Future, S> Drop for SetAfter<'_, F, S> {
            #[inline]
            fn drop(&mut self) {
                // SAFETY: what was there has been dropped, in place, by the caller below.
                unsafe { self.cell.set_result(self.result.take()) };
            }
        }

        debug_assert_eq!(self.notes().holds(), Holds::Future);
        let set = SetAfter { cell: self, result };
        self.stage.with_mut(|stage| {
            // SAFETY: the caller has the stage to itself.
            let stage = unsafe { &mut *stage };
            // SAFETY: it is the future.
            let future = unsafe { &mut stage.future };
            let span = future.1.take();
            // SAFETY: dropped once: `SetAfter` puts something else there.
            span.close_after(|| unsafe { ManuallyDrop::drop(future) });
        });
        drop(set);
    }

    /// Puts `result` there, over what is there.
    ///
    /// # Safety
    /// The caller has the stage to itself; nothing in it is to be dropped.
    #[inline]
    pub(super) unsafe fn set_result(&self, result: Option<Result<F::Output, Cause>>) {
        let (holds, stage) = match result {
            Some(Ok(output)) => {
                let output = ManuallyDrop::new(output);
                (Holds::Output, Stage { output })
            }
            Some(Err(cause)) => {
                let cause = ManuallyDrop::new(cause);
                (Holds::Cause, Stage { cause })
            }
            None => return self.notes().set_holds(Holds::Nothing),
        };
        self.notes().set_holds(holds);
        self.stage.with_mut(|place| {
            // SAFETY: the caller has the stage to itself.
            unsafe { place.write(stage) }
        });
    }

    /// Takes out what became of the future; `None` if that was taken already.
    ///
    /// # Safety
    /// The caller has the stage to itself, which is not the future.
    #[inline]
    pub(super) unsafe fn take_result(&self) -> Option<Result<F::Output, Cause>> {
        match self.notes().holds() {
            Holds::Output => {}
            // Not here: all four in one `match` are a table, and a jump.
            // SAFETY: the caller's.
            _ => return unsafe { self.take_cause() }.map(Err),
        }
        self.notes().set_holds(Holds::Nothing);
        self.stage.with_mut(|stage| {
            // SAFETY: the caller has the stage to itself.
            let stage = unsafe { &mut *stage };
            // SAFETY: it is an output.
            let output = unsafe { &mut stage.output };
            // SAFETY: read once, as the note says from now on.
            Some(Ok(unsafe { ManuallyDrop::take(output) }))
        })
    }

    /// Takes out why there is no output; `None` if there is nothing.
    ///
    /// # Safety
    /// As [`take_result`](Self::take_result).
    #[cold]
    #[inline(never)]
    unsafe fn take_cause(&self) -> Option<Cause> {
        let holds = self.notes().holds();
        self.notes().set_holds(Holds::Nothing);
        if holds != Holds::Cause {
            return None;
        }
        self.stage.with_mut(|stage| {
            // SAFETY: the caller has the stage to itself.
            let stage = unsafe { &mut *stage };
            // SAFETY: it is a cause.
            let cause = unsafe { &mut stage.cause };
            // SAFETY: read once, as the note says from now on.
            Some(unsafe { ManuallyDrop::take(cause) })
        })
    }
}
