//! The work-stealing scheduler: several workers, each with a ring, a next slot and a driver.
//!
//! ```text
//!   a task wakes another  ──▶ next slot ──(displaced)──▶ ring ──(full)──▶ inject queue
//!   the driver's wakers   ──▶ ring                        ▲ thieves take half
//!   any other thread      ──▶ inject queue
//! ```
//!
//! A worker takes from: the inject queue as often as [`inject_pace`] says, its next slot (at most
//! [`NEXT_STREAK`] times in a row), its ring, the inject queue, other workers' rings; then it
//! sleeps in its driver. [`idle`] argues why no task is stranded; [`patience`] says when tasks are
//! left to the worker that has them; [`monitor`] sees to workers that are stuck in a long poll.
//! Read next: [`worker`].

pub mod idle;
pub mod inject_pace;
pub mod monitor;
pub mod patience;
pub mod queue;
pub mod worker;
pub mod worker_slot;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::task::{RawWakerVTable, Waker};
use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicBool, AtomicUsize, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_base::wake::WakeList;
use yamanote_driver::Driver;
use yamanote_driver::barrier::{self, LateBarrier};
use yamanote_task::{
    Id, JoinHandle, RestingCells, Runnable, Schedule, SpawnMeta, TaskList, TaskMeta, TaskRef,
    Wakers, Warm,
};

use crate::config::{Config, Hooks, UnhandledPanic};
use crate::inject::Inject;
use crate::metrics::{self, WorkerMetrics};
use idle::Idle;
use monitor::Monitor;
use patience::Look;
use queue::{Item, Steal};
use worker::Here;
pub use worker::{Worker, block_in_place, current_worker};
use worker_slot::WorkerSlot;

/// How often in a row a worker runs the task in its next slot before it looks at its ring.
pub const NEXT_STREAK: u8 = 3;

/// A work-stealing scheduler; clones are the same one.
#[derive(Clone)]
pub struct Multi(Arc<MultiParts>);

/// What all workers share.
pub struct MultiParts {
    config: Config,
    driver: yamanote_driver::Handle,
    seats: Box<[Arc<Seat>]>,
    inject: Inject,
    idle: Idle,
    monitor: Monitor,
    tasks: TaskList<Multi>,
    /// Set once: workers leave at the next look.
    closed: AtomicBool,
    /// A task panicked and the policy is to shut down: `block_on` must panic.
    failed: AtomicBool,
    /// Workers that have not retired.
    active: AtomicUsize,
    /// Who waits for `failed` in `block_on`.
    failure_wakers: Mutex<Vec<Waker>>,
    /// [`Config::is_watched`].
    watched: bool,
}

/// A `block_on` that is to hear of it when a task fails.
struct FailureWatch<'a> {
    multi: &'a Multi,
    /// What was put into the list, and is taken out of it again.
    waker: Option<Waker>,
}

/// What others see of one worker.
struct Seat {
    steal: Steal<Runnable>,
    next: WorkerSlot<Runnable, LateBarrier>,
    /// A task that waits, kept while the worker runs the next one.
    warm: WorkerSlot<Warm, LateBarrier>,
    /// Whether that was woken elsewhere, or one that was kept before. Set by who has woken it.
    warm_is_woken: AtomicBool,
    /// Whether another worker is to turn its driver, for it is stuck and none sleeps. Set by the
    /// monitor; cleared by who makes the turn.
    is_owed_turn: AtomicBool,
    metrics: WorkerMetrics,
}

impl Seat {
    /// Whether a task that the worker keeps was woken elsewhere, at a glance.
    #[inline]
    fn has_woken_warm(&self) -> bool {
        // Relaxed: as with the queues, fences of `idle` come before looks that matter.
        self.warm_is_woken.load(Ordering::Relaxed) && !self.warm.is_empty()
    }

    /// Takes that task, for another worker; once, for the system may refuse.
    fn take_warm_if_woken(&self) -> Option<Warm> {
        if !self.has_woken_warm() {
            return None;
        }
        // Relaxed: as there.
        self.warm_is_woken.store(false, Ordering::Relaxed);
        self.warm.take_from_outside()
    }

    /// Takes the task that the worker keeps, for who is no worker; it goes on waiting unless it is
    /// to run.
    #[cold]
    fn take_warm_from_outside(&self) -> Option<Runnable> {
        self.warm.take_from_outside()?.let_go()
    }

    /// What a thief sees, when the runtime is `at` old.
    fn look(&self, at: Duration) -> Look {
        let polls = self.metrics.polls.get();
        Look { at, polls }
    }
}

