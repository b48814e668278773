//! Cooperative budget: how many operations a task may complete before it lets others run.
//!
//! A scheduler gives each poll of a task a fresh budget ([`with_budget`]); each leaf future takes
//! one unit when it makes progress ([`poll_proceed`]) and returns `Pending`, with the task woken,
//! when none is left. Code that runs outside of a task has no limit.

use std::cell::Cell;
use std::task::{Context, Poll};

use crate::hooks;
use crate::probe::{self, Point};

/// Units that one poll of a task may spend.
const UNITS: u8 = 128;
/// Nothing is left, and that was told.
const TOLD: u8 = u8::MAX;

thread_local! {
    static CURRENT: Cell<Budget> = const { Cell::new(Budget(None)) };
}

/// What is left to spend; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget(Option<u8>);

/// A unit that was taken; given back when dropped without
/// [`made_progress`](Self::made_progress).
#[derive(Debug)]
#[must_use = "dropping it gives the unit back"]
pub struct Charge {
    before: Cell<Budget>,
}

impl Budget {
    /// What a task starts its poll with.
    pub const FULL: Budget = Budget(Some(UNITS));
    /// No limit.
    pub const UNLIMITED: Budget = Budget(None);

    /// Whether something is left.
    pub fn has_remaining(self) -> bool {
        !matches!(self.0, Some(0 | TOLD))
    }
}

impl Charge {
    /// Keeps the unit spent: the operation is complete.
    pub fn made_progress(&self) {
        self.before.set(Budget::UNLIMITED);
    }
}

impl Drop for Charge {
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

/// Takes one unit, or wakes the task and returns `Pending` if none is left.
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<Charge> {
    let before = current();
    match before.0 {
        Some(0) => {
            // Once a poll, however many of its futures find nothing left.
            replace(Budget(Some(TOLD)));
            hooks::budget_spent();
            probe::emit(Point::BudgetSpent, 0);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Some(TOLD) => {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Some(left) => {
            replace(Budget(Some(left - 1)));
        }
        None => {}
    }
    Poll::Ready(Charge {
        before: Cell::new(before),
    })
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
    fn pending_gives_the_unit_back() {
        let mut cx = Context::from_waker(Waker::noop());
        with(Budget(Some(1)), || {
            drop(poll_proceed(&mut cx));
            assert!(current().has_remaining());
        });
    }
}
