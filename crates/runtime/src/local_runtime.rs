//! A runtime of one thread whose tasks need not be `Send`: [`LocalRuntime`].

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::time::Duration;

use yamanote_task::{JoinHandle, SpawnMeta};

use crate::builder::Builder;
use crate::context::EnterGuard;
use crate::handle::Handle;
use crate::metrics::RuntimeMetrics;
use crate::rt::Runtime;

/// A current-thread runtime that stays on the thread which made it, and so takes tasks that are
/// not `Send`.
#[derive(Debug)]
pub struct LocalRuntime {
    runtime: Runtime,
    /// It is run and dropped where it was made.
    _not_send: PhantomData<*mut ()>,
}

/// Options of a [`LocalRuntime`]; there are none so far.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct LocalOptions {
    /// They belong to the thread on which the runtime is made.
    _not_send: PhantomData<*mut ()>,
}

impl LocalRuntime {
    pub(crate) fn from_runtime(runtime: Runtime) -> Self {
        Self {
            runtime,
            _not_send: PhantomData,
        }
    }

    /// A local runtime with everything enabled.
    ///
    /// # Errors
    /// When the system denies a descriptor.
    pub fn new() -> io::Result<LocalRuntime> {
        Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())
    }

    /// A handle to this runtime.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Makes a task of `future`, which need not be `Send`.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.handle().spawn_local(future, SpawnMeta::caller())
    }

    /// Runs `f`, which may block, on a thread that is there for it.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.runtime.spawn_blocking(f)
    }

    /// Runs `future` to its end, and the tasks and the driver meanwhile.
    ///
    /// # Panics
    /// When the thread drives tasks already, and when `future` panics.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Makes this runtime the thread's current one until the guard is dropped.
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Shuts down, and waits at most `duration` for work that blocks.
    #[track_caller]
    pub fn shutdown_timeout(self, duration: Duration) {
        self.runtime.shutdown_timeout(duration);
    }

    /// Shuts down without waiting for anything.
    pub fn shutdown_background(self) {
        self.runtime.shutdown_background();
    }

    /// A view of what the runtime counts.
    #[must_use]
    pub fn metrics(&self) -> RuntimeMetrics {
        self.runtime.metrics()
    }
}