/// Where a task that has become runnable goes on its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    /// It runs next.
    Next,
    /// It runs after those that wait already.
    Back,
}

/// What the wakers of its tasks do.
static WAKERS: RawWakerVTable = yamanote_task::wakers_claiming::<Multi>();

impl Multi {
    /// A scheduler with one worker per driver; each worker is to be [run](Worker::run) on a
    /// thread of its own.
    ///
    /// # Errors
    /// When the monitor's thread cannot be started.
    pub fn new(
        config: Config,
        drivers: Vec<Driver>,
        driver: yamanote_driver::Handle,
    ) -> std::io::Result<(Multi, Vec<Worker>)> {
        let count = drivers.len();
        let mut locals = Vec::with_capacity(count);
        let mut seats = Vec::with_capacity(count);
        for driver in drivers {
            let (local, steal) = queue::ring();
            locals.push((local, driver));
            seats.push(Arc::new(Seat {
                steal,
                next: WorkerSlot::new(barrier::late()),
                warm: WorkerSlot::new(barrier::late()),
                warm_is_woken: AtomicBool::new(false),
                is_owed_turn: AtomicBool::new(false),
                metrics: WorkerMetrics::new(&config),
            }));
        }
        let multi = Multi(Arc::new(MultiParts {
            tasks: TaskList::new(count.next_power_of_two(), config.measured.stamped),
            watched: config.is_watched(),
            config,
            driver,
            seats: seats.into(),
            inject: Inject::default(),
            idle: Idle::new(count),
            monitor: Monitor::default(),
            closed: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            active: AtomicUsize::new(count),
            failure_wakers: Mutex::default(),
        }));
        if count > 1 {
            monitor::start(&multi)?;
        }
        let workers = locals.into_iter().enumerate();
        let workers = workers
            .map(|(i, (local, driver))| Worker::new(multi.clone(), i, local, driver))
            .collect();
        Ok((multi, workers))
    }

    /// Makes a task of `future`; on a worker it runs next there, elsewhere it is injected.
    // Inlined, as the way here is: the future, which its spawner has just put together, goes to its
    // cell piece by piece, and not over the stack.
    #[inline]
    pub fn spawn<F>(&self, future: F, id: Id, meta: SpawnMeta<'_>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.config.hooks.before_spawn(id, meta.location());
        worker::here(self, |here| {
            let (runnable, join) =
                (self.0.tasks).bind(here.own(), future, || self.clone(), id, meta);
            if let Some(runnable) = runnable {
                self.push_from(here, runnable, Lane::Next);
            }
            join
        })
    }

    /// Has all workers leave; their tasks are dropped. Does not wait.
    pub fn close(&self) {
        // SeqCst: before the looks at the sleepers that unpark does; a worker looks at it after
        // it has marked itself asleep.
        if self.0.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        for worker in 0..self.0.seats.len() {
            self.0.driver.unpark(worker);
        }
        self.0.monitor.stop();
    }

    /// Waits until the monitor has ended; after [`close`](Self::close), when all workers have left.
    pub fn join_monitor(&self) {
        self.0.monitor.join();
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        // SeqCst: see close().
        self.0.closed.load(Ordering::SeqCst)
    }

