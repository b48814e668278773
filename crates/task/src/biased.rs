//! The state of a task that lives on one thread, where it needs no atomic instructions: [`Biased`].
//!
//! A scheduler of one thread runs its tasks where [`Schedule::is_here`] is true, and most of their
//! wakers are cloned, called and dropped there. So a task that is `BIASED` has two words: the
//! state word, for other threads, and its [`Notes`], here called `here`, for that one alone. Why
//! that is right is said at [`Biased`].
//!
//! | | in `here` | in the state word |
//! |---|---|---|
//! | `AWAITED` | the joiner has left its waker here, and `JOINS_HERE` | it has left it elsewhere |
//! | `RUNNING` | the thread polls or drops the future, or has done so for good | never |
//! | `SCHEDULED` | a runnable is in the thread's queue | one was sent there from elsewhere |
//! | `BIASED` | `UNBIASED` is not set | for those elsewhere |
//! | references | made here, less those dropped here | the same of elsewhere, and `OFFSET` |

use std::ptr::NonNull;

use yamanote_base::atomic::Ordering;
use yamanote_base::wait::lock::pause;

use crate::header::{Header, Prefix};
use crate::lent::{self, Lent};
use crate::notes::{IS_AWAITED, IS_QUEUED, Notes, ONE, RUNS, UNBIASED, count_of, without_count};
use crate::schedule::{Schedule, Wakers};
use crate::state::{
    AWAITED, BIASED, Begin, CANCELLED, Change, DONE, EndPoll, FRESH, JOINABLE, JOINS_HERE, OFFSET,
    Owner, REFERENCE, RUNNING, SCHEDULED, TaskState, Wake, WakeByValue,
};

const ONE_MORE: i64 = ONE as i64;
const ONE_LESS: i64 = -ONE_MORE;

/// What the notes of a task say that is in the thread's queue already, with three references.
pub(crate) const BORN_HERE: u64 = IS_QUEUED + 3 * ONE;

/// The same of a task that comes from elsewhere.
pub(crate) const BORN_ELSEWHERE: u64 = RUNS | UNBIASED;

/// A biased task, on its thread, whose queue is meant wherever it says so.
///
/// - *Who touches `here`*: who is here, from the task's birth (there) or its first poll on, until
///   `complete` clears `BIASED`. Those threads come one after the other, by the contract of
///   `is_here`; others leave `here` alone, and what else is noted there is the runner's, who is
///   here, or nobody's to write. So `UNBIASED`, which was there when the task was published, or is
///   set here before `BIASED` is cleared, tells who is here what `BIASED` does.
/// - *No reference is lost*: how many there are is the sum of both words less `OFFSET`, whichever
///   word a reference was counted in. `complete` makes it one number again. Nobody frees the task
///   before, for with `OFFSET` the state word never says that a reference was the last.
/// - *No wake is lost*: here, what was written before the wake precedes, on the same thread, the
///   poll of the runnable that is queued. Elsewhere, each wake writes the state word; the first
///   sends a runnable, and `recall`, by which the thread takes that in, clears `SCHEDULED` by a
///   read-modify-write: it sees what all of these wakes published, and a poll is to follow.
///
/// - *The joiner's waker*: while `JOINS_HERE` is set the handle, on this thread, puts it into its
///   place, and notes that in `here`; so does nobody else, and the runner is here. Elsewhere, the
///   handle clears `JOINS_HERE` before it touches the place, unless the task is done; and
///   `complete` makes it `AWAITED` where the runner is about to read the waker.
///
/// Counting in two words is after J. Choi, T. Shull and J. Torrellas, "Biased Reference Counting"
/// (PACT 2018). It is simple here, since a task is not freed before it is done, and done here.
pub(crate) struct Biased<'a>(&'a Header);

impl Header {
    /// Whether the task is biased; for who is here.
    #[inline]
    pub(crate) fn is_biased(&self) -> bool {
        // It changes on threads that are here, one after the other.
        self.notes.get() & UNBIASED == 0
    }

    /// Waits until the runner has [settled](Notes::settle), which is a few instructions after it
    /// has made the task done.
    #[inline]
    pub(crate) fn await_settled(&self) {
        let mut looks = 0;
        // Bounded by these instructions.
        while !self.notes.is_settled() {
            pause(looks);
            looks = looks.saturating_add(1);
        }
    }
}

/// The task of `header` on its own thread, if it is biased and the caller is there.
///
/// # Safety
/// `header` is that of a task whose scheduler is an `S`, and which outlives the result.
#[inline]
pub(crate) unsafe fn biased<'a, S: Schedule>(header: NonNull<Header>) -> Option<Biased<'a>> {
    // SAFETY: the caller's; a task begins with its prefix.
    let Prefix { header, scheduler } = unsafe { header.cast::<Prefix<S>>().as_ref() };
    let is_biased = scheduler.is_here() && header.is_biased();
    is_biased.then_some(Biased(header))
}

