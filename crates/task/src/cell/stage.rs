//! What is in the place of a task's future: it, or what became of it.
//!
//! The header [notes](Holds) which. Place and note are used by whoever has the stage to itself, as
//! the head of `cell` says.

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;

use yamanote_base::atomic::UnsafeCell;
use yamanote_base::atomic::plain::{AtomicU8, Ordering};
use yamanote_trace::TaskSpan;

use super::TaskCell;
use crate::error::Cause;

/// What is there, as [`Holds`] says. Nothing of it is dropped by itself.
pub(super) union Stage<F: Future> {
    future: ManuallyDrop<(F, TaskSpan)>,
    output: ManuallyDrop<F::Output>,
    cause: ManuallyDrop<Cause>,
}

/// What is in the place of a future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The future, in its span.
    Future,
    /// Its output.
    Output,
    /// Why there is no output.
    Cause,
    /// Nothing: what was there was taken.
    Nothing,
}

/// A note of what the stage [`Holds`], beside other things of the header.
#[derive(Debug)]
pub(crate) struct HoldsNote(AtomicU8);

impl HoldsNote {
    /// A task begins with its future.
    #[inline]
    pub(crate) fn future() -> Self {
        Self(AtomicU8::new(Holds::Future as u8))
    }

    #[inline]
    fn get(&self) -> Holds {
        // Relaxed: what hands the stage on publishes the note with it.
        match self.0.load(Ordering::Relaxed) {
            0 => Holds::Future,
            1 => Holds::Output,
            2 => Holds::Cause,
            _ => Holds::Nothing,
        }
    }

    #[inline]
    fn set(&self, holds: Holds) {
        // Relaxed: as in get().
        self.0.store(holds as u8, Ordering::Relaxed);
    }
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
    fn holds(&self) -> &HoldsNote {
        &self.prefix.header.holds
    }

    /// Calls `f` with the future.
    ///
    /// # Safety
    /// The caller runs the task, and the stage is the future.
    #[inline]
    pub(super) unsafe fn with_future<R>(&self, f: impl FnOnce(Pin<&mut F>, &TaskSpan) -> R) -> R {
        debug_assert_eq!(self.holds().get(), Holds::Future);
        self.stage.with_mut(|stage| {
            // SAFETY: the caller has the stage to itself, which is the future.
            let (future, span) = &mut **unsafe { &mut (*stage).future };
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

        debug_assert_eq!(self.holds().get(), Holds::Future);
        let set = SetAfter { cell: self, result };
        self.stage.with_mut(|stage| {
            // SAFETY: the caller has the stage to itself, which is the future.
            let future = unsafe { &mut (*stage).future };
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
            None => return self.holds().set(Holds::Nothing),
        };
        self.holds().set(holds);
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
        let holds = self.holds().get();
        self.holds().set(Holds::Nothing);
        self.stage.with_mut(|stage| match holds {
            // SAFETY: the caller has the stage to itself, and it is an output, which is read once.
            Holds::Output => Some(Ok(unsafe { ManuallyDrop::take(&mut (*stage).output) })),
            // SAFETY: as above, a cause.
            Holds::Cause => Some(Err(unsafe { ManuallyDrop::take(&mut (*stage).cause) })),
            Holds::Future | Holds::Nothing => None,
        })
    }
}
