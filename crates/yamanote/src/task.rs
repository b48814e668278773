//! Tasks: futures that run by themselves.
//!
//! A task costs one small allocation, and a switch to another one a function call; but nobody takes
//! the thread away from a task between two `.await`s. So what computes for long or blocks belongs
//! into [`spawn_blocking`] or [`block_in_place`], and what is always ready is stopped by a budget
//! ([`coop`]).
//!
//! | to run | use | it may |
//! |---|---|---|
//! | a future | [`spawn()`] | move between threads: it is `Send` |
//! | a future that is not `Send` | [`spawn_local`] | stay in its [`LocalSet`] or local runtime |
//! | a function that blocks | [`spawn_blocking`] | take as long as it likes |
//! | a function that blocks, here | [`block_in_place`] | borrow; workers only |
//! | many tasks with one kind of output | [`JoinSet`] | be joined as they end |
//!
//! A [`JoinHandle`] waits for the output and aborts; dropped, it detaches. A panic ends its task,
//! and is the error of whoever joins it. A task that is aborted, or whose runtime shuts down, is
//! dropped at an `.await`: what it must not leave half done belongs into a destructor, or into a
//! task of its own.
//!
//! ```
//! # #[yamanote::main(flavor = "current_thread")]
//! # async fn main() {
//! use yamanote::task::{JoinSet, spawn, spawn_blocking};
//!
//! let one = spawn(async { 1 });
//! let two = spawn_blocking(|| 2);
//! assert_eq!(one.await.unwrap() + two.await.unwrap(), 3);
//!
//! let squares: JoinSet<u32> = (1..4).map(|number| async move { number * number }).collect();
//! assert_eq!(squares.join_all().await.iter().sum::<u32>(), 14);
//! # }
//! ```

pub use yamanote_task::{AbortHandle, Id, JoinError, JoinHandle, id, try_id};

pub use yamanote_runtime::{JoinSet, LocalEnterGuard, LocalSet, TaskBuilder as Builder};
pub use yamanote_runtime::{block_in_place, spawn, spawn_blocking, spawn_local};

pub use yamanote_runtime::yield_now::yield_now;
pub use yamanote_task::local::LocalKey;

#[doc(hidden)]
pub use yamanote_task::coop::{Unconstrained, consume_budget, unconstrained};

/// What belongs to a [`JoinSet`]: the set itself, and the builder of tasks that have a name.
pub mod join_set {
    pub use yamanote_runtime::join_set::{JoinSet, JoinSetBuilder as Builder};
}

/// How tasks that are always ready let others run: a budget for each poll.
///
/// What ends an operation (a message received, bytes read, a lock taken) spends one unit of it.
/// When none is left, everything that spends is `Pending`, whether it is ready or not, until the
/// task has let others run. So a loop over a channel that is never empty yields now and then,
/// though nobody wrote so.
///
/// Futures of one's own take part by [`poll_proceed`](coop::poll_proceed), those of others by
/// [`cooperative`](coop::cooperative); loops that only compute, by [`consume_budget`]. Who must not
/// be stopped is [`unconstrained`].
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
