//! What a handle to a task holds: [`Held`], one word.
//!
//! | lowest bit | the rest |
//! |---|---|
//! | 0 | the address of the task, of which this counts as a reference |
//! | 1 | the number of a task whose output was taken; it may be gone |

use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};

use crate::header::{Header, Reference};
use crate::id::Id;

/// A counted reference to a task or, when its output was taken, its id. Dropped by who has it.
pub(crate) struct Held(NonNull<Header>);

// SAFETY: as a `Reference` is.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

impl Held {
    /// The task of `reference`, which is given to this.
    #[inline]
    pub(crate) fn task(reference: Reference) -> Self {
        Self(reference.into_raw())
    }

    /// A task of which nothing is left but its id; `None` where a word has no room for that.
    #[inline]
    pub(crate) fn id_only(id: Id) -> Option<Self> {
        let number = usize::try_from(id.as_u64()).ok()?;
        let word = number.checked_mul(2)? | 1;
        NonNull::new(ptr::without_provenance_mut(word)).map(Self)
    }

    /// The reference, which stays this one's; `None` if there is only the id.
    #[inline]
    pub(crate) fn get(&self) -> Option<ManuallyDrop<Reference>> {
        if self.0.addr().get() & 1 != 0 {
            return None;
        }
        // SAFETY: it came from `into_raw`, and is not dropped here.
        Some(ManuallyDrop::new(unsafe { Reference::from_raw(self.0) }))
    }

    /// The id of the task.
    #[inline]
    pub(crate) fn id(&self) -> Id {
        match self.get() {
            Some(task) => task.header().id(),
            None => Id::from_u64(self.0.addr().get() as u64 / 2),
        }
    }

    /// Whether the task has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.get().is_none_or(|task| task.header().state.is_done())
    }

    /// Cancels the task.
    pub(crate) fn cancel(&self) {
        if let Some(task) = self.get() {
            task.cancel();
        }
    }
}

impl Clone for Held {
    #[inline]
    fn clone(&self) -> Self {
        match self.get() {
            Some(task) => Self::task(Reference::clone(&task)),
            None => Self(self.0),
        }
    }
}