/// As [`Biased::wake_by_value`] of a task that is biased, idle and here; else nothing. Whether its
/// runnable is to be queued here, whose reference the caller's is.
///
/// # Safety
/// As [`biased`].
#[inline]
pub(crate) unsafe fn queue_idle<S: Schedule>(header: NonNull<Header>) -> bool {
    // SAFETY: the caller's; a task begins with its prefix.
    let Prefix { header, scheduler } = unsafe { header.cast::<Prefix<S>>().as_ref() };
    if !scheduler.is_here() {
        return false;
    }
    // With one look at the word for all that there is to ask.
    let task = Biased(header);
    let here = task.get();
    let is_idle = here & (RUNS | IS_QUEUED | UNBIASED) == 0;
    if is_idle {
        task.set(here | IS_QUEUED);
    }
    is_idle
}

/// `task` on its own thread, where the caller is, and biased.
#[inline]
pub(crate) fn on_its_thread(task: &Header) -> Biased<'_> {
    debug_assert!(task.is_biased(), "it is its thread's until it is done");
    Biased(task)
}

/// A task, seen by the owner of its runnable, who is here if there is a here: then the task is
/// biased, from `begin_run` on.
pub(crate) struct Runner<'a, S>(&'a Prefix<S>);

impl<'a, S: Schedule> Runner<'a, S> {
    /// Whether the task is run on its own thread.
    const IS_HERE: bool = matches!(S::WAKERS, Wakers::Here(_));

    #[inline]
    pub(crate) fn new(task: &'a Prefix<S>) -> Self {
        debug_assert!(!Self::IS_HERE || task.scheduler.is_here());
        Self(task)
    }

    #[inline]
    fn biased(&self) -> Biased<'a> {
        Biased(&self.0.header)
    }

    /// As [`TaskState::begin_run`].
    #[inline]
    pub(crate) fn begin_run(&self) -> Begin {
        match Self::IS_HERE {
            true => self.biased().begin_run(),
            false => self.0.header.state.begin_run(S::WAKERS.lent()),
        }
    }

    /// As [`TaskState::end_poll`].
    #[inline]
    pub(crate) fn end_poll(&self) -> EndPoll {
        match Self::IS_HERE {
            true => self.biased().end_poll(),
            false => self.0.header.state.end_poll(Self::take_lent()),
        }
    }

    /// As [`TaskState::complete`].
    #[inline]
    pub(crate) fn complete(self, unlisted: bool) -> Owner {
        match Self::IS_HERE {
            true => self.biased().complete(unlisted),
            false => {
                let state = &self.0.header.state;
                state.complete(unlisted, Self::take_lent())
            }
        }
    }

    /// Takes what is left of what the runner has lent.
    #[inline]
    pub(crate) fn take_lent() -> Lent {
        match S::WAKERS {
            Wakers::Claiming(_) => lent::take(),
            Wakers::Common | Wakers::Here(_) => Lent::NONE,
        }
    }
}

