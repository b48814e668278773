//! Tasks: futures that run by themselves.
//!
//! A task costs one small allocation, and a switch to another one a function call; but nobody takes
//! the thread away from a task between two `.await`s. So what computes for long or blocks belongs
//! into [`spawn_blocking`] or [`block_in_place`], and what is always ready is stopped by a budget
//! ([`coop`]).

pub use yamanote_task::{AbortHandle, Id, JoinError, JoinHandle, id, try_id};

pub use yamanote_runtime::{JoinSet, LocalEnterGuard, LocalSet, TaskBuilder as Builder};
pub use yamanote_runtime::{block_in_place, spawn, spawn_blocking, spawn_local};

pub use yamanote_runtime::yield_now::yield_now;
pub use yamanote_task::local::LocalKey;

#[doc(hidden)]
pub use yamanote_task::coop::{Unconstrained, consume_budget, unconstrained};

/// What belongs to a [`JoinSet`].
pub mod join_set {
    pub use yamanote_runtime::join_set::{JoinSet, JoinSetBuilder as Builder};
}

/// How tasks that are always ready let others run: a budget for each poll.
pub mod coop {
    pub use yamanote_task::coop::{
        Coop, RestoreOnPending, Unconstrained, consume_budget, cooperative, has_budget_remaining,
        poll_proceed, unconstrained,
    };
}

/// Futures that have a name.
pub mod futures {
    pub use yamanote_task::local::TaskLocalFuture;
}
