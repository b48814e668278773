//! Tasks that are not `Send`, polled by one future on one thread: [`LocalSet`].
//!
//! ```text
//!   woken in the set's own scope, or elsewhere ──▶ queue ──▶ tick: up to 61 polls, when the
//!   gave way ──▶ yielded ──▶ when the set is polled again ────┘    set is polled
//! ```
//!
//! What other threads may touch is in its `LocalScheduler`; the tasks themselves are
//! polled and dropped on the thread of the set, which is not `Send`.

mod queue;
mod scope;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use yamanote_base::budget;
use yamanote_sched::config::UnhandledPanic;
use yamanote_task::{JoinHandle, SpawnMeta};

use crate::context;
use crate::handle::Id;
use crate::rt::Runtime;
use queue::LocalScheduler;
use scope::ScopeGuard;

/// Tasks that the set polls in one go before it lets the rest of its thread run.
const POLLS_MAX: usize = 61;

/// What a set says when one of its tasks panicked and that is to stop it.
const TASK_PANICKED: &str = "a spawned task panicked and the LocalSet is configured to shutdown \
     on unhandled panic";

/// A set of tasks that need not be `Send`; they run while the set is polled, by
/// [`run_until`](Self::run_until) or by awaiting the set itself.
///
/// The set is one task to its runtime: its own tasks share one thread, and a budget of polls. It
/// works on every runtime, in `block_on`, but not inside of `spawn`. Who builds the runtime, too,
/// may take a [`LocalRuntime`](crate::LocalRuntime) instead, which needs no set.
///
/// Dropping it drops the tasks.
///
/// ```
/// use std::rc::Rc;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let shared = Rc::new("not Send");
/// let set = tokio::task::LocalSet::new();
/// let length = set.run_until(async move {
///     let task = tokio::task::spawn_local(async move { shared.len() });
///     task.await.unwrap()
/// });
/// assert_eq!(length.await, 8);
/// # }
/// ```
pub struct LocalSet {
    scheduler: LocalScheduler,
    id: Id,
    unhandled_panic: UnhandledPanic,
    /// The tasks stay on the thread of the set.
    _not_send: PhantomData<*mut ()>,
}

/// While it lives, [`spawn_local`] means this set.
#[derive(Debug)]
#[must_use = "the set is left at once when this is dropped"]
pub struct LocalEnterGuard {
    scope: Option<ScopeGuard>,
}

pin_project! {
    /// Polls a future and the tasks of a set.
    struct RunUntil<'a, F> {
        set: &'a LocalSet,
        #[pin]
        future: F,
    }
}

/// Makes a task of `future`, which need not be `Send`, on the current [`LocalSet`] or local
/// runtime.
///
/// # Panics
/// Outside of both.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    spawn_local_as(future, SpawnMeta::caller())
}

/// [`spawn_local`] of a task that may have a name.
#[track_caller]
pub(crate) fn spawn_local_as<F>(future: F, meta: SpawnMeta<'_>) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    if let Some(scheduler) = scope::current() {
        return scheduler.spawn_sized(future, meta);
    }
    match context::try_with(|handle| handle.is_local().then(|| handle.clone())) {
        Ok(Some(handle)) => handle.spawn_local(future, meta),
        _ => panic!(
            "`spawn_local` called from outside of a `task::LocalSet` or `runtime::LocalRuntime`"
        ),
    }
}

impl LocalSet {
    /// An empty set. It belongs to the thread that makes it.
    #[must_use]
    pub fn new() -> LocalSet {
        LocalSet {
            scheduler: LocalScheduler::new(),
            id: Id::next(),
            unhandled_panic: UnhandledPanic::Ignore,
            _not_send: PhantomData,
        }
    }

    /// Makes [`spawn_local`] mean this set until the guard is dropped.
    pub fn enter(&self) -> LocalEnterGuard {
        LocalEnterGuard {
            scope: Some(ScopeGuard::enter(self.scheduler.clone())),
        }
    }

