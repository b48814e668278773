//! A reference to a runtime: [`Handle`].

use std::fmt;
use std::future::{Future, poll_fn};
use std::num::NonZeroU64;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::thread::ThreadId;

use yamanote_base::atomic::plain::{AtomicU64, Ordering};
use yamanote_base::budget;
use yamanote_pool::Pool;
use yamanote_sched::local::Local;
use yamanote_sched::multi::Multi;
use yamanote_sched::sim::SimHost;
use yamanote_task::{JoinHandle, LARGE_FUTURE, SpawnMeta};

use crate::blocking;
use crate::context::{self, EnterGuard, TryCurrentError};
use crate::metrics::RuntimeMetrics;

/// A reference to a runtime; clones refer to the same one.
///
/// It does not keep the runtime alive: what is spawned after the runtime was dropped is cancelled
/// at once.
///
/// ```
/// use tokio::runtime::Handle;
///
/// # #[tokio::main]
/// # async fn main() {
/// let handle = Handle::current();
/// let thread = std::thread::spawn(move || {
///     let task = handle.spawn(async { 5 });
///     handle.block_on(task)
/// });
/// assert_eq!(thread.join().unwrap().unwrap(), 5);
/// # }
/// ```
#[derive(Clone)]
pub struct Handle(Arc<HandleParts>);

/// For who finds the runtime by itself and does not keep its parts.
pub(crate) struct WeakHandle(Weak<HandleParts>);

pub(crate) struct HandleParts {
    pub(crate) id: Id,
    pub(crate) name: Option<String>,
    pub(crate) scheduler: Scheduler,
    pub(crate) pool: Pool,
    /// The thread that may run tasks which are not `Send`, of a local runtime.
    pub(crate) local_thread: Option<ThreadId>,
    /// Polls on threads that are no workers which ended because the budget was spent.
    pub(crate) forced_yields: AtomicU64,
}

// What a panicking task leaves behind here is whole: user code runs under none of the locks.
impl UnwindSafe for HandleParts {}
impl RefUnwindSafe for HandleParts {}

/// Who runs the tasks of a runtime.
#[derive(Debug)]
pub(crate) enum Scheduler {
    Local(Local),
    Multi(Multi),
    Sim(SimHost),
}

/// How a runtime runs its tasks.
///
/// ```
/// use tokio::runtime::{Builder, RuntimeFlavor};
///
/// let runtime = Builder::new_current_thread().build().unwrap();
/// assert_eq!(runtime.handle().runtime_flavor(), RuntimeFlavor::CurrentThread);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeFlavor {
    /// On the thread that is in `block_on`.
    CurrentThread,
    /// On worker threads that share the work.
    MultiThread,
}

/// Tells the runtimes of a process apart; never given twice.
///
/// ```
/// use tokio::runtime::Runtime;
///
/// let (one, two) = (Runtime::new().unwrap(), Runtime::new().unwrap());
/// assert_ne!(one.handle().id(), two.handle().id());
/// ```
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub struct Id(NonZeroU64);

impl Id {
    /// An id that no runtime has had before.
    pub(crate) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        // Relaxed: only the numbers must differ.
        let number = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        Self(NonZeroU64::new(number).expect("2^64 runtimes are never made"))
    }
}

impl WeakHandle {
    /// `None` when nobody has a handle any more.
    pub(crate) fn upgrade(&self) -> Option<Handle> {
        self.0.upgrade().map(Handle)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Handle {
    pub(crate) fn new(parts: HandleParts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) fn downgrade(&self) -> WeakHandle {
        WeakHandle(Arc::downgrade(&self.0))
    }

    /// The handle of the runtime that the caller stands in: in its tasks, in its `block_on`, on
    /// its threads, and while an [`EnterGuard`] lives.
    ///
    /// # Panics
    /// Outside of every runtime, and while the thread's locals are being destroyed.
    #[track_caller]
    pub fn current() -> Self {
        context::with(Clone::clone)
    }

    /// The handle of the runtime that the caller stands in.
    ///
    /// ```
    /// use tokio::runtime::{Handle, Runtime};
    ///
    /// assert!(Handle::try_current().unwrap_err().is_missing_context());
    /// let runtime = Runtime::new().unwrap();
    /// let _guard = runtime.enter();
    /// assert!(Handle::try_current().is_ok());
    /// ```
    ///
    /// # Errors
    /// Outside of every runtime, and while the thread's locals are being destroyed.
    pub fn try_current() -> Result<Self, TryCurrentError> {
        context::try_with(Clone::clone)
    }

    /// Makes this runtime the thread's current one until the guard is dropped, so that `spawn`,
    /// sockets and timers find it. Guards nest.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let runtime = tokio::runtime::Runtime::new().unwrap();
    /// let guard = runtime.handle().enter();
    /// let sleep = tokio::time::sleep(Duration::from_millis(1));
    /// drop(guard);
    /// runtime.block_on(sleep);
    /// ```
    ///
    /// # Panics
    /// The guard panics when guards are dropped in another order than the reverse of entering.
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard::new(context::enter(self.clone()))
    }

    /// Makes a task of `future`, which runs whether its handle is kept or not; a current-thread
    /// runtime runs it while it is in `block_on`.
    ///
    /// If the runtime has been dropped, the task is cancelled at once.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_as(future, SpawnMeta::caller())
    }

