//! The part of a task that is the same for all: [`Header`].

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{Context, Waker};

use yamanote_base::atomic::UnsafeCell;
use yamanote_trace::TaskWakes;

use crate::held::Held;
use crate::id::Id;
use crate::joiner::Joiner;
use crate::list::ListPlace;
use crate::meta::TaskMeta;
use crate::notes::Notes;
use crate::origin::Origin;
use crate::schedule::Schedule;
use crate::stamp::Stamp;
use crate::state::{TaskState, Wake, WakeByValue};

/// The part of a task that is the same for all futures. The first field of the allocation.
pub(crate) struct Header {
    pub(crate) state: TaskState,
    /// Where it is in the [`TaskList`](crate::TaskList).
    pub(crate) place: ListPlace,
    /// Its number, and what one thread at a time notes.
    pub(crate) notes: Notes,
    /// What it has in common with others.
    pub(crate) origin: &'static Origin,
    /// Tells subscribers what becomes of the wakers.
    pub(crate) wakes: TaskWakes,
    /// Who awaits the join handle. Whose it is, the state word says. Never cleared by the runner,
    /// nor dropped with the task.
    pub(crate) joiner: UnsafeCell<Joiner>,
}

/// What each task begins with.
#[repr(C)]
pub(crate) struct Prefix<S> {
    pub(crate) header: Header,
    /// Taken out when the task is freed.
    pub(crate) scheduler: ManuallyDrop<S>,
}

/// What depends on the types of the future and the scheduler.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vtable {
    /// Polls or cancels; consumes the runnable's reference.
    pub(crate) run: unsafe fn(NonNull<Header>),
    /// Cancels the task, whose runnable is dropped unrun; consumes the runnable's reference.
    pub(crate) shed: unsafe fn(NonNull<Header>),
    /// Cancels the task for its list, at once unless it runs; the caller has a reference.
    pub(crate) evict: unsafe fn(NonNull<Header>),
    /// Cancels the task at the next opportunity; the caller has a reference.
    pub(crate) abort: unsafe fn(NonNull<Header>),
    /// Queues a runnable, whose reference the caller gives.
    pub(crate) schedule: unsafe fn(NonNull<Header>),
    /// Whether the task is done; if not, it leaves the waker. For the join handle.
    pub(crate) poll_finished: unsafe fn(NonNull<Header>, &mut Context<'_>) -> bool,
    /// The same, for a handle that holds the task; if so, it moves the output out, to a
    /// `MaybeUninit<Result<T, JoinError>>`, and leaves the handle the id alone, where it can.
    pub(crate) poll_output: unsafe fn(&mut Held, &mut Context<'_>, *mut ()) -> bool,
    /// Drops the join handle, and the output if the task is done and it was not taken; consumes
    /// the handle's reference.
    pub(crate) drop_join: unsafe fn(NonNull<Header>),
    /// Frees the task; the caller had the last reference.
    pub(crate) free: unsafe fn(NonNull<Header>),
    /// How far behind the header the stamp lies, if there is one.
    pub(crate) stamp_at: usize,
    /// How many bytes the task has, without a stamp.
    pub(crate) bytes: usize,
}

impl Header {
    /// The functions of its task.
    #[inline]
    pub(crate) fn vtable(&self) -> &'static Vtable {
        &self.origin.vtable
    }

    #[inline]
    pub(crate) fn id(&self) -> Id {
        Id::of_notes(self.notes.get())
    }

    /// Who awaits the task.
    ///
    /// # Safety
    /// The caller may read the place: nobody writes there now.
    #[inline]
    pub(crate) unsafe fn joiner(&self) -> Joiner {
        // SAFETY: the caller's.
        self.joiner.with(|place| unsafe { *place })
    }

    /// Reads the joiner's waker out of the task, whose scheduler is an `S`.
    ///
    /// # Safety
    /// It is there, and the caller's, who reads it once.
    #[inline]
    pub(crate) unsafe fn read_joiner<S: Schedule>(&self) -> Waker {
        // SAFETY: the caller's; others only read it, if anything.
        let joiner = unsafe { self.joiner() };
        // SAFETY: the caller's; the handle has put it there as that of a task of an `S`.
        unsafe { joiner.read::<S>() }
    }

    /// What hooks are told when the task has ended.
    #[inline]
    pub(crate) fn end_meta(&self) -> TaskMeta<'_> {
        TaskMeta::new(self.id(), self.origin.location)
    }
}

