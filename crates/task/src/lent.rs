//! References that the runner of a task has in hand for the wakers that its poll makes: [`Lent`].
//!
//! Why none is lost, and none is one too many, is said at [`Lent`].

use crate::id;
use crate::notes::{COUNT_SHIFT, NUMBER, ONE};

/// How many references a runner begins with: more than most polls make wakers, and, with the one
/// that is never lent, such that all fit.
const BEGIN_WITH: u64 = 16;

/// There are never more than these in the note.
const MOST: u64 = (1 << (u64::BITS - COUNT_SHIFT)) - 1;

/// References in a runner's hands, as they stand in the note. One of them is never lent: it says
/// that there is a runner.
///
/// Where a task runs on one thread after the other, each change of its count is a locked
/// instruction. But a poll begins and ends by one anyway: the transition that makes a runner
/// ([`TaskState`](crate::state::TaskState)) counts [`LENT`] references more, and that which ends
/// the poll takes away those that are left. Between the two, on the runner's thread, a waker of the
/// task is cloned by taking one, and dropped by putting one back.
///
/// **Why none is lost, and none is one too many.** Each lent reference is counted in the state word
/// from before the runner begins. How many are left stands beside the number of the task in the
/// thread's note of which task runs ([`id`]), and nowhere else, so one thread touches it. It is
/// there from the begin of a run until [`take`], whose caller passes it on: to a transition that
/// subtracts it, or to a further run of the same runner ([`id::with`]). A thread that notes a task
/// which it does not run notes none for it. Notes of other tasks that are put in front meanwhile
/// are taken away before, for they are those of calls that return.
///
/// Two tasks that have the same number at a time would take each other's: no scheduler that is
/// `Claiming` may have such ([`Schedule`](crate::Schedule)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lent(u64);

/// What each runner begins with.
pub(crate) const LENT: Lent = Lent(BEGIN_WITH * ONE);

impl Lent {
    /// None: there is no runner, or it does not lend.
    pub(crate) const NONE: Lent = Lent(0);

    /// Those that lie in `notes`, where a [`Warm`](crate::Warm) has them.
    #[inline]
    pub(crate) const fn in_notes(notes: u64) -> Lent {
        Lent(notes & !(ONE - 1))
    }

    /// Whether one more can be noted.
    #[inline]
    pub(crate) const fn has_room(self) -> bool {
        self.0 < MOST * ONE
    }

    /// How many.
    #[inline]
    pub(crate) const fn count(self) -> u32 {
        (self.0 >> COUNT_SHIFT) as u32
    }

    /// `notes`, which count nothing themselves, with these in them.
    #[inline]
    pub(crate) const fn beside(self, notes: u64) -> u64 {
        notes.wrapping_add(self.0)
    }
}

/// Takes all that are left; for the runner.
#[inline]
pub(crate) fn take() -> Lent {
    let note = id::current_note();
    id::set_current_note(note & (ONE - 1));
    Lent::in_notes(note)
}

/// Takes one for a further waker of the task with `notes`, if the caller runs it and has some left.
#[inline]
pub(crate) fn take_one(notes: u64) -> bool {
    let note = id::current_note();
    let has_some = is_same(note, notes) && note >= 2 * ONE;
    if has_some {
        id::set_current_note(note - ONE);
    }
    has_some
}

/// Puts back that of a waker, if the caller runs its task and has room.
#[inline]
pub(crate) fn put_back(notes: u64) -> bool {
    let note = id::current_note();
    let lent = Lent::in_notes(note);
    let has_room = is_same(note, notes) && lent != Lent::NONE && lent.has_room();
    if has_room {
        id::set_current_note(note + ONE);
    }
    has_room
}

#[inline]
fn is_same(note: u64, notes: u64) -> bool {
    (note ^ notes) & NUMBER == 0
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::id::Id;
    use crate::notes::{Notes, UNBIASED};

    fn notes_of(number: u64) -> u64 {
        Notes::new(Id::from_u64(number), true, UNBIASED).get()
    }

    #[test]
    fn a_runner_lends_what_it_has_and_takes_back_what_there_is_room_for() {
        let (mine, other) = (notes_of(7), notes_of(8));
        assert!(!take_one(mine) && !put_back(mine), "nobody runs it");
        id::with(LENT.beside(mine), || {
            assert!(!take_one(other) && !put_back(other));
            let taken = (0..100).filter(|_| take_one(mine)).count() as u32;
            assert_eq!(taken, LENT.count() - 1);
            let back = (0..100).filter(|_| put_back(mine)).count() as u64;
            assert_eq!(back, MOST - 1);
            // What the task has noted meanwhile makes no difference.
            assert!(take_one(mine | 1));
            assert_eq!(u64::from(take().count()), MOST - 1);
            assert!(!take_one(mine) && !put_back(mine), "the run is over");
            assert_eq!(take(), Lent::NONE);
            assert_eq!(crate::try_id(), Some(Id::from_u64(7)));
        });
    }

    #[test]
    fn who_only_notes_a_task_lends_nothing() {
        let mine = notes_of(7);
        id::with(LENT.beside(mine), || {
            id::with(mine, || assert!(!take_one(mine) && !put_back(mine)));
            assert!(take_one(mine) && put_back(mine));
            assert_eq!(take(), LENT);
        });
    }
}
