//! The set that the current thread stands in.

use std::cell::RefCell;

use yamanote_base::enter::{self, Entered, EnteredGuard};

use super::queue::LocalScheduler;

thread_local! {
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

#[derive(Debug)]
struct Scope {
    scheduler: LocalScheduler,
    /// Whether the set is being polled, and will look at its queue before it waits.
    polling: bool,
}

/// Restores the scope before when dropped.
#[derive(Debug)]
pub(super) struct ScopeGuard {
    before: Option<Scope>,
    _entered: Option<EnteredGuard>,
}

impl ScopeGuard {
    /// Stands in the set of `scheduler`.
    pub(super) fn enter(scheduler: LocalScheduler) -> Self {
        Self::replace(
            Scope {
                scheduler,
                polling: false,
            },
            None,
        )
    }

    /// Stands in the set of `scheduler`, which is polled now.
    pub(super) fn polling(scheduler: LocalScheduler) -> Self {
        Self::tied(Scope {
            scheduler,
            polling: true,
        })
    }

    /// Stands in the set of `scheduler`, which drops its tasks now.
    pub(super) fn closing(scheduler: LocalScheduler) -> Self {
        Self::tied(Scope {
            scheduler,
            polling: false,
        })
    }

    /// Stands in `scope`, and runs the set's tasks or their destructors.
    fn tied(scope: Scope) -> Self {
        let driving = enter::current() != Entered::No;
        // The tasks of a set stay on their thread: there is no worker to hand over.
        let entered = driving.then(|| {
            enter::set(Entered::Driving {
                block_in_place: false,
            })
        });
        Self::replace(scope, entered)
    }

    fn replace(scope: Scope, entered: Option<EnteredGuard>) -> Self {
        let before = CURRENT.try_with(|current| current.replace(Some(scope)));
        Self {
            before: before.ok().flatten(),
            _entered: entered,
        }
    }
}

impl Drop for ScopeGuard {
    fn drop(&mut self) {
        let before = self.before.take();
        let ended = CURRENT.try_with(|current| current.replace(before));
        drop(ended);
    }
}

/// The set that the current thread stands in.
pub(super) fn current() -> Option<LocalScheduler> {
    let get = |current: &RefCell<Option<Scope>>| {
        current
            .borrow()
            .as_ref()
            .map(|scope| scope.scheduler.clone())
    };
    CURRENT.try_with(get).ok().flatten()
}

/// Whether the current thread polls the set of `scheduler`.
pub(super) fn is_polling(scheduler: &LocalScheduler) -> bool {
    let get = |current: &RefCell<Option<Scope>>| {
        current
            .borrow()
            .as_ref()
            .is_some_and(|scope| scope.polling && scope.scheduler.is(scheduler))
    };
    CURRENT.try_with(get).unwrap_or(false)
}
