//! The state word of a task: who may poll it, whether it is to run, who is interested.
//!
//! | bit | set means |
//! |---|---|
//! | `RUNNING` | one thread has the future to itself: to poll it, or to drop it |
//! | `SCHEDULED` | a `Runnable` exists; together with `RUNNING`: the runner must reschedule |
//! | `DONE` | the future is gone; its output (or error) is stored, or was taken |
//! | `JOINABLE` | the `JoinHandle` exists; it owns the output after `DONE` |
//! | `CANCELLED` | the future is to be dropped at the next opportunity |
//! | `AWAITED` | the joiner's waker lies in the task; with `DONE`, the runner is to read it |
//! | `FRESH` | with `RUNNING`: the runner began as the owner of a runnable, before the poll |
//! | `BIASED` | not `DONE`, and lives on one thread: [`biased`](crate::biased) has the rest |
//! | `JOINS_HERE` | the joiner's waker is in the hands of the task's thread, without `AWAITED` |
//! | `KEPT` | there were too many references to count: the task's memory is never freed |
//! | above | the number of references: list, runnable, join handle, abort handles, wakers |
//!
//! | # | transition | from | to | by |
//! |---|---|---|---|---|
//! | 1 | `wake` | idle | `SCHEDULED` | a waker, who then queues the runnable |
//! | 2 | `wake` | `RUNNING`, `SCHEDULED` | `+ SCHEDULED` | a waker, who leaves it to the runner |
//! | 3 | `begin_run` | `SCHEDULED` | `RUNNING` | the owner of a runnable, if not `FRESH` |
//! | 4 | `end_poll` | `RUNNING` | idle, or `SCHEDULED` after 2 | the runner |
//! | 5 | `cancel` | idle | `SCHEDULED + CANCELLED` | an abort, who then queues the runnable |
//! | 6 | `cancel` | else, but `DONE` | `+ CANCELLED` | an abort; the runner sees it in 3 or 4 |
//! | 7 | `claim_to_cancel` | idle, `SCHEDULED` | `RUNNING + CANCELLED` | the list, at shutdown |
//! | 8 | `complete` | `RUNNING` | `DONE` | the runner |
//! | 9 | `unjoin` | not `DONE` | not `JOINABLE`, not `AWAITED` | the join handle, when dropped |
//! | 10 | `leave_waker` | not `DONE` | `+ AWAITED` | the join handle, with its waker in place |
//! | 11 | `take_waker_back` | `AWAITED`, not `DONE` | not `AWAITED` | the join handle |
//! | 12 | `adopt` | `FRESH + RUNNING` | `BIASED` | the first runner, on the task's thread |
//! | 13 | `join_elsewhere` | `JOINS_HERE`, not `DONE` | not `JOINS_HERE` | the join handle |
//! | 14 | `claim` | idle | `FRESH + RUNNING` | a waker, who then queues the runnable |
//! | 15 | `end_warm` | `FRESH + RUNNING` | idle | who has kept it [warm](crate::warm) |
//!
//! After transition 7 from `SCHEDULED` the runnable that is under way
//! somewhere is stale: it finds in 3 that the task is not its own any more. So whoever closes the
//! list drops all futures on its own thread, which tasks that are not `Send` rely on.
//!
//! All transitions are read-modify-write with AcqRel, so each sees what led to the one before:
//! the future's last poll, the stored output, the queued data. Loads are Acquire for the same
//! reason. References follow the rules of `Arc`.

use yamanote_base::atomic::{AtomicU32, Ordering};

use crate::lent::{LENT, Lent};