    /// Runs `future` on the current thread until it ends, while the workers do the rest.
    ///
    /// # Panics
    /// When a task panics and the policy is to shut down.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = std::pin::pin!(future);
        let mut watch = FailureWatch {
            multi: self,
            waker: None,
        };
        let watched = std::future::poll_fn(|cx| {
            watch.assert_not_failed(cx.waker());
            yamanote_base::budget::with_budget(|| future.as_mut().poll(cx))
        });
        yamanote_base::block::block_on_inside(watched)
    }

    /// The driver's shared half.
    pub fn driver(&self) -> &yamanote_driver::Handle {
        &self.0.driver
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.0.seats.len()
    }

    /// What `worker` counts.
    pub fn worker_metrics(&self, worker: usize) -> &WorkerMetrics {
        &self.0.seats[worker].metrics
    }

    /// Tasks in the ring of `worker` now.
    pub fn worker_queue_depth(&self, worker: usize) -> usize {
        self.0.seats[worker].steal.len()
    }

    /// The inject queue.
    pub fn inject(&self) -> &Inject {
        &self.0.inject
    }

    /// The live tasks.
    pub fn tasks(&self) -> &TaskList<Multi> {
        &self.0.tasks
    }

    /// Whether both are the same scheduler.
    pub fn is(&self, other: &Multi) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether the current thread is a worker of this scheduler; if so, its budget was spent.
    pub fn note_forced_yield(&self) -> bool {
        let worker = worker::index_of(self);
        if let Some(worker) = worker {
            self.0.seats[worker].metrics.forced_yields.add(1);
        }
        worker.is_some()
    }

    #[inline]
    fn push(&self, task: Runnable, lane: Lane) {
        worker::here(self, |here| self.push_from(here, task, lane));
    }

    /// Queues a task: with the worker that is `here`, or from outside.
    fn push_from(&self, here: Here<'_>, task: Runnable, lane: Lane) {
        if self.0.watched {
            metrics::stamp(&task, &self.0.config, self.0.driver.clock());
        }
        if let Err(task) = here.push(task, lane) {
            self.inject_from_outside(task);
        }
    }

    #[cold]
    fn inject_from_outside(&self, task: Runnable) {
        // Once it is in the queue it may run, and end, and be the last to keep the scheduler.
        let kept = self.clone();
        kept.0.inject.push(task);
        kept.wake_one();
    }

    /// Wakes a sleeper, if one is needed for work that was just made visible.
    fn wake_one(&self) {
        if let Some(worker) = self.0.idle.claim_sleeper() {
            self.0.driver.unpark(worker);
        }
    }

    /// Whether a task waits where any worker may take it.
    fn work_is_visible(&self) -> bool {
        !self.0.inject.is_empty() || self.has_stealable()
    }

    /// Whether a task is in some ring, or kept by a worker and woken.
    fn has_stealable(&self) -> bool {
        let has_some = |seat: &Arc<Seat>| !seat.steal.is_empty() || seat.has_woken_warm();
        self.0.seats.iter().any(has_some)
    }

    /// Drops what is queued anywhere, also with workers that are stuck in a poll, after the list
    /// was closed; what comes to `ring` is dropped, too.
    fn drop_queued(&self, ring: &mut queue::Local<Runnable>) {
        // Not closed: what a full ring spills is not to be dropped by the worker that spills it.
        while let Some(task) = self.0.inject.pop() {
            drop(task);
        }
        for seat in &self.0.seats {
            drop(seat.next.take_from_outside());
            drop(seat.take_warm_from_outside());
            // Bounded: the list is closed, so little is queued any more.
            while let Some(task) = ring.pop().or_else(|| Some(seat.steal.steal_into(ring)?.0)) {
                drop(task);
            }
        }
    }

    /// The last worker to leave cleans up.
    fn retire_last(&self) {
        self.0.inject.close();
        for seat in &self.0.seats {
            drop(seat.next.take_from_outside());
            drop(seat.take_warm_from_outside());
        }
        let mut wakes = WakeList::new();
        self.0.driver.shut_down(&mut wakes);
        wakes.wake_quietly();
    }
}

impl FailureWatch<'_> {
    /// `waker` is the same each time.
    fn assert_not_failed(&mut self, waker: &Waker) {
        let parts = &self.multi.0;
        if parts.config.unhandled_panic == UnhandledPanic::Ignore {
            return;
        }
        if self.waker.is_none() {
            self.waker = Some(waker.clone());
            parts.failure_wakers.lock().push(waker.clone());
        }
        // SeqCst: after the waker is in the list; the failing task sets it before it wakes them.
        let failed = parts.failed.load(Ordering::SeqCst);
        assert!(!failed, "{}", crate::config::UNHANDLED_PANIC);
    }
}

impl Drop for FailureWatch<'_> {
    fn drop(&mut self) {
        let Some(waker) = &self.waker else { return };
        let mut wakers = self.multi.0.failure_wakers.lock();
        let place = wakers.iter().position(|known| known.will_wake(waker));
        let own = place.map(|place| wakers.swap_remove(place));
        drop(wakers);
        drop(own);
    }
}

// SAFETY: `push` gives the task to the desk of the current thread, which keeps the scheduler, or
// makes a clone before. Only tasks that are `Send` are spawned on it.
unsafe impl Schedule for Multi {
    const WAKERS: Wakers = Wakers::Claiming(&WAKERS);

    #[inline]
    fn schedule(&self, task: Runnable) {
        self.push(task, Lane::Next);
    }

    #[inline]
    fn reschedule(&self, task: Runnable) {
        self.push(task, Lane::Back);
    }

    #[inline]
    fn keep_warm(&self, waits: impl FnOnce() -> Warm) -> bool {
        worker::here(self, |here| here.keep_warm(waits))
    }