/// A counted reference to a task.
#[derive(Debug)]
pub(crate) struct Reference(NonNull<Header>);

// SAFETY: a reference gives access to the header only, whose fields are `Sync` or touched by
// the rules above; what is behind the vtable is moved between threads by the state word.
unsafe impl Send for Reference {}
// SAFETY: as above.
unsafe impl Sync for Reference {}

impl Reference {
    /// Takes over a reference that was counted already.
    ///
    /// # Safety
    /// `header` is alive, and the caller gives one counted reference away.
    #[inline]
    pub(crate) unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self(header)
    }

    /// Gives the reference away; it stays counted.
    #[inline]
    pub(crate) fn into_raw(self) -> NonNull<Header> {
        let header = self.0;
        std::mem::forget(self);
        header
    }

    /// The task's address.
    #[inline]
    pub(crate) fn as_raw(&self) -> NonNull<Header> {
        self.0
    }

    /// The header.
    #[inline]
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: this reference is counted, so the task is alive.
        unsafe { self.0.as_ref() }
    }

    /// When the task was queued, and how long it waited, if its scheduler wants to know.
    #[inline]
    pub(crate) fn stamp(&self) -> Option<&Stamp> {
        let header = self.header();
        if !header.notes.is_stamped() {
            return None;
        }
        // SAFETY: that is in the allocation, by the contract of `stamp_at`.
        let stamp = unsafe { self.0.byte_add(header.vtable().stamp_at) };
        // SAFETY: one was put there before the task began, and this reference keeps it.
        Some(unsafe { stamp.cast::<Stamp>().as_ref() })
    }

    /// What hooks are told of the poll that is under way, by its runner.
    #[inline]
    pub(crate) fn poll_meta(&self) -> TaskMeta<'_> {
        let header = self.header();
        TaskMeta::new(header.id(), header.origin.location).with_stamp(self.stamp())
    }

    /// Cancels the task: its future is dropped at the next opportunity.
    #[inline]
    pub(crate) fn cancel(&self) {
        let abort = self.header().vtable().abort;
        // SAFETY: this reference keeps the task alive.
        unsafe { abort(self.0) };
    }

    /// Queues the task.
    #[inline]
    pub(crate) fn wake(&self) {
        if self.header().state.wake() == Wake::Queue {
            self.queue();
        }
    }

    /// Queues the task, and gives the reference up.
    #[inline]
    pub(crate) fn wake_by_value(self) {
        match self.header().state.wake_by_value() {
            WakeByValue::Queue => self.into_queue(),
            WakeByValue::Drop => drop(self),
            WakeByValue::Nothing => _ = self.into_raw(),
        }
    }

    /// Queues a runnable for which a reference was counted.
    #[inline]
    fn queue(&self) {
        let schedule = self.header().vtable().schedule;
        // SAFETY: `wake` counted a reference for the runnable before it said so.
        unsafe { schedule(self.0) };
    }

    /// Queues a runnable, whose reference this becomes.
    #[inline]
    fn into_queue(self) {
        let schedule = self.header().vtable().schedule;
        // SAFETY: `wake_by_value` has said so; the reference is given away.
        unsafe { schedule(self.into_raw()) };
    }
}

impl Clone for Reference {
    #[inline]
    fn clone(&self) -> Self {
        self.header().state.add_reference();
        Self(self.0)
    }
}

impl Drop for Reference {
    #[inline]
    fn drop(&mut self) {
        if self.header().state.drop_reference() {
            let free = self.header().vtable().free;
            // SAFETY: it was the last reference.
            unsafe { free(self.0) };
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_at_most_32_bytes() {
        assert!(size_of::<Header>() <= 32 + size_of::<TaskWakes>());
    }
}
