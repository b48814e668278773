//! Cells of tasks that ended, kept for tasks to come with their scheduler's handle in them:
//! [`RestingCells`].
//!
//! Each task has a handle of its scheduler. One that is made by cloning, and dropped with the task,
//! writes twice to the count of references, which all workers share; one that stays in its cell
//! writes to nothing that others read.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use yamanote_base::cell_pool::{self, BYTES_MAX, Block, CLASSES, SizeClass};

use crate::header::Prefix;

/// Cells without a task, by size, each with a handle of the scheduler `S`. It belongs to the thread
/// that runs the tasks, and keeps a bounded number of bytes.
pub struct RestingCells<S> {
    /// The one that was freed last. The others are linked behind it.
    tops: [Cell<Top>; CLASSES],
    bytes: Cell<usize>,
    _scheduler: PhantomData<S>,
}

/// A chain of cells of a size, of whatever scheduler.
type Top = Option<NonNull<Resting>>;

/// What is in the place of a header while its cell rests.
struct Resting {
    next: Top,
}

/// What the thread that makes a task has for that, if it runs the tasks.
#[derive(Debug)]
pub struct Own<'a, S> {
    /// The shard of the list that it has to itself.
    pub shard: Option<usize>,
    /// Cells of tasks that have ended there.
    pub cells: Option<&'a RestingCells<S>>,
}

impl<S> Own<'_, S> {
    /// For any other thread.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            shard: None,
            cells: None,
        }
    }
}

impl<S> RestingCells<S> {
    /// None so far.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tops: [const { Cell::new(None) }; CLASSES],
            bytes: Cell::new(0),
            _scheduler: PhantomData,
        }
    }

    /// A cell of `class` in which a scheduler is, and nothing else; the caller's from now on.
    #[inline]
    pub(crate) fn take(&self, class: SizeClass) -> Option<NonNull<Prefix<S>>> {
        let top = self.tops[class.index].get()?;
        // SAFETY: `give` has put it there, and it rests until now.
        self.tops[class.index].set(unsafe { top.as_ref() }.next);
        self.bytes.set(self.bytes.get() - class.bytes);
        Some(top.cast())
    }

    /// Keeps the block of `class` at `cell`, unless there are enough; whether it does.
    ///
    /// # Safety
    /// The block came from [`cell_pool::take`] and is given away if this returns `true`. The
    /// scheduler of the prefix is in it, and nothing else that is to be dropped.
    #[inline]
    pub(crate) unsafe fn give(&self, class: SizeClass, cell: NonNull<Prefix<S>>) -> bool {
        let bytes = self.bytes.get() + class.bytes;
        if bytes > BYTES_MAX {
            return false;
        }
        self.bytes.set(bytes);
        let resting = cell.cast::<Resting>();
        let next = self.tops[class.index].get();
        // SAFETY: the block is the caller's; what is written lies in the header, which is gone.
        unsafe { resting.write(Resting { next }) };
        self.tops[class.index].set(Some(resting));
        true
    }
}

impl<S> Drop for RestingCells<S> {
    fn drop(&mut self) {
        for class in SizeClass::all() {
            // Bounded: by the bytes.
            while let Some(cell) = self.take(class) {
                // SAFETY: it is in the cell, and the cell is ours.
                let scheduler = unsafe { &raw const (*cell.as_ptr()).scheduler };
                // SAFETY: read once, here.
                drop(ManuallyDrop::into_inner(unsafe { scheduler.read() }));
                // SAFETY: it was a block of this class, by the contract of `give`.
                cell_pool::give(unsafe { Block::from_raw(cell.cast(), class) });
            }
        }
    }
}

impl<S> Default for RestingCells<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> fmt::Debug for RestingCells<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestingCells")
            .field("bytes", &self.bytes.get())
            .finish_non_exhaustive()
    }
}
