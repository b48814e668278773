//! Runtimes: what runs tasks, waits for events and keeps time.
//!
//! Most programs have one, built by `#[yamanote::main]`. [`Builder`] builds others; a [`Handle`]
//! reaches one from elsewhere.

pub use yamanote_runtime::{
    Builder, EnterGuard, FileRoute, Handle, HistogramConfiguration, HistogramScale, Id,
    InvalidHistogramConfiguration, LocalOptions, LocalRuntime, LogHistogram, LogHistogramBuilder,
    RngSeed, Runtime, RuntimeFlavor, RuntimeMetrics, TryCurrentError, UnhandledPanic,
    is_rt_shutdown_err, worker_index,
};

pub use yamanote_task::TaskMeta;