pub(crate) const RUNNING: u32 = 1;
pub(crate) const SCHEDULED: u32 = 1 << 1;
pub(crate) const DONE: u32 = 1 << 2;
pub(crate) const JOINABLE: u32 = 1 << 3;
pub(crate) const CANCELLED: u32 = 1 << 4;
pub(crate) const AWAITED: u32 = 1 << 5;
pub(crate) const FRESH: u32 = 1 << 6;
pub(crate) const BIASED: u32 = 1 << 7;
/// What a runnable's task is that its owner runs without a transition.
const CLAIMED: u32 = RUNNING | FRESH;
pub(crate) const JOINS_HERE: u32 = 1 << 8;
/// The word has room for four million references. Once there are half as many the task is kept, so
/// that none is ever taken for the last; from then on the number means nothing, and may wrap, which
/// touches no bit below it.
const KEPT: u32 = 1 << 9;
pub(crate) const REFERENCE: u32 = 1 << 10;
/// So many references that the task is `KEPT`. Each of those who find them adds one before it sees
/// to that, so there are no more than threads above this, and the number does not wrap before.
const MANY: u32 = 1 << 31;
const COUNT: u32 = !(REFERENCE - 1);
/// What a biased task has more than it was counted: half of what makes it `KEPT`, and far more than
/// what its own thread may have counted apart.
pub(crate) const OFFSET: u32 = 1 << 30;

/// The state word.
///
/// Transitions 1 and 2 exist twice: `wake` is for those who keep their reference, and adds one
/// for the runnable; `wake_by_value` is for those who give theirs up, and makes it the runnable's.
/// Transition 2 writes the word even if that is `SCHEDULED` already: else the poll that is about to
/// begin need not see what the waker has done before.
/// Transition 3 keeps the runnable's reference, which becomes the runner's; 4 drops it, or makes
/// it that of the next runnable; 8 drops it unless the runner needs the task once more. Where
/// runners lend references ([`lent`](crate::lent)), 3 and 14 count them, and so does the task's
/// beginning; 4 and 8 subtract what is left of them.
///
/// A task begins as `FRESH + RUNNING`: the owner of its first runnable is its runner from the
/// start, and begins the first poll without a transition. Nobody else can have claimed the task,
/// for it is on no list before it has waited, and has no wakers before it was polled; an abort (6)
/// is seen by the load in `begin_run`, or in 4.
///
/// Transition 14 may stand in for 1 where tasks are `Send`, and saves 3: the owner of the runnable
/// is the runner again, to whom the list leaves the task (6). A wake before the poll leaves
/// `SCHEDULED` (2): either the load in `begin_run` finds it, and takes it back by a
/// read-modify-write, which sees what led to the wake; or it is found in 4, and the task is polled
/// once more.
///
/// The joiner's waker lies in the task, where the join handle put it. Until `DONE` is set it is
/// the handle's, which may look at it as long as `AWAITED` is set, and change it while that is not.
/// When transition 8 finds `AWAITED`, the waker has become the runner's, who only reads it, and
/// whoever drops the handle leaves it alone. The runner has dropped its reference by then: the
/// handle keeps its own until the runner has said that it has read the waker, in the notes
/// ([`Notes::settle`](crate::notes::Notes::settle)), which is the last that it does to the
/// task. The woken joiner finds that said; one that comes by itself waits for a few instructions.
#[derive(Debug)]
pub(crate) struct TaskState(pub(crate) AtomicU32);

/// What a transition makes of the word, and what it tells its caller.
///
/// Not a pair with an `Option`: the compiler puts that on the stack, and a wake takes ten
/// instructions more.
pub(crate) enum Change<R> {
    /// It stays as it is.
    Leave(R),
    /// It becomes this.
    To(u32, R),
}

/// What the caller of a `wake` or `cancel` must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Queue the runnable, which has a reference of its own.
    Queue,
    /// Nothing.
    Nothing,
}

/// What the owner of a runnable must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// Nothing: the list has cancelled the task, or is about it.
    Stale,
    /// Poll the future.
    Poll,
    /// Drop the future.
    Cancel,
}

/// What the runner must do after a poll that returned `Pending`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndPoll {
    /// Nothing: the task waits. The runner's reference was dropped.
    Idle,
    /// Free the task: the runner's reference was the last one.
    Free,
    /// Queue the task again: it was woken meanwhile. The runner's reference is the runnable's.
    Reschedule,
    /// Drop the future: it is still the runner's.
    Cancel,
}

