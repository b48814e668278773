//! Which worker of a group sleeps in the group's selector: [`Attendance`].
//!
//! One of the sleeping workers *attends* the selector, the others are on their beds.
//!
//! | state | meaning | `begin` | `end` |
//! |---|---|---|---|
//! | off | nobody is in the selector, except for a look without waiting | on, yes | - |
//! | on | a worker sleeps in it, or is about to, or has just done so | no | off |
//!
//! **Why no event is left lying.** If something is registered, somebody attends, or a worker of
//! the group is awake and will attend before it sleeps. For a worker that goes to bed has first
//! said so in its [`UnparkToken`](crate::unpark::UnparkToken), and has then taken the lock of the
//! table to see that nothing is registered, or that somebody attends. Who registers something
//! takes that lock, too. If the worker was first, it is unparked, unless somebody attends, or is
//! awake to do so; if it was second, it sees the registration and stays out of bed.

use yamanote_base::atomic::{AtomicBool, Ordering};

/// Whether a worker attends the selector.
#[derive(Debug, Default)]
pub struct Attendance {
    on: AtomicBool,
}

impl Attendance {
    /// Makes the caller the attendant, if there is none.
    #[must_use = "an attendance must end"]
    pub fn begin(&self) -> bool {
        // AcqRel: Acquire pairs with the Release in end(); the last attendant has left.
        !self.on.swap(true, Ordering::AcqRel)
    }

    /// The attendant leaves.
    pub fn end(&self) {
        // Release: pairs with begin() and is_on().
        self.on.store(false, Ordering::Release);
    }

    /// Whether there is an attendant.
    #[must_use]
    pub fn is_on(&self) -> bool {
        // Acquire: the lock of the table, which the caller has just had, orders the rest.
        self.on.load(Ordering::Acquire)
    }
}
