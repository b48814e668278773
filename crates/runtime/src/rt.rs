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
     This happens when a runtime is dropped from within an asynchronous context.";

/// A scheduler with its driver and its threads.
///
/// Dropping it drops all tasks at the place where they wait, and waits for what runs on other
/// threads; [`shutdown_timeout`](Self::shutdown_timeout) and
/// [`shutdown_background`](Self::shutdown_background) wait for less.
pub struct Runtime {
    handle: Handle,
    /// Whether dropping waits for the pool's threads.
    waits: bool,
}

impl Runtime {
    pub(crate) fn from_handle(handle: Handle) -> Self {
        Self {
            handle,
            waits: true,
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
    /// [`block_on`](Self::block_on)).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Runs `f`, which may block, on a thread that is there for it.
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

    /// Makes this runtime the thread's current one until the guard is dropped.
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// Shuts down, and waits at most `duration` for work that blocks.
    ///
    /// # Panics
    /// When the thread drives tasks and `duration` is not zero.
    #[track_caller]
    pub fn shutdown_timeout(mut self, duration: Duration) {
        self.waits = false;
        self.shut_down(Some(duration));
    }

    /// Shuts down without waiting for anything; may be called anywhere.
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }

    /// A view of what the runtime counts.
    #[must_use]
    pub fn metrics(&self) -> RuntimeMetrics {
        self.handle.metrics()
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
        self.handle.pool().shut_down(timeout);
    }
}

impl Drop for Runtime {
    #[track_caller]
    fn drop(&mut self) {
        if self.waits {
            self.shut_down(None);
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}