/// What somebody must do who has woken a task and given up a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WakeByValue {
    /// Queue the runnable, whose reference it is now.
    Queue,
    /// Drop the reference.
    Drop,
    /// Nothing: the reference was dropped.
    Nothing,
}

/// Who owns the output of a task that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The join handle, which need not be told. The runner's reference was dropped.
    Joiner,
    /// The join handle; its waker is the runner's now, to be woken. The runner's reference was
    /// dropped, the handle's stays until the runner has settled.
    Waiting,
    /// The runner: there is no join handle.
    Runner,
}

/// What a join handle finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// The task is done, and the output the handle's.
    Done,
    /// The same; the handle has to wait until the runner has read its waker.
    DoneAwaited,
    /// It is not, and on the task's thread the place of the waker is the handle's.
    Here,
    /// It is not; the handle's waker is in the task, and may be looked at.
    Awaited,
    /// It is not, and no waker is in the task.
    Open,
}

impl Owner {
    /// By whether there is a join handle, and whether it has left a waker; and what is dropped of
    /// the count for the runner.
    #[inline]
    pub(crate) fn of(joinable: bool, awaited: bool) -> (Self, u32) {
        match (joinable, awaited) {
            (false, _) => (Owner::Runner, 0),
            // Not the last reference: the join handle has one.
            (true, false) => (Owner::Joiner, REFERENCE),
            (true, true) => (Owner::Waiting, REFERENCE),
        }
    }
}

impl TaskState {
    /// A task that is to be run for the first time, with three references, and what its runner
    /// lends.
    #[inline]
    pub(crate) fn new(lent: Lent) -> Self {
        let references = (3 + lent.count()) * REFERENCE;
        Self(AtomicU32::new(FRESH | RUNNING | JOINABLE | references))
    }

    /// The same on the task's own thread, where the references are counted.
    #[inline]
    pub(crate) fn born_here() -> Self {
        Self(AtomicU32::new(BIASED | JOINABLE | JOINS_HERE | OFFSET))
    }

    /// Transitions 1 and 2. With `Queue`, a reference was added for the runnable.
    #[inline]
    pub(crate) fn wake(&self) -> Wake {
        self.wake_to(SCHEDULED, Lent::NONE)
    }

    /// Transitions 14 and 2, else as [`wake`](Self::wake).
    #[inline]
    pub(crate) fn claim(&self) -> Wake {
        self.wake_to(CLAIMED, LENT)
    }

    #[inline(always)]
    fn wake_to(&self, queued: u32, lent: Lent) -> Wake {
        let references = (1 + lent.count()) * REFERENCE;
        self.update(|word| {
            if word & DONE != 0 {
                Change::Leave(Wake::Nothing)
            } else if word & (RUNNING | SCHEDULED) != 0 {
                Change::To(word | SCHEDULED, Wake::Nothing)
            } else {
                Change::To((word | queued).wrapping_add(references), Wake::Queue)
            }
        })
    }

    /// Transitions 1 and 2, by somebody who gives up a reference.
    #[inline]
    pub(crate) fn wake_by_value(&self) -> WakeByValue {
        self.wake_by_value_to(SCHEDULED, Lent::NONE)
    }

    /// Transitions 14 and 2, else as [`wake_by_value`](Self::wake_by_value).
    #[inline]
    pub(crate) fn claim_by_value(&self) -> WakeByValue {
        self.wake_by_value_to(CLAIMED, LENT)
    }

    #[inline(always)]
    fn wake_by_value_to(&self, queued: u32, lent: Lent) -> WakeByValue {
        let references = lent.count() * REFERENCE;
        self.update(|word| {
            if word & DONE != 0 {
                Change::Leave(WakeByValue::Drop)
            } else if word & (RUNNING | SCHEDULED) != 0 {
                // Not the last reference: the runner or the runnable has one.
                Change::To(
                    (word | SCHEDULED).wrapping_sub(REFERENCE),
                    WakeByValue::Nothing,
                )
            } else {
                Change::To((word | queued).wrapping_add(references), WakeByValue::Queue)
            }
        })
    }

