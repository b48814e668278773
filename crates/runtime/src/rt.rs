//! A runtime, which ends when dropped: [`Runtime`].

use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;

use yamanote_base::enter::{self, Entered};
use yamanote_task::JoinHandle;

use crate::builder::Builder;
use crate::context::{self, EnterGuard};
use crate::handle::{Handle, Scheduler};
use crate::metrics::RuntimeMetrics;

const DROPPED_INSIDE: &str = "Cannot drop a runtime in a context where blocking is not allowed. \
     This happens when a runtime is dropped from within an asynchronous context. Call \
     `shutdown_background` on it instead, or drop it in `spawn_blocking`.";

/// A scheduler with its driver and its threads.
///
/// Dropping it drops all tasks at the place where they wait, and waits for what runs on other
/// threads: a poll until it returns, a closure of `spawn_blocking` until it ends. Closures that
/// have not begun are cancelled. [`shutdown_timeout`](Self::shutdown_timeout) and
/// [`shutdown_background`](Self::shutdown_background) wait for less.
///
/// ```
/// use tokio::runtime::Runtime;
///
/// let runtime = Runtime::new().unwrap();
/// let answer = runtime.block_on(async {
///     let task = tokio::spawn(async { 42 });
///     task.await.unwrap()
/// });
/// assert_eq!(answer, 42);
/// ```
///
/// # Panics
/// Dropping it panics in a task, for it would have to wait there; so does whatever else blocks.
pub struct Runtime {
    handle: Handle,
    /// Whether it was shut down.
    ended: bool,
}

impl Runtime {
    pub(crate) fn from_handle(handle: Handle) -> Self {
        Self {
            handle,
            ended: false,
        }
    }

    /// A multi-thread runtime with everything enabled.
    ///
    /// # Errors
    /// When the system denies a thread or a descriptor.
    pub fn new() -> io::Result<Runtime> {
        Builder::new_multi_thread().enable_all().build()
    }

    /// A handle to this runtime.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Makes a task of `future` that starts at once (on a current-thread runtime: in the next
    /// [`block_on`](Self::block_on)). See [`Handle::spawn`].
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
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
        self.handle.spawn_blocking(f)
    }

    /// Runs `future` to its end on the current thread; on a current-thread runtime, runs the
    /// tasks and the driver meanwhile.
    ///
    /// Several threads may be in it at a time; of a current-thread runtime one of them runs the
    /// tasks for all. Tasks that have not ended when `future` does go on on the workers of a
    /// multi-thread runtime, and wait for the next `block_on` of a current-thread one.
    ///
    /// # Panics
    /// When the thread drives tasks already, and when `future` panics.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let Scheduler::Local(local) = self.handle.scheduler() else {
            return self.handle.block_on(future);
        };
        let future = context::trace_block_on(future);
        let _driving = context::start_driving(false);
        let _context = self.handle.enter();
        local.block_on(future)
    }

    /// Makes this runtime the thread's current one until the guard is dropped. See
    /// [`Handle::enter`].
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// Shuts down, and waits at most `duration` for what runs on other threads.
    ///
    /// What has not ended by then goes on for itself; nobody waits for it any more.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = tokio::runtime::Runtime::new().unwrap();
    /// let (go, gate) = std::sync::mpsc::channel::<()>();
    /// runtime.spawn_blocking(move || gate.recv());
    /// runtime.shutdown_timeout(Duration::from_millis(10));
    /// go.send(()).unwrap();
    /// ```
    ///
    /// # Panics
    /// When the thread drives tasks and `duration` is not zero.
    #[track_caller]
    pub fn shutdown_timeout(mut self, duration: Duration) {
        self.end(Some(duration));
    }

    /// Shuts down without waiting for anything; may be called anywhere, in tasks too.
    ///
    /// ```
    /// use tokio::runtime::Runtime;
    ///
    /// let outer = Runtime::new().unwrap();
    /// outer.block_on(async {
    ///     let inner = Runtime::new().unwrap();
    ///     inner.shutdown_background();
    /// });
    /// ```
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }

    /// A view of what the runtime counts.
    #[must_use]
    pub fn metrics(&self) -> RuntimeMetrics {
        self.handle.metrics()
    }

    /// Shuts down, once: later calls, and dropping it, do nothing more.
    #[track_caller]
    pub(crate) fn end(&mut self, timeout: Option<Duration>) {
        if !std::mem::replace(&mut self.ended, true) {
            self.shut_down(timeout);
        }
    }

    #[track_caller]
    fn shut_down(&mut self, timeout: Option<Duration>) {
        {
            let _context = self.handle.enter();
            match self.handle.scheduler() {
                Scheduler::Local(local) => local.close(),
                Scheduler::Multi(multi) => multi.close(),
                Scheduler::Sim(host) => host.close(),
            }
        }
        let waits = timeout != Some(Duration::ZERO);
        if waits && enter::current() != Entered::No {
            // While panicking, a second panic would abort: the threads end by themselves.
            self.handle.pool().shut_down(Some(Duration::ZERO));
            if !std::thread::panicking() {
                std::panic::panic_any(DROPPED_INSIDE);
            }
            return;
        }
        let ended = self.handle.pool().shut_down(timeout);
        // The monitor may be in a waker for longer than a limit allows.
        if let (Scheduler::Multi(multi), true, None) = (self.handle.scheduler(), ended, timeout) {
            multi.join_monitor();
        }
    }
}

impl Drop for Runtime {
    #[track_caller]
    fn drop(&mut self) {
        self.end(None);
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}
