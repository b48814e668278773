//! Not an API: a layer of yamanote. Wires drivers, schedulers and the pool into a runtime.
//!
//! Knows nothing of sockets, channels or files, and polls no future itself.
//!
//! ```text
//!  Builder ──▶ Runtime ──▶ Handle ──▶ scheduler (local | multi | sim)
//!                 │           ├─────▶ driver handle
//!                 │           └─────▶ pool
//!  context: the thread's current Handle, which `spawn` and friends ask for
//! ```
//!
//! Read next: [`builder`], then [`handle`] and [`context`].

pub mod builder;
pub mod context;
pub mod handle;
pub mod local_runtime;
pub mod metrics;
pub mod rt;
pub mod sim;

pub mod blocking;
pub mod join_set;
pub mod local_set;
pub mod spawn;
pub mod task_builder;
pub mod yield_now;

pub use builder::Builder;
pub use context::{EnterGuard, TryCurrentError};
pub use handle::{Handle, Id, RuntimeFlavor};
pub use local_runtime::{LocalOptions, LocalRuntime};
pub use metrics::RuntimeMetrics;
pub use rt::Runtime;
pub use yamanote_base::rng::RngSeed;
pub use yamanote_driver::op::direct::FileRoute;
pub use yamanote_sched::config::UnhandledPanic;

pub use blocking::{block_in_place, spawn_blocking};
pub use join_set::JoinSet;
pub use local_set::{LocalEnterGuard, LocalSet, spawn_local};
pub use spawn::spawn;
pub use task_builder::TaskBuilder;
pub use yield_now::yield_now;

/// The index of the current thread's worker in its multi-thread runtime, or 0 inside `block_on`
/// of a current-thread runtime; `None` elsewhere.
#[must_use]
pub fn worker_index() -> Option<usize> {
    context::worker_index()
}

/// Whether `error` says that an operation failed because its runtime is shutting down.
#[must_use]
pub fn is_rt_shutdown_err(error: &std::io::Error) -> bool {
    yamanote_driver::is_shutdown_error(error)
}