    /// Transition 3, or nothing but a look if the caller is the runner already. Unless the runnable
    /// is stale, the caller has got `lent`, in either case.
    #[inline]
    pub(crate) fn begin_run(&self, lent: Lent) -> Begin {
        let references = lent.count() * REFERENCE;
        // Acquire: pairs with an abort, as all transitions do; the queue has published the task.
        let word = self.0.load(Ordering::Acquire);
        if word & (FRESH | SCHEDULED | CANCELLED) == FRESH {
            return Begin::Poll;
        }
        self.update(|word| {
            if word & FRESH != 0 {
                return match word & CANCELLED {
                    0 => Change::To(word & !SCHEDULED, Begin::Poll),
                    _ => Change::Leave(Begin::Cancel),
                };
            }
            // One that is biased runs on its thread only.
            if word & (RUNNING | DONE | BIASED) != 0 {
                return Change::Leave(Begin::Stale);
            }
            debug_assert!(
                word & SCHEDULED != 0,
                "a runnable exists while it is scheduled"
            );
            let begin = if word & CANCELLED != 0 {
                Begin::Cancel
            } else {
                Begin::Poll
            };
            let next = (word & !SCHEDULED) | RUNNING;
            Change::To(next.wrapping_add(references), begin)
        })
    }

    /// Whether the first poll is to come.
    #[inline]
    pub(crate) fn is_fresh(&self) -> bool {
        // Relaxed: for its runner, to whom the queue has published the task.
        self.0.load(Ordering::Relaxed) & FRESH != 0
    }

    /// Transition 12; what is to be done with the task. The runner is one of
    /// [`biased`](crate::biased) from now on, and has its reference there.
    pub(crate) fn adopt(&self) -> Begin {
        self.update(|word| {
            debug_assert!(word & FRESH != 0, "it is adopted before its first poll");
            let begin = match word & CANCELLED {
                0 => Begin::Poll,
                _ => Begin::Cancel,
            };
            Change::To(
                (word & !(FRESH | RUNNING) | BIASED).wrapping_add(OFFSET),
                begin,
            )
        })
    }

    /// Transition 4, with what is left of what was `lent`.
    #[inline]
    pub(crate) fn end_poll(&self, lent: Lent) -> EndPoll {
        self.update(|word| {
            debug_assert!(word & RUNNING != 0, "only the runner ends a poll");
            let word = without(word, lent);
            if word & CANCELLED != 0 {
                Change::To(word, EndPoll::Cancel)
            } else if word & SCHEDULED != 0 {
                Change::To(word & !CLAIMED, EndPoll::Reschedule)
            } else {
                idle(word)
            }
        })
    }

    /// Whether the runner of a task that is to wait may keep it warm: it began as the owner of a
    /// runnable, and nobody has woken or cancelled it meanwhile, at a glance.
    #[inline]
    pub(crate) fn is_undisturbed(&self) -> bool {
        // Relaxed: what is not seen here is seen by transition 15, or by the next poll.
        self.0.load(Ordering::Relaxed) & (FRESH | SCHEDULED | CANCELLED) == FRESH
    }

    /// Transition 15, with what is left of what was `lent`. If the task was woken or cancelled,
    /// `Reschedule`, and nothing else.
    #[inline]
    pub(crate) fn end_warm(&self, lent: Lent) -> EndPoll {
        self.update(|word| {
            debug_assert!(word & CLAIMED == CLAIMED, "it has a runner");
            match word & (SCHEDULED | CANCELLED) {
                0 => idle(without(word, lent)),
                _ => Change::Leave(EndPoll::Reschedule),
            }
        })
    }

    /// Transitions 5 and 6. With `Queue`, a reference was added for the runnable.
    #[inline]
    pub(crate) fn cancel(&self) -> Wake {
        self.update(|word| {
            if word & (DONE | CANCELLED) != 0 {
                Change::Leave(Wake::Nothing)
            } else if word & (RUNNING | SCHEDULED) != 0 {
                Change::To(word | CANCELLED, Wake::Nothing)
            } else {
                let next = word | SCHEDULED | CANCELLED;
                Change::To(next.wrapping_add(REFERENCE), Wake::Queue)
            }
        })
    }