    /// [`spawn`](Self::spawn) of a task that may have a name.
    #[inline]
    pub(crate) fn spawn_as<F>(&self, future: F, meta: SpawnMeta<'_>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if size_of::<F>() > LARGE_FUTURE {
            let meta = meta.boxed_from(size_of::<F>());
            return self.bind(Box::pin(future), meta);
        }
        self.bind(future, meta)
    }

    #[inline]
    fn bind<F>(&self, future: F, meta: SpawnMeta<'_>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let id = yamanote_task::Id::next();
        match &self.0.scheduler {
            Scheduler::Local(local) => local.spawn(future, id, meta),
            Scheduler::Multi(multi) => multi.spawn(future, id, meta),
            Scheduler::Sim(host) => host.spawn(future, id, meta),
        }
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
        blocking::spawn_on(self, f)
    }

    /// Runs `future` to its end on the current thread.
    ///
    /// On a current-thread runtime this drives no I/O, no timers and no other task: some thread
    /// must be in [`Runtime::block_on`](crate::Runtime::block_on) for that.
    ///
    /// # Panics
    /// When the thread drives tasks already, and when `future` panics. After the runtime has been
    /// dropped, when `future` waits for a timer.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let future = context::trace_block_on(future);
        let _driving = context::start_driving(true);
        let _context = self.enter();
        match &self.0.scheduler {
            Scheduler::Multi(multi) => multi.block_on(future),
            Scheduler::Local(_) => {
                let mut future = pin!(future);
                yamanote_base::block::block_on_inside(poll_fn(|cx| {
                    budget::with_budget(|| future.as_mut().poll(cx))
                }))
            }
            Scheduler::Sim(host) => host.block_on(future),
        }
    }

    /// How the runtime runs its tasks.
    #[must_use]
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        match self.0.scheduler {
            Scheduler::Multi(_) => RuntimeFlavor::MultiThread,
            Scheduler::Local(_) | Scheduler::Sim(_) => RuntimeFlavor::CurrentThread,
        }
    }

    /// The id of the runtime.
    #[must_use]
    pub fn id(&self) -> Id {
        self.0.id
    }

    /// The name that the runtime was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// A view of what the runtime counts, from its start on.
    #[must_use]
    pub fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics::new(self.clone())
    }

    pub(crate) fn scheduler(&self) -> &Scheduler {
        &self.0.scheduler
    }

    pub(crate) fn driver(&self) -> &yamanote_driver::Handle {
        match &self.0.scheduler {
            Scheduler::Local(local) => local.driver(),
            Scheduler::Multi(multi) => multi.driver(),
            Scheduler::Sim(host) => host.driver(),
        }
    }

    pub(crate) fn note_forced_yield(&self) {
        let by_worker = match &self.0.scheduler {
            Scheduler::Local(local) => local.note_forced_yield(),
            Scheduler::Multi(multi) => multi.note_forced_yield(),
            Scheduler::Sim(host) => {
                host.sim().metrics().forced_yields.add(1);
                true
            }
        };
        if !by_worker {
            // Relaxed: a counter.
            self.0.forced_yields.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Polls on threads that are no workers which ended because the budget was spent.
    pub(crate) fn forced_yields_elsewhere(&self) -> u64 {
        // Relaxed: a counter.
        self.0.forced_yields.load(Ordering::Relaxed)
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// Whether tasks that are not `Send` may be spawned from here: the runtime is a local one
    /// and this is its thread.
    pub(crate) fn is_local_here(&self) -> bool {
        self.0.local_thread == Some(std::thread::current().id())
    }

    /// Whether the runtime is a local one.
    pub(crate) fn is_local(&self) -> bool {
        self.0.local_thread.is_some()
    }

    /// Makes a task of `future`, which need not be `Send`, on a local runtime.
    ///
    /// # Panics
    /// When the runtime is not a local one, or this is not its thread.
    #[track_caller]
    pub(crate) fn spawn_local<F>(&self, future: F, meta: SpawnMeta<'_>) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        assert!(
            self.is_local_here(),
            "Local tasks can only be spawned on a LocalRuntime from the thread the runtime was \
             created on"
        );
        let Scheduler::Local(local) = &self.0.scheduler else {
            unreachable!("only a current-thread scheduler has a thread of its own")
        };
        let id = yamanote_task::Id::next();
        // SAFETY: the local runtime is neither `Send` nor `Sync`, so it is run, closed and
        // dropped on the thread that made it, and this is that thread.
        unsafe { local.spawn_local(future, id, meta) }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("id", &self.0.id)
            .field("flavor", &self.runtime_flavor())
            .finish_non_exhaustive()
    }
}
