//! A task that waits, and whose runner is its runner still: [`Warm`].

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::header::{Header, Reference};
use crate::lent::Lent;
use crate::notes::{ONE, without_count};
use crate::runnable::{Runnable, TaskRef};
use crate::state::EndPoll;

impl Header {
    /// Whether the task may be kept warm: it is, or was a moment ago. For the wakers of tasks that
    /// are `Claiming`.
    #[inline]
    pub(crate) fn may_be_warm(&self) -> bool {
        Lent::in_notes(self.notes.get()) != Lent::NONE
    }
}

/// A task that waits, and whose runner is its runner still.
///
/// To end a poll is a locked instruction, and so is the wake that follows. Where two tasks answer
/// each other on one thread, as a client and a server do, a task is woken by the one that runs
/// next: for so long the thread keeps it as it is, `RUNNING`, and the wake makes it a runnable
/// again without either ([`Schedule::take_warm`](crate::Schedule::take_warm)).
///
/// - *Who has the task*: there is one `Warm` of it, whose owner is the runner, with the runner's
///   reference; it does not poll. It is made a runnable again (`wake`), or ends what the runner has
///   left open ([`let_go`](Self::let_go)).
/// - *No wake is lost*: a wake elsewhere finds the task running, and leaves `SCHEDULED` in its word
///   (transition 2), as an abort leaves `CANCELLED`. `let_go` is a read-modify-write that finds
///   either, and makes a runnable of the task. After `wake`, it is found as with any runner:
///   before the poll, or at its end, for a task with either is not kept warm again.
/// - *None waits for long*: that is the scheduler's to see to, who lets go of the task. A waker
///   elsewhere tells it that there is haste, if it sees that the task is warm. It may not, within
///   the few instructions in which the task becomes that; then the task waits for the end of its
///   thread's next poll, or for who looks after threads that are stuck in one.
/// - *The references* that the runner has left of what it lent lie in the task's notes, as their
///   count, from the end of a poll until the next run or `let_go`. There is always one, so who
///   sees a count there sees that the task is warm, or was.
#[derive(Debug)]
pub struct Warm(NonNull<Header>);

// SAFETY: the task is one whose runner may be on any thread, and `Warm` makes its owner that.
unsafe impl Send for Warm {}
// SAFETY: nothing is to be had from one that is shared.
unsafe impl Sync for Warm {}

impl Warm {
    /// # Safety
    /// The caller is the runner of the task, after a poll, with its reference, and passes both on;
    /// it has put what is left of what it lent into the notes.
    #[inline]
    pub(crate) unsafe fn new(header: NonNull<Header>) -> Self {
        Self(header)
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: the runner's reference keeps the task.
        unsafe { self.0.as_ref() }
    }

    /// The address of the task.
    #[must_use]
    #[inline]
    pub fn address(&self) -> *mut () {
        self.0.as_ptr().cast()
    }

    /// Takes a reference in, of somebody who needs it no longer.
    #[inline]
    pub(crate) fn take_in(self, reference: Reference) -> Self {
        let notes = &self.header().notes;
        let lent = notes.get();
        // Else it is dropped; the runner's own is left.
        if Lent::in_notes(lent).has_room() {
            notes.set(lent + ONE);
            _ = reference.into_raw();
        }
        self
    }

    /// Makes it a runnable, as somebody wakes it whose reference to it stays theirs.
    #[inline]
    pub(crate) fn wake(self) -> Runnable {
        let this = ManuallyDrop::new(self);
        // SAFETY: it is claimed, as by transition 14, by the runner that it has.
        unsafe { Runnable::new(this.0) }
    }

    /// Ends the poll; or gives the task as a runnable, if it was woken meanwhile or cancelled.
    #[must_use]
    #[inline]
    pub fn let_go(self) -> Option<Runnable> {
        let task = ManuallyDrop::new(self).0;
        // SAFETY: the runner's reference keeps the task so far.
        let header = unsafe { task.as_ref() };
        let notes = header.notes.get();
        // The runner's notes, which the task passes on with the transition.
        header.notes.set(without_count(notes));
        match header.state.end_warm(Lent::in_notes(notes)) {
            EndPoll::Idle => None,
            EndPoll::Free => {
                let free = header.vtable().free;
                // SAFETY: the transition has dropped the last reference.
                unsafe { free(task) };
                None
            }
            EndPoll::Reschedule | EndPoll::Cancel => {
                header.notes.set(notes);
                // SAFETY: it is claimed, as by transition 14, by the runner that it has.
                Some(unsafe { Runnable::new(task) })
            }
        }
    }

    /// Gives it up for a word: the address of the task.
    #[must_use = "the task is lost unless it is made a `Warm` again"]
    #[inline]
    pub fn into_raw(self) -> *mut () {
        ManuallyDrop::new(self).address()
    }

    /// That behind `raw`.
    ///
    /// # Safety
    /// `raw` came from [`into_raw`](Self::into_raw) and is used once.
    #[must_use]
    #[inline]
    pub unsafe fn from_raw(raw: *mut ()) -> Self {
        // SAFETY: `into_raw` gives no null pointer.
        Self(unsafe { NonNull::new_unchecked(raw.cast()) })
    }
}

impl Drop for Warm {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: it is not used any more.
        let woken = unsafe { Warm::from_raw(self.address()) }.let_go();
        if let Some(woken) = woken {
            woken.queue();
        }
    }
}

impl TaskRef {
    /// The address of the task, as [`Warm::address`].
    #[must_use]
    #[inline]
    pub fn address(&self) -> *mut () {
        self.0.as_raw().as_ptr().cast()
    }
}
