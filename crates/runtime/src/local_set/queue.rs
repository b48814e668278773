//! The queues of a set, which other threads may reach: [`LocalScheduler`].

use std::future::Future;
use std::sync::Arc;
use std::task::Waker;
use std::thread::{self, ThreadId};

use yamanote_base::atomic::plain::{AtomicBool, Ordering};
use yamanote_base::budget;
use yamanote_base::waker_cell::WakerCell;
use yamanote_sched::inject::Inject;
use yamanote_sched::local;
use yamanote_task::{
    Id, JoinHandle, LARGE_FUTURE, Own, Runnable, Schedule, SpawnMeta, TaskList, TaskRef,
};

use super::scope;

/// The scheduler of a set; clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct LocalScheduler(Arc<LocalSchedulerParts>);

#[derive(Debug)]
struct LocalSchedulerParts {
    tasks: TaskList<LocalScheduler>,
    /// First come, first served. Uncontended, unless other threads wake tasks of the set.
    queue: Inject,
    /// Tasks that gave way: they run again when the set is polled the next time.
    yielded: Inject,
    /// Whoever polls the set.
    waiting: WakerCell,
    /// A task panicked.
    failed: AtomicBool,
    /// The thread of the set.
    thread: ThreadId,
}

impl LocalScheduler {
    pub(super) fn new() -> Self {
        Self(Arc::new(LocalSchedulerParts {
            tasks: TaskList::new(1, false),
            queue: Inject::default(),
            yielded: Inject::default(),
            waiting: WakerCell::new(),
            failed: AtomicBool::new(false),
            thread: thread::current().id(),
        }))
    }

    /// Makes a task of `future`, in a box if it is large.
    ///
    /// # Panics
    /// On another thread than the set's.
    #[track_caller]
    pub(super) fn spawn_sized<F>(&self, future: F, meta: SpawnMeta<'_>) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        if size_of::<F>() > LARGE_FUTURE {
            let meta = meta.boxed_from(size_of::<F>());
            return self.spawn_here(Box::pin(future), meta);
        }
        self.spawn_here(future, meta)
    }

    /// Makes a task of `future`.
    ///
    /// # Panics
    /// On another thread than the set's.
    #[track_caller]
    fn spawn_here<F>(&self, future: F, meta: SpawnMeta<'_>) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        assert!(
            self.0.thread == thread::current().id(),
            "a `LocalSet` stays on its thread"
        );
        let own = Own {
            shard: Some(0),
            cells: None,
        };
        // SAFETY: this is the thread of the set. Its runnables are popped and run by the set
        // only, which is not `Send`; when it is dropped, there, `close` cancels all its tasks,
        // and what is still under way elsewhere is stale.
        let bound = unsafe {
            self.0
                .tasks
                .bind_local(own, future, || self.clone(), Id::next(), meta)
        };
        let (runnable, join) = bound;
        if let Some(runnable) = runnable {
            self.schedule(runnable);
        }
        join
    }

    /// Takes the oldest task that is to run.
    pub(super) fn pop(&self) -> Option<Runnable> {
        self.0.queue.pop()
    }

    /// Tasks that gave way are to run again, after those that are queued.
    pub(super) fn end_yields(&self) {
        // Bounded: a task gives way while it is polled, so none does now.
        while let Some(task) = self.0.yielded.pop() {
            self.0.queue.push(task);
        }
    }

    /// Whether a task waits for the next time that the set is polled.
    pub(super) fn has_yielded(&self) -> bool {
        !self.0.yielded.is_empty()
    }

    /// Whether the set has no tasks.
    pub(super) fn is_empty(&self) -> bool {
        self.0.tasks.alive() == 0
    }

    /// Sets who is woken when a task is to run.
    pub(super) fn register(&self, waker: &Waker) {
        self.0.waiting.register(waker);
    }

    /// Whether a task has panicked.
    pub(super) fn has_failed(&self) -> bool {
        // Relaxed: set by a poll on this thread.
        self.0.failed.load(Ordering::Relaxed)
    }

    /// Cancels all tasks, now and in the future.
    pub(super) fn close(&self) {
        self.0.tasks.close_and_cancel_all();
        // What is under way to the queue is stale.
        self.0.queue.close();
        self.0.yielded.close();
    }

    /// Whether both are the same scheduler.
    pub(super) fn is(&self, other: &LocalScheduler) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

// SAFETY: a set that polls keeps its scheduler; else a clone is made before the task is queued.
unsafe impl Schedule for LocalScheduler {
    fn schedule(&self, task: Runnable) {
        if scope::is_polling(self) {
            self.0.queue.push(task);
            return;
        }
        let kept = self.clone();
        kept.0.queue.push(task);
        kept.0.waiting.wake();
    }

    // Where nothing but the set waits to be polled, there are no others to run first.
    fn reschedule(&self, task: Runnable) {
        if budget::take_way_given() && local::is_any_here() {
            self.0.yielded.push(task);
            return;
        }
        self.schedule(task);
    }

    fn enter(&self, task: &TaskRef) -> bool {
        self.0.tasks.enter(Some(0), task)
    }

    fn release(&self, task: &TaskRef) -> bool {
        self.0.tasks.leave(Some(0), task)
    }

    fn unhandled_panic(&self) {
        // Relaxed: see has_failed().
        self.0.failed.store(true, Ordering::Relaxed);
    }
}