    /// Makes a task of `future`; it runs when the set is polled.
    ///
    /// *Cancel safety* and *errors:* as those of `spawn`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let set = tokio::task::LocalSet::new();
    /// let task = set.spawn_local(async { "later" });
    /// set.await;
    /// assert_eq!(task.await.unwrap(), "later");
    /// # }
    /// ```
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_local_as(future, SpawnMeta::caller())
    }

    /// [`spawn_local`](Self::spawn_local) of a task that may have a name.
    #[track_caller]
    pub(crate) fn spawn_local_as<F>(&self, future: F, meta: SpawnMeta<'_>) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.scheduler.spawn_sized(future, meta)
    }

    /// Runs `future` on `rt`, and the tasks of the set meanwhile.
    ///
    /// # Panics
    /// As [`Runtime::block_on`].
    #[track_caller]
    pub fn block_on<F>(&self, rt: &Runtime, future: F) -> F::Output
    where
        F: Future,
    {
        rt.block_on(self.run_until(future))
    }

    /// Runs `future`, and the tasks of the set meanwhile, as part of the calling task.
    ///
    /// Tasks that have not ended when `future` does stay in the set, and go on when it is polled
    /// the next time.
    ///
    /// *Cancel safety:* as that of `future`; the tasks stay in the set.
    pub async fn run_until<F>(&self, future: F) -> F::Output
    where
        F: Future,
    {
        RunUntil { set: self, future }.await
    }

    /// What a panic of a task does: with `ShutdownRuntime`, whoever polls the set panics.
    pub fn unhandled_panic(&mut self, behavior: UnhandledPanic) -> &mut Self {
        self.unhandled_panic = behavior;
        self
    }

    /// The id of the set; no runtime has the same.
    #[must_use]
    pub fn id(&self) -> Id {
        self.id
    }

    /// Stands in the set, of which a poll begins.
    fn begin_poll(&self, cx: &Context<'_>) -> ScopeGuard {
        self.scheduler.register(cx.waker());
        self.scheduler.end_yields();
        ScopeGuard::polling(self.scheduler.clone())
    }

    /// Polls tasks of the set, and wakes who polls it if it is to be polled again; whether it left
    /// some that do not give way.
    fn tick(&self, cx: &Context<'_>) -> bool {
        // What is polled with the set may have, which is not to be taken for one of its tasks.
        let gave_way = budget::take_way_given();
        let has_more = self.has_more_after_polls();
        if has_more {
            cx.waker().wake_by_ref();
        } else if gave_way || self.scheduler.has_yielded() {
            // The whole set gives way to those to whom its tasks do.
            budget::give_way(cx);
        }
        has_more
    }

    /// Polls tasks of the set; `true` if it leaves some.
    fn has_more_after_polls(&self) -> bool {
        for _ in 0..POLLS_MAX {
            let failed = self.scheduler.has_failed();
            let ignored = self.unhandled_panic == UnhandledPanic::Ignore;
            assert!(ignored || !failed, "{TASK_PANICKED}");
            match self.scheduler.pop() {
                Some(task) => {
                    // A task that gave way, and then did something else instead.
                    budget::take_way_given();
                    task.run();
                }
                None => return false,
            }
        }
        true
    }
}

impl Future for LocalSet {
    type Output = ();

    /// Ends when the set has no tasks.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let _scope = self.begin_poll(cx);
        match self.tick(cx) || !self.scheduler.is_empty() {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }
}

impl<F: Future> Future for RunUntil<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _scope = this.set.begin_poll(cx);
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(output);
        }
        this.set.tick(cx);
        Poll::Pending
    }
}

impl Drop for LocalEnterGuard {
    /// Leaves the set, for the one that the thread stood in before.
    fn drop(&mut self) {
        drop(self.scope.take());
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        let _scope = ScopeGuard::closing(self.scheduler.clone());
        self.scheduler.close();
    }
}

impl Default for LocalSet {
    fn default() -> LocalSet {
        LocalSet::new()
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet").finish()
    }
}
