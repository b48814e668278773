//! A scheduler for tests: one queue, which whoever likes runs.
// Each test program uses a part of this.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::ptr;
use std::task::{Context, Poll, RawWakerVTable, Waker};

use yamanote_base::atomic::plain::{AtomicUsize, Ordering};
use yamanote_base::atomic::{Arc, AtomicBool};
use yamanote_base::lock::Mutex;
use yamanote_base::waker_cell::WakerCell;
use yamanote_task::{
    Id, JoinError, JoinHandle, Own, Runnable, Schedule, SpawnMeta, TaskList, TaskRef, Wakers, Warm,
};

yamanote_base::thread_cell! {
    /// Whether tasks are kept warm for this thread.
    static KEEPS_WARM: bool = false
}

/// Clones are the same scheduler. If it `CLAIMS`, whoever wakes a task makes the owner of its
/// runnable the runner.
#[derive(Clone)]
pub(crate) struct TestScheduler<const CLAIMS: bool = false>(Arc<TestSchedulerParts<CLAIMS>>);

/// The one that claims.
pub(crate) type Claiming = TestScheduler<true>;

struct TestSchedulerParts<const CLAIMS: bool> {
    ready: Mutex<VecDeque<Runnable>>,
    tasks: TaskList<TestScheduler<CLAIMS>>,
    rescheduled: AtomicUsize,
    panicked: AtomicUsize,
    kept: Mutex<Vec<Dropped>>,
    warm: Mutex<Option<Warm>>,
}

static CLAIMING: RawWakerVTable = yamanote_task::wakers_claiming::<TestScheduler<true>>();

impl TestScheduler {
    /// With a list of `shards` shards.
    pub(crate) fn new(shards: usize) -> Self {
        Self::with_shards(shards)
    }
}

impl TestScheduler<true> {
    /// The same, and it claims.
    pub(crate) fn claiming(shards: usize) -> Self {
        Self::with_shards(shards)
    }
}

impl<const CLAIMS: bool> TestScheduler<CLAIMS> {
    fn with_shards(shards: usize) -> Self {
        Self(Arc::new(TestSchedulerParts {
            ready: Mutex::new(VecDeque::new()),
            tasks: TaskList::new(shards, false),
            rescheduled: AtomicUsize::new(0),
            panicked: AtomicUsize::new(0),
            kept: Mutex::new(Vec::new()),
            warm: Mutex::new(None),
        }))
    }

    /// Makes a task and queues it.
    #[track_caller]
    pub(crate) fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let (runnable, join) = self.bind(future);
        if let Some(runnable) = runnable {
            self.schedule(runnable);
        }
        join
    }

    /// Makes a task and does not queue it.
    #[track_caller]
    pub(crate) fn bind<F>(&self, future: F) -> (Option<Runnable>, JoinHandle<F::Output>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let meta = SpawnMeta::caller();
        self.tasks()
            .bind(Own::nothing(), future, || self.clone(), Id::next(), meta)
    }

    /// Runs one task; whether there was one.
    pub(crate) fn run_one(&self) -> bool {
        let task = self.0.ready.lock().pop_front();
        task.map(Runnable::run).is_some()
    }

    /// Runs tasks until none is queued.
    pub(crate) fn run_all(&self) {
        while self.run_one() {}
    }

    /// From now on a task that waits is kept warm for the current thread.
    pub(crate) fn keep_warm_here(&self) {
        KEEPS_WARM.with(|keeps| keeps.set(true));
    }

    /// Lets go of the task that is kept warm, on any thread; whether there was one.
    pub(crate) fn let_go(&self) -> bool {
        let warm = self.0.warm.lock().take();
        let was_warm = warm.is_some();
        if let Some(woken) = warm.and_then(Warm::let_go) {
            self.schedule(woken);
        }
        was_warm
    }

    /// The live tasks.
    pub(crate) fn tasks(&self) -> &TaskList<TestScheduler<CLAIMS>> {
        &self.0.tasks
    }

    /// Has the scheduler count its end.
    pub(crate) fn keep(&self, guard: Dropped) {
        self.0.kept.lock().push(guard);
    }

    /// How many tasks are queued.
    pub(crate) fn queued(&self) -> usize {
        self.0.ready.lock().len()
    }

    /// How many tasks have woken themselves during a poll.
    pub(crate) fn rescheduled(&self) -> usize {
        self.0.rescheduled.load(Ordering::Relaxed)
    }

    /// How many polls have panicked.
    pub(crate) fn panicked(&self) -> usize {
        self.0.panicked.load(Ordering::Relaxed)
    }
}

// SAFETY: each test keeps its scheduler until its threads have ended.
unsafe impl<const CLAIMS: bool> Schedule for TestScheduler<CLAIMS> {
    const WAKERS: Wakers = match CLAIMS {
        true => Wakers::Claiming(&CLAIMING),
        false => Wakers::Common,
    };

    fn schedule(&self, task: Runnable) {
        self.0.ready.lock().push_back(task);
    }

    fn reschedule(&self, task: Runnable) {
        self.0.rescheduled.fetch_add(1, Ordering::Relaxed);
        self.schedule(task);
    }

    fn keep_warm(&self, waits: impl FnOnce() -> Warm) -> bool {
        let keeps = KEEPS_WARM.with(|keeps| keeps.get());
        if keeps {
            let before = self.0.warm.lock().replace(waits());
            drop(before);
        }
        keeps
    }

    fn take_warm(&self, task: &TaskRef) -> Option<Warm> {
        if !KEEPS_WARM.with(|keeps| keeps.get()) {
            return None;
        }
        let is_asked_for = |warm: &mut Warm| ptr::eq(warm.address(), task.address());
        self.0.warm.lock().take_if(is_asked_for)
    }

    fn enter(&self, task: &TaskRef) -> bool {
        self.tasks().enter(None, task)
    }

    fn release(&self, task: &TaskRef) -> bool {
        self.tasks().leave(None, task)
    }

    fn unhandled_panic(&self) {
        self.0.panicked.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts what is dropped.
#[derive(Clone, Default)]
pub(crate) struct Drops(std::sync::Arc<AtomicUsize>);

/// Counts itself when dropped.
pub(crate) struct Dropped(Drops);

impl Drops {
    /// Something that counts itself when dropped.
    pub(crate) fn one(&self) -> Dropped {
        Dropped(self.clone())
    }

    /// How many were dropped.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task that has waited once, for what `flag` says, and its waker.
pub(crate) fn waiting(
    scheduler: &Claiming,
    flag: &Arc<AtomicBool>,
    drops: &Drops,
) -> (JoinHandle<()>, Waker) {
    let (flag, kept, guard) = (flag.clone(), Arc::new(WakerCell::new()), drops.one());
    let (keeps, running) = (kept.clone(), AtomicBool::new(false));
    let join = scheduler.spawn(poll_fn(move |cx| {
        let _ = &guard;
        assert!(
            !running.swap(true, Ordering::Relaxed),
            "it is polled by two"
        );
        keeps.register(cx.waker());
        // Nothing but the wakes publishes the store.
        let polled = match flag.load(Ordering::Relaxed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        };
        assert!(running.swap(false, Ordering::Relaxed));
        polled
    }));
    scheduler.run_all();
    (join, kept.take().expect("the first poll has left it"))
}

/// The result of a task that has ended.
pub(crate) fn result<T>(join: JoinHandle<T>) -> Result<T, JoinError> {
    match pin!(join).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the task has not ended"),
    }
}

/// Lets the other tasks run.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
