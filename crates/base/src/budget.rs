//! Cooperative budget: how many operations a task may complete before it lets others run.
//!
//! A scheduler gives each poll of a task a fresh budget ([`with_budget`]); each leaf future takes
//! one unit when it makes progress ([`poll_charged`]) and returns `Pending`, with the task woken,
//! when none is left. Code that runs outside of a task has no limit.

use std::cell::Cell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::hooks;
use crate::probe::{self, Point};

/// Units that one poll of a task may spend.
const UNITS: u8 = 128;

thread_local! {
    static CURRENT: Cell<Budget> = const { Cell::new(Budget::UNLIMITED) };
    /// Whether somebody has [given way](give_way), who is about to be queued.
    static GIVES_WAY: Cell<bool> = const { Cell::new(false) };
}

/// What is left to spend: a byte, so that whether something is left is one comparison.
///
/// | byte | what |
/// |---|---|
/// | 0 | nothing is left, and that was told |
/// | 1 | nothing is left |
/// | 2 to 129 | one unit less than this |
/// | 255 | no limit |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget(u8);

/// A unit that was taken; given back when dropped without
/// [`made_progress`](Self::made_progress).
#[derive(Debug)]
#[must_use = "dropping it gives the unit back"]
pub struct Charge {
    before: Cell<Budget>,
}

impl Budget {
    /// What a task starts its poll with.
    pub const FULL: Budget = Budget(UNITS + 1);
    /// No limit.
    pub const UNLIMITED: Budget = Budget(u8::MAX);
    const SPENT: Budget = Budget(1);
    const TOLD: Budget = Budget(0);

    /// Whether something is left.
    #[inline]
    pub const fn has_remaining(self) -> bool {
        self.0 > Self::SPENT.0
    }

    /// One unit less, if there is a limit that is not reached.
    #[inline]
    const fn less(self) -> Self {
        // From 2 to 254, as one comparison, and without a branch.
        let limited = self.0.wrapping_sub(Self::SPENT.0 + 1) < Self::UNLIMITED.0 - 2;
        Self(self.0 - limited as u8)
    }
}

impl Charge {
    /// Keeps the unit spent: the operation is complete.
    #[inline]
    pub fn made_progress(&self) {
        self.before.set(Budget::UNLIMITED);
    }
}

impl Drop for Charge {
    #[inline]
    fn drop(&mut self) {
        let before = self.before.get();
        if before != Budget::UNLIMITED {
            replace(before);
        }
    }
}

/// Sets the current thread's budget and returns the one before.
#[inline]
pub fn replace(budget: Budget) -> Budget {
    // While the thread's locals are being destroyed there is no task, hence no limit.
    CURRENT
        .try_with(|current| current.replace(budget))
        .unwrap_or(Budget::UNLIMITED)
}

/// The current thread's budget.
#[inline]
pub fn current() -> Budget {
    CURRENT.try_with(Cell::get).unwrap_or(Budget::UNLIMITED)
}

/// Runs `f` with `budget`; restores the budget before, also when `f` panics.
#[inline]
pub fn with<R>(budget: Budget, f: impl FnOnce() -> R) -> R {
    struct Restore(Budget);

    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            replace(self.0);
        }
    }

    let _restore = Restore(replace(budget));
    f()
}

/// Runs `f`, one poll of a task, with a full budget.
#[inline]
pub fn with_budget<R>(f: impl FnOnce() -> R) -> R {
    with(Budget::FULL, f)
}

/// Runs `f` without a limit.
#[inline]
pub fn with_unlimited<R>(f: impl FnOnce() -> R) -> R {
    with(Budget::UNLIMITED, f)
}

