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
pub use yamanote_driver::op::FileRoute;
pub use yamanote_sched::config::UnhandledPanic;
pub use yamanote_sched::histogram::{
    HistogramConfiguration, HistogramScale, InvalidHistogramConfiguration, LogHistogram,
    LogHistogramBuilder,
};

pub use blocking::{block_in_place, spawn_blocking};
pub use join_set::JoinSet;
pub use local_set::{LocalEnterGuard, LocalSet, spawn_local};
pub use spawn::spawn;
pub use task_builder::TaskBuilder;
pub use yield_now::yield_now;

/// The index of the current thread's worker in its multi-thread runtime, or 0 inside `block_on`
/// of a current-thread runtime; `None` elsewhere. A task may run on another worker after each
/// `await`.
///
/// ```
/// use tokio::runtime::{Builder, worker_index};
///
/// let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
/// let index = runtime.block_on(runtime.spawn(async { worker_index() })).unwrap();
/// assert!(index.unwrap() < 2);
/// // The thread in `block_on` is no worker.
/// assert_eq!(runtime.block_on(async { worker_index() }), None);
/// ```
#[must_use]
pub fn worker_index() -> Option<usize> {
    context::worker_index()
}

/// Whether `error` says that an operation failed because its runtime is shutting down.
///
/// ```
/// use tokio::net::TcpListener;
/// use tokio::runtime::{Builder, is_rt_shutdown_err};
///
/// let runtime = Builder::new_current_thread().enable_all().build().unwrap();
/// let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
/// drop(runtime);
///
/// let other = Builder::new_current_thread().build().unwrap();
/// let error = other.block_on(listener.accept()).unwrap_err();
/// assert!(is_rt_shutdown_err(&error));
/// ```
#[must_use]
pub fn is_rt_shutdown_err(error: &std::io::Error) -> bool {
    yamanote_driver::is_shutdown_error(error)
}