    #[inline]
    fn take_warm(&self, task: &TaskRef) -> Option<Warm> {
        worker::here(self, |here| here.take_warm(task))
    }

    #[cold]
    fn warm_woken(&self, task: &TaskRef) {
        let keeps = |seat: &&Arc<Seat>| seat.warm.word() == task.address();
        if let Some(seat) = self.0.seats.iter().find(keeps) {
            // Relaxed: a fence follows in `idle`.
            seat.warm_is_woken.store(true, Ordering::Relaxed);
            self.wake_one();
        }
    }

    #[inline]
    fn enter(&self, task: &TaskRef) -> bool {
        worker::here(self, |here| self.0.tasks.enter(here.shard(), task))
    }

    #[inline(always)]
    fn release(&self, task: &TaskRef) -> bool {
        worker::here(self, |here| self.0.tasks.leave(here.shard(), task))
    }

    #[inline]
    fn with_cells<R>(&self, f: impl FnOnce(Option<&RestingCells<Self>>) -> R) -> R {
        worker::here(self, |here| f(here.own().cells))
    }

    #[inline]
    fn is_watched(&self) -> bool {
        self.0.watched
    }

    fn unhandled_panic(&self) {
        if self.0.config.unhandled_panic == UnhandledPanic::ShutdownRuntime {
            // SeqCst: see assert_not_failed().
            self.0.failed.store(true, Ordering::SeqCst);
            self.close();
            let wakers = std::mem::take(&mut *self.0.failure_wakers.lock());
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    #[inline]
    fn before_poll<'a>(&self, meta: impl FnOnce() -> TaskMeta<'a>) {
        Hooks::call_task(self.0.config.hooks.before_poll.as_ref(), meta);
    }

    #[inline]
    fn after_poll<'a>(&self, meta: impl FnOnce() -> TaskMeta<'a>) {
        Hooks::call_task(self.0.config.hooks.after_poll.as_ref(), meta);
    }

    #[inline]
    fn on_terminate<'a>(&self, meta: impl FnOnce() -> TaskMeta<'a>) {
        Hooks::call_task(self.0.config.hooks.on_task_terminate.as_ref(), meta);
    }
}

impl Item for Warm {
    #[inline]
    fn into_raw(self) -> *mut () {
        Warm::into_raw(self)
    }

    #[inline]
    unsafe fn from_raw(raw: *mut ()) -> Self {
        // SAFETY: the trait's contract: `raw` came from `into_raw` and is used once.
        unsafe { Warm::from_raw(raw) }
    }
}

impl Item for Runnable {
    #[inline]
    fn into_raw(self) -> *mut () {
        Runnable::into_raw(self)
    }

    #[inline]
    unsafe fn from_raw(raw: *mut ()) -> Self {
        // SAFETY: the trait's contract: `raw` came from `into_raw` and is used once.
        unsafe { Runnable::from_raw(raw) }
    }

    #[inline]
    fn fetch(&self) {
        Runnable::fetch(self);
    }
}

impl fmt::Debug for Multi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multi")
            .field("workers", &self.workers())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use yamanote_base::rng::{RngSeed, SeedSource};

    /// A scheduler of one worker, which never runs.
    fn multi() -> Multi {
        let config = yamanote_pool::Config::plain("unused", 1, Duration::ZERO);
        let pool = yamanote_pool::Pool::new(config);
        let (drivers, driver) = yamanote_driver::new(yamanote_driver::Config::new(pool)).unwrap();
        let config = Config {
            event_interval: 61,
            inject_interval: Some(31),
            disable_lifo_slot: false,
            unhandled_panic: UnhandledPanic::ShutdownRuntime,
            seeds: SeedSource::new(&RngSeed::from_bytes(&[])),
            hooks: Hooks::default(),
            measured: metrics::Measured::default(),
        };
        Multi::new(config, drivers, driver).unwrap().0
    }

    #[test]
    fn who_has_blocked_is_not_told_of_a_failure_any_more() {
        let multi = multi();
        for _ in 0..10 {
            multi.block_on(ready(()));
        }
        assert!(multi.0.failure_wakers.lock().is_empty());
        let waits = multi.clone();
        let waiting = std::thread::spawn(move || waits.block_on(pending::<()>()));
        while multi.0.failure_wakers.lock().is_empty() {
            std::thread::yield_now();
        }
        multi.unhandled_panic();
        assert!(waiting.join().is_err());
        assert!(multi.0.failure_wakers.lock().is_empty());
    }
}