impl Biased<'_> {
    #[inline]
    fn get(&self) -> u64 {
        self.0.notes.get()
    }

    #[inline]
    fn set(&self, here: u64) {
        // Who has a `Biased` is the only one to write there, as argued above.
        self.0.notes.set(here);
    }

    /// Notes that the joiner's waker is in its place.
    #[inline]
    pub(crate) fn mark_awaited(&self) {
        self.set(self.get() | IS_AWAITED);
    }

    /// Adds a reference.
    #[inline]
    pub(crate) fn add_reference(&self) {
        self.set_counted(self.get(), ONE_MORE);
    }

    /// Drops a reference, which is not the last one.
    #[inline]
    pub(crate) fn drop_reference(&self) {
        self.set_counted(self.get(), ONE_LESS);
    }

    /// [`set`](Self::set)s `here`, and so many more references.
    #[inline]
    fn set_counted(&self, here: u64, more: i64) {
        match (here as i64).checked_add(more) {
            Some(here) => self.set(here as u64),
            None => count_in(&self.0.state, &self.0.notes, here, more),
        }
    }

    /// As [`TaskState::wake`].
    #[inline]
    pub(crate) fn wake(&self) -> Wake {
        let here = self.get();
        if here & (RUNS | IS_QUEUED) != 0 {
            self.set(here | IS_QUEUED);
            return Wake::Nothing;
        }
        self.set_counted(here | IS_QUEUED, ONE_MORE);
        Wake::Queue
    }

    /// As [`TaskState::wake_by_value`].
    #[inline]
    pub(crate) fn wake_by_value(&self) -> WakeByValue {
        let here = self.get();
        if here & (RUNS | IS_QUEUED) != 0 {
            self.set_counted(here | IS_QUEUED, ONE_LESS);
            return WakeByValue::Nothing;
        }
        self.set(here | IS_QUEUED);
        WakeByValue::Queue
    }

    /// As [`TaskState::cancel`].
    pub(crate) fn cancel(&self) -> Wake {
        // Relaxed: publishes nothing; looked at by this thread.
        self.0.state.0.fetch_or(CANCELLED, Ordering::Relaxed);
        self.wake()
    }

    /// Takes in a runnable that was sent from elsewhere; whether it is the one in the thread's
    /// queue from now on. Else there is one already, and the reference of this one was dropped.
    pub(crate) fn recall(&self) -> bool {
        // Acquire: pairs with the wakes elsewhere, as argued above. Release: the first
        // of the wakes that are to come queues the task anew, behind what happened here.
        self.0.state.0.fetch_and(!SCHEDULED, Ordering::AcqRel);
        match self.wake_by_value() {
            WakeByValue::Queue => true,
            WakeByValue::Nothing | WakeByValue::Drop => false,
        }
    }

    /// As [`TaskState::begin_run`], for a runnable of the thread's queue. A task that comes from
    /// elsewhere is biased from here on.
    #[inline]
    fn begin_run(&self) -> Begin {
        let here = self.get();
        if here & (RUNS | UNBIASED) != 0 {
            return self.begin_unusual();
        }
        debug_assert!(here & IS_QUEUED != 0, "a runnable is queued once");
        self.set((here & !IS_QUEUED) | RUNS);
        match self.is_cancelled() {
            true => Begin::Cancel,
            false => Begin::Poll,
        }
    }

    #[cold]
    fn begin_unusual(&self) -> Begin {
        let state = &self.0.state;
        if self.0.is_biased() || !state.is_fresh() {
            return Begin::Stale;
        }
        // The runner's reference stays where it was counted.
        self.set((self.get() & !UNBIASED) | RUNS);
        state.adopt()
    }

    /// As [`TaskState::end_poll`].
    #[inline]
    fn end_poll(&self) -> EndPoll {
        let here = self.get();
        debug_assert!(here & RUNS != 0, "only the runner ends a poll");
        if self.is_cancelled() {
            return EndPoll::Cancel;
        }
        if here & IS_QUEUED != 0 {
            self.set(here & !RUNS);
            return EndPoll::Reschedule;
        }
        self.set_counted(here & !RUNS, ONE_LESS);
        EndPoll::Idle
    }

    #[inline]
    fn is_cancelled(&self) -> bool {
        // Relaxed: an abort publishes nothing but itself, and one from elsewhere sends a runnable.
        self.0.state.0.load(Ordering::Relaxed) & CANCELLED != 0
    }

    /// As [`TaskState::claim_to_cancel`]; a runnable that is under way is stale from now on.
    pub(crate) fn claim_to_cancel(&self) -> bool {
        let here = self.get();
        if here & RUNS != 0 {
            // Relaxed: as in cancel().
            self.0.state.0.fetch_or(CANCELLED, Ordering::Relaxed);
            return false;
        }
        self.set((here & !IS_QUEUED) | RUNS);
        true
    }

    /// As [`TaskState::complete`]. The task is biased no more.
    #[inline]
    pub(crate) fn complete(self, unlisted: bool) -> Owner {
        let here = self.get();
        debug_assert!(here & RUNS != 0, "only the runner completes");
        self.set(here | UNBIASED);
        let list = if unlisted { REFERENCE } else { 0 };
        // The sum is that of all references, at least the runner's, so it is not negative.
        let counted = references(count_of(here)).wrapping_sub(OFFSET + list);
        self.0.state.update(|word| {
            let is_here = word & JOINS_HERE != 0 && here & IS_AWAITED != 0;
            let word = if is_here { word | AWAITED } else { word };
            let (owner, runner) = Owner::of(word & JOINABLE != 0, word & AWAITED != 0);
            let next = word & !(BIASED | RUNNING | SCHEDULED | FRESH | JOINS_HERE) | DONE;
            Change::To(next.wrapping_add(counted).wrapping_sub(runner), owner)
        })
    }
}

/// Has all references that `here` counts, and `more`, counted in the state word, which has room;
/// `here` is what is in the notes otherwise.
#[cold]
fn count_in(state: &TaskState, notes: &Notes, here: u64, more: i64) {
    // The sum is right for this thread, which alone looks at both words.
    state.count_in(references(count_of(here) + count_of(more as u64)));
    notes.set(without_count(here));
}

/// So many references, as the state word counts them.
#[inline]
fn references(count: i32) -> u32 {
    (count as u32).wrapping_mul(REFERENCE)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::id::Id;

    #[test]
    fn a_count_is_the_same_in_either_word() {
        for (count, more) in [(0, 1), (1, -1), (31, 1), (-32, -1)] {
            let state = TaskState::born_here();
            let before = state.0.load(Ordering::Relaxed);
            let notes = Notes::new(Id::from_u64(7), false, IS_QUEUED);
            let none = notes.get();
            let here = none.wrapping_add((i64::from(count) as u64).wrapping_mul(ONE));
            assert_eq!(count_of(here), count);
            count_in(&state, &notes, here, ONE_MORE * i64::from(more));
            assert_eq!(notes.get(), none);
            let moved = state.0.load(Ordering::Relaxed).wrapping_sub(before);
            assert_eq!(moved as i32, (count + more) * REFERENCE as i32);
        }
    }
}