/// Polls `f` if something is left; its answer costs one unit.
///
/// For leaf futures: what `f` polls is not to take a unit itself.
#[inline]
pub fn poll_charged<R>(
    cx: &mut Context<'_>,
    f: impl FnOnce(&mut Context<'_>) -> Poll<R>,
) -> Poll<R> {
    if !current().has_remaining() {
        refuse(cx);
        return Poll::Pending;
    }
    let result = ready!(f(cx));
    spend();
    Poll::Ready(result)
}

/// Takes one unit, if something is left, for an operation that is complete.
#[inline]
pub fn spend() {
    replace(current().less());
}

/// Takes one unit, or wakes the task and returns `Pending` if none is left.
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<Charge> {
    let before = current();
    if !before.has_remaining() {
        refuse(cx);
        return Poll::Pending;
    }
    replace(before.less());
    Poll::Ready(Charge {
        before: Cell::new(before),
    })
}

/// Wakes the task, which is to go on with a fresh budget.
#[cold]
fn refuse(cx: &Context<'_>) {
    // Told once a poll, however many of its futures find nothing left.
    if replace(Budget::TOLD) == Budget::SPENT {
        hooks::budget_spent();
        probe::emit(Point::BudgetSpent, 0);
    }
    give_way(cx);
}

/// Wakes the task, which is to run again after all others that can, and after a turn of the driver.
/// Who just wakes itself waits for those before it alone.
#[inline]
pub fn give_way(cx: &Context<'_>) {
    note_way_given(true);
    cx.waker().wake_by_ref();
}

/// [Gives way](give_way), and is ready when it is polled again.
///
/// *Cancel safety:* it does nothing else.
#[derive(Debug, Default)]
pub struct AfterOthers {
    has_given_way: bool,
}

impl Future for AfterOthers {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !mem::replace(&mut self.has_given_way, true) {
            give_way(cx);
            return Poll::Pending;
        }
        Poll::Ready(())
    }
}

/// Whether somebody has given way on this thread since the last time.
#[inline]
pub fn take_way_given() -> bool {
    note_way_given(false)
}

#[inline]
fn note_way_given(is_given: bool) -> bool {
    // While the thread's locals are being destroyed there is no task.
    GIVES_WAY
        .try_with(|gives_way| gives_way.replace(is_given))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    #[test]
    fn a_task_gets_its_units_and_no_more() {
        let mut cx = Context::from_waker(Waker::noop());
        with_budget(|| {
            for _ in 0..UNITS {
                let Poll::Ready(charge) = poll_proceed(&mut cx) else {
                    panic!("too early")
                };
                charge.made_progress();
            }
            for _ in 0..2 {
                assert!(poll_proceed(&mut cx).is_pending());
                assert!(!current().has_remaining());
            }
            with_unlimited(|| assert!(poll_proceed(&mut cx).is_ready()));
            assert!(!current().has_remaining());
        });
        assert!(poll_proceed(&mut cx).is_ready());
    }

    #[test]
    fn who_gives_way_or_has_nothing_left_is_told_apart_from_who_wakes_itself() {
        let mut cx = Context::from_waker(Waker::noop());
        cx.waker().wake_by_ref();
        assert!(!take_way_given());
        give_way(&cx);
        assert!(take_way_given());
        assert!(!take_way_given());
        with(Budget::SPENT, || {
            assert!(poll_proceed(&mut cx).is_pending())
        });
        assert!(take_way_given());
    }

    #[test]
    fn an_answer_costs_a_unit_and_pending_none() {
        let mut cx = Context::from_waker(Waker::noop());
        with(Budget(3), || {
            assert!(poll_charged(&mut cx, |_| Poll::<()>::Pending).is_pending());
            assert!(poll_charged(&mut cx, |_| Poll::Ready(())).is_ready());
            spend();
            assert!(!current().has_remaining());
            spend();
            let refused = poll_charged(&mut cx, |_| -> Poll<()> { panic!("nothing was left") });
            assert!(refused.is_pending());
            spend();
            assert_eq!(current(), Budget::TOLD);
        });
        spend();
        assert_eq!(current(), Budget::UNLIMITED);
    }

    #[test]
    fn pending_gives_the_unit_back() {
        let mut cx = Context::from_waker(Waker::noop());
        with(Budget(2), || {
            drop(poll_proceed(&mut cx));
            assert!(current().has_remaining());
        });
    }
}
