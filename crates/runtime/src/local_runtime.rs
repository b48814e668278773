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
///
/// In its tasks `tokio::task::spawn_local` works without a `LocalSet`.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use tokio::runtime::LocalRuntime;
///
/// let runtime = LocalRuntime::new().unwrap();
/// let sum = Rc::new(Cell::new(0));
/// let shared = sum.clone();
/// runtime.block_on(async move {
///     let add = |n| {
///         let sum = shared.clone();
///         tokio::task::spawn_local(async move { sum.set(sum.get() + n) })
///     };
///     let (one, two) = (add(1), add(2));
///     one.await.unwrap();
///     two.await.unwrap();
/// });
/// assert_eq!(sum.get(), 3);
/// ```
///
/// # Panics
/// Dropping it panics in a task of another runtime.
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

    /// A handle to this runtime. It may be given to other threads; what they spawn must be `Send`.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Makes a task of `future`, which need not be `Send`; it runs while the runtime is in
    /// [`block_on`](Self::block_on).
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.handle().spawn_local(future, SpawnMeta::caller())
    }

    /// Runs `f`, which may block, on a thread that is there for it. See
    /// [`spawn_blocking`](crate::spawn_blocking).
    ///
    /// # Panics
    /// When the system will not make a first thread.
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

    /// Makes this runtime the thread's current one until the guard is dropped. See
    /// [`Handle::enter`].
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Shuts down, and waits at most `duration` for work that blocks.
    ///
    /// # Panics
    /// When the thread drives tasks and `duration` is not zero.
    #[track_caller]
    pub fn shutdown_timeout(mut self, duration: Duration) {
        self.runtime.end(Some(duration));
    }

    /// Shuts down without waiting for anything; may be called anywhere.
    pub fn shutdown_background(mut self) {
        self.runtime.end(Some(Duration::ZERO));
    }

    /// A view of what the runtime counts.
    #[must_use]
    pub fn metrics(&self) -> RuntimeMetrics {
        self.runtime.metrics()
    }
}

impl Drop for LocalRuntime {
    #[track_caller]
    fn drop(&mut self) {
        self.runtime.end(None);
    }
}