    /// Transition 7, else 6; `true` if the caller has the future to itself now.
    #[inline]
    pub(crate) fn claim_to_cancel(&self) -> bool {
        self.update(|word| {
            if word & DONE != 0 {
                Change::Leave(false)
            } else if word & RUNNING != 0 {
                Change::To(word | CANCELLED, false)
            } else {
                Change::To((word & !SCHEDULED) | RUNNING | CANCELLED, true)
            }
        })
    }

    /// Transition 8, with what is left of what was `lent`; who owns the output from now on. With
    /// `unlisted`, the list's reference is dropped, too.
    #[inline]
    pub(crate) fn complete(&self, unlisted: bool, lent: Lent) -> Owner {
        let list = (u32::from(unlisted) + lent.count()) * REFERENCE;
        self.update(|word| {
            debug_assert!(
                word & (RUNNING | DONE) == RUNNING,
                "only the runner completes"
            );
            let (owner, runner) = Owner::of(word & JOINABLE != 0, word & AWAITED != 0);
            let next = (word & !(RUNNING | SCHEDULED | FRESH)) | DONE;
            Change::To(next.wrapping_sub(list + runner), owner)
        })
    }

    /// Transition 9; what the join handle found. If it is not done, the caller owns the waker
    /// that may be there.
    #[inline]
    pub(crate) fn unjoin(&self) -> Joined {
        self.update(|word| {
            debug_assert!(word & JOINABLE != 0, "a join handle is dropped once");
            match Self::joined_of(word) {
                found @ (Joined::Done | Joined::DoneAwaited) => Change::Leave(found),
                found => Change::To(word & !(JOINABLE | AWAITED | JOINS_HERE), found),
            }
        })
    }

    /// Transition 13, by a handle that is used elsewhere and has left a waker here if `awaited`;
    /// what it finds then. Never [`Joined::Here`].
    #[cold]
    pub(crate) fn join_elsewhere(&self, awaited: bool) -> Joined {
        let awaited = if awaited { AWAITED } else { 0 };
        self.update(|word| match Self::joined_of(word) {
            Joined::Here => {
                let next = (word & !JOINS_HERE) | awaited;
                Change::To(next, Self::joined_of(next))
            }
            found => Change::Leave(found),
        })
    }

    /// Transition 10; whether the task is done: then the waker is still the caller's.
    #[inline]
    pub(crate) fn leave_waker(&self) -> bool {
        self.update(|word| match word & DONE {
            0 => Change::To(word | AWAITED, false),
            _ => Change::Leave(true),
        })
    }

    /// Transition 11; `false` if the task is done: then the waker is the runner's.
    #[inline]
    pub(crate) fn take_waker_back(&self) -> bool {
        self.update(|word| match word & DONE {
            0 => Change::To(word & !AWAITED, true),
            _ => Change::Leave(false),
        })
    }

    /// What the join handle finds.
    #[inline]
    pub(crate) fn joined(&self) -> Joined {
        // Acquire: pairs with complete(); the output is there.
        Self::joined_of(self.0.load(Ordering::Acquire))
    }

    #[inline]
    fn joined_of(word: u32) -> Joined {
        match (word & DONE != 0, word & AWAITED != 0) {
            (true, false) => Joined::Done,
            (true, true) => Joined::DoneAwaited,
            (false, true) => Joined::Awaited,
            (false, false) if word & JOINS_HERE != 0 => Joined::Here,
            (false, false) => Joined::Open,
        }
    }

    /// Whether the task is done.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        // Acquire: pairs with complete(); the output is there.
        self.0.load(Ordering::Acquire) & DONE != 0
    }

    /// Adds a reference.
    #[inline]
    pub(crate) fn add_reference(&self) {
        // Relaxed: the caller has a reference already, as with `Arc`.
        let word = self.0.fetch_add(REFERENCE, Ordering::Relaxed);
        if word >= MANY {
            self.keep();
        }
    }

    /// Adds so many references, a few, which may be negative.
    #[cold]
    pub(crate) fn count_in(&self, references: u32) {
        // Relaxed: the caller has one of them, and gives up none that others see.
        if self.0.fetch_add(references, Ordering::Relaxed) >= MANY {
            self.keep();
        }
    }

    /// Has the task's memory never be freed.
    #[cold]
    fn keep(&self) {
        // Relaxed: the caller has a reference, which nobody finds to be the last one before this.
        self.0.fetch_or(KEPT, Ordering::Relaxed);
    }

    /// Drops a reference; `true` if it was the last one, and the task is to be freed.
    #[inline]
    pub(crate) fn drop_reference(&self) -> bool {
        // Acquire: pairs with the Release of those who dropped theirs. Who has the only reference
        // is alone with the task: a further one is only made from one that there is.
        if is_last(self.0.load(Ordering::Acquire)) {
            return true;
        }
        // AcqRel: Release makes this reference's uses come before the freeing, which Acquire sees.
        let word = self.0.fetch_sub(REFERENCE, Ordering::AcqRel);
        debug_assert!(word & (COUNT | KEPT) != 0, "a reference is dropped once");
        is_last(word)
    }

    #[inline]
    pub(crate) fn update<R>(&self, f: impl Fn(u32) -> Change<R>) -> R {
        // Acquire: for the cases in which nothing is changed.
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            let (next, result) = match f(word) {
                Change::Leave(result) => return result,
                Change::To(next, result) => (next, result),
            };
            // AcqRel: see the head of this file. Failure: the new word is looked at.
            let exchanged =
                self.0
                    .compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire);
            match exchanged {
                Ok(_) => return result,
                Err(seen) => word = seen,
            }
        }
    }
}

/// The word without what is left of what was `lent`.
#[inline]
fn without(word: u32, lent: Lent) -> u32 {
    // Who takes what was lent does not look whether these are many.
    let kept = if word >= MANY { KEPT } else { 0 };
    (word | kept).wrapping_sub(lent.count() * REFERENCE)
}

/// The runner ends a poll after which the task waits, and drops its reference.
#[inline]
fn idle(word: u32) -> Change<EndPoll> {
    let end = match is_last(word) {
        true => EndPoll::Free,
        false => EndPoll::Idle,
    };
    Change::To((word & !CLAIMED).wrapping_sub(REFERENCE), end)
}

/// Whether the word has one reference only.
#[inline]
fn is_last(word: u32) -> bool {
    word & (COUNT | KEPT) == REFERENCE
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_task_of_too_many_references_is_never_freed() {
        let few = TaskState(AtomicU32::new(DONE | REFERENCE));
        let many = TaskState(AtomicU32::new(DONE | REFERENCE));
        for state in [&few, &few, &many] {
            state.add_reference();
        }
        many.count_in(MANY - REFERENCE);
        many.add_reference();
        for _ in 0..2 {
            assert!(!few.drop_reference());
        }
        assert!(few.drop_reference());
        // There is no telling how often: the number wraps.
        many.count_in(REFERENCE.wrapping_sub(MANY));
        for _ in 0..8 {
            assert!(!many.drop_reference());
        }
        let flags = many.0.load(Ordering::Relaxed) & !COUNT;
        assert_eq!(flags, DONE | KEPT);
        let lends = TaskState(AtomicU32::new(RUNNING + MANY + REFERENCE));
        assert_eq!(lends.end_poll(Lent::NONE), EndPoll::Idle);
        assert_eq!(lends.0.load(Ordering::Relaxed), KEPT + MANY);
        let biased = TaskState::born_here();
        biased.count_in(OFFSET);
        assert_eq!(biased.0.load(Ordering::Relaxed) & KEPT, 0);
        biased.add_reference();
        assert_eq!(biased.0.load(Ordering::Relaxed) & KEPT, KEPT);
    }
}
