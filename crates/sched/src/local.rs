//! The scheduler of one thread: whoever is in `block_on` runs the tasks.
//!
//! ```text
//!   woken on the thread itself  ──▶ queue
//!   woken from elsewhere        ──▶ inject queue + unpark
//! ```
//!
//! What is needed to run is the `kit`; one thread at a time has it. Other threads in
//! `block_on` wait for their future, or for the kit. Between two polls of the future that
//! `block_on` was given, at most `event_interval` tasks are polled, and the driver is turned at
//! least once in so many polls.

mod kit;
mod queue;
mod scope;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::ptr;
use std::sync::Arc;
use std::task::{Poll, RawWakerVTable, Wake, Waker};
use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicBool, Ordering};
use yamanote_base::budget;
use yamanote_base::lock::Mutex;
use yamanote_base::rng::Rng;
use yamanote_base::wake::WakeList;
use yamanote_driver::Driver;
use yamanote_driver::handle::Asked;
use yamanote_task::{
    Id, JoinHandle, Own, RestingCells, Runnable, Schedule, SpawnMeta, TaskList, TaskMeta, TaskRef,
    Wakers,
};

use crate::config::{Config, Hooks, INJECT_INTERVAL, UNHANDLED_PANIC, UnhandledPanic};
use crate::countdown::Countdown;
use crate::inject::Inject;
use crate::metrics::{self, WorkerMetrics};
use kit::{Kit, Looks};
use queue::Queue;
use scope::Scope;

/// A scheduler of one thread; clones are the same one.
#[derive(Clone)]
pub struct Local(Arc<LocalParts>);

/// What every handle to the scheduler shares.
pub struct LocalParts {
    config: Config,
    driver: yamanote_driver::Handle,
    inject: Inject,
    tasks: TaskList<Local>,
    metrics: WorkerMetrics,
    /// Whether the future in `block_on` is to be polled.
    woken: AtomicBool,
    /// Set when a task panicked and the policy is to shut down.
    failed: AtomicBool,
    kit: Mutex<KitPlace>,
    /// [`Config::is_watched`].
    watched: bool,
}

/// Where the kit is when nobody runs, and who waits for it.
#[derive(Default)]
struct KitPlace {
    kit: Option<Kit>,
    waiting: Vec<Waker>,
}

/// The place on a thread where the scheduler runs.
struct Desk {
    local: Local,
    kit: Kit,
    cells: RestingCells<Local>,
}

/// The innermost [`Scope`] on a thread: whose it is, and its desk. Both null without one.
#[derive(Clone, Copy)]
struct Here {
    scheduler: *const LocalParts,
    desk: *const Desk,
}

thread_local! {
    static HERE: Cell<Here> = const {
        Cell::new(Here {
            scheduler: ptr::null(),
            desk: ptr::null(),
        })
    };
}

/// Whether the current thread runs a scheduler of one thread, whichever it is.
#[must_use]
pub fn is_any_here() -> bool {
    !HERE.get().scheduler.is_null()
}

/// What the wakers of its tasks do: without atomics where the scheduler runs.
static WAKERS: RawWakerVTable = yamanote_task::wakers_here::<Local>();

impl Local {
    /// A scheduler that turns `driver`.
    #[must_use]
    pub fn new(config: Config, driver: Driver, handle: yamanote_driver::Handle) -> Self {
        let rng = Rng::new(config.seeds.next_seed().as_u64());
        let kit = Kit {
            queue: Queue::new(),
            yielded: Queue::new(),
            until_turn: Countdown::new(config.event_interval),
            looks: Looks::default(),
            until_inject: Countdown::begun_over(config.inject_interval.unwrap_or(INJECT_INTERVAL)),
            driver: RefCell::new(driver),
            rng,
        };
        let place = KitPlace {
            kit: Some(kit),
            waiting: Vec::new(),
        };
        let metrics = WorkerMetrics::new(&config);
        metrics.note_thread();
        Self(Arc::new(LocalParts {
            metrics,
            tasks: TaskList::new(1, config.measured.stamped),
            watched: config.is_watched(),
            config,
            driver: handle,
            inject: Inject::default(),
            woken: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            kit: Mutex::new(place),
        }))
    }

    /// Makes a task of `future`.
    #[inline]
    pub fn spawn<F>(&self, future: F, id: Id, meta: SpawnMeta<'_>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.0.config.hooks.before_spawn(id, meta.location());
        with_desk(self, |desk| {
            let (runnable, join) =
                (self.0.tasks).bind(own(desk), future, || self.clone(), id, meta);
            self.start(desk, runnable);
            join
        })
    }

    /// Makes a task of `future`, which need not be `Send`.
    ///
    /// # Safety
    /// The scheduler is run, closed and dropped on the current thread only.
    pub unsafe fn spawn_local<F>(
        &self,
        future: F,
        id: Id,
        meta: SpawnMeta<'_>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.0.config.hooks.before_spawn(id, meta.location());
        with_desk(self, |desk| {
            let scheduler = || self.clone();
            // SAFETY: the caller's promise is what `bind_local` asks for.
            let (runnable, join) =
                unsafe { (self.0.tasks).bind_local(own(desk), future, scheduler, id, meta) };
            self.start(desk, runnable);
            join
        })
    }

    #[inline(always)]
    fn start(&self, desk: Option<&Desk>, runnable: Option<Runnable>) {
        let Some(runnable) = runnable else { return };
        self.stamp(&runnable);
        match desk {
            Some(desk) => desk.push(runnable, false),
            None => self.inject_from_outside(runnable),
        }
    }

    /// Runs `future` to its end, and the tasks meanwhile, on the current thread.
    ///
    /// # Panics
    /// When a task panics and the policy is to shut down.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        // Ends when the future does, or when this thread has got the kit and run it to its end.
        loop {
            if let Some(scope) = Scope::enter(self) {
                return scope.run(future.as_mut());
            }
            if let Some(output) = self.wait_for_kit(future.as_mut()) {
                return output;
            }
        }
    }

    /// Polls `future` on this thread until it ends (its output) or the kit may be free (`None`).
    fn wait_for_kit<F: Future>(&self, mut future: Pin<&mut F>) -> Option<F::Output> {
        yamanote_base::block::block_on_inside(std::future::poll_fn(|cx| {
            let polled = budget::with_budget(|| future.as_mut().poll(cx));
            let mut place = self.0.kit.lock();
            place.waiting.retain(|waker| !waker.will_wake(cx.waker()));
            if let Poll::Ready(output) = polled {
                return Poll::Ready(Some(output));
            }
            if place.kit.is_some() {
                return Poll::Ready(None);
            }
            // In each poll anew: who gave the kit back has called all, and one was quicker.
            place.waiting.push(cx.waker().clone());
            Poll::Pending
        }))
    }

    /// Cancels all tasks and shuts the driver down.
    ///
    /// # Panics
    /// When a thread is in `block_on`: whoever owns the runtime may close it, and lends it to none.
    pub fn close(&self) {
        let scope = Scope::enter(self).expect("a runtime that is closed is lent to nobody");
        self.0.tasks.close_and_cancel_all();
        scope.desk().drop_queued();
        self.0.inject.close();
        let mut wakes = WakeList::new();
        self.0.driver.shut_down(&mut wakes);
        wakes.wake_quietly();
    }

    /// The driver's shared half.
    pub fn driver(&self) -> &yamanote_driver::Handle {
        &self.0.driver
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// What the one worker counts.
    pub fn metrics(&self) -> &WorkerMetrics {
        &self.0.metrics
    }

    /// The inject queue.
    pub fn inject(&self) -> &Inject {
        &self.0.inject
    }

    /// The live tasks.
    pub fn tasks(&self) -> &TaskList<Local> {
        &self.0.tasks
    }

    /// Whether both are the same scheduler.
    pub fn is(&self, other: &Local) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether the current thread runs this scheduler now.
    pub fn is_current(&self) -> bool {
        self.0.is_here()
    }

    /// Whether the current thread runs this scheduler now; if so, its budget was spent.
    pub fn note_forced_yield(&self) -> bool {
        let is_here = self.is_current();
        if is_here {
            self.0.metrics.forced_yields.add(1);
        }
        is_here
    }

    #[inline(always)]
    fn push(&self, task: Runnable, yielded: bool) {
        self.stamp(&task);
        with_desk(self, |desk| match desk {
            Some(desk) => desk.push(task, yielded),
            None => self.inject_from_outside(task),
        });
    }

    #[inline(always)]
    fn stamp(&self, task: &Runnable) {
        if self.0.watched {
            metrics::stamp(task, &self.0.config, self.0.driver.clock());
        }
    }

    #[cold]
    fn inject_from_outside(&self, task: Runnable) {
        // Once it is in the queue it may run, and end, and be the last to keep the scheduler.
        let kept = self.clone();
        kept.0.inject.push(task);
        kept.0.driver.unpark(0);
    }
}

impl Desk {
    // Always: as `schedule`, of which it is the rest.
    #[inline(always)]
    fn push(&self, task: Runnable, yielded: bool) {
        match yielded {
            true => self.kit.yielded.push(task),
            false => self.kit.queue.push(task),
        }
        self.local.0.metrics.local_schedules.add(1);
    }

    /// Polls tasks until a turn of the driver was due; sleeps in the driver if there is none, and
    /// looks what happened if whoever is left has yielded.
    fn run_some(&self, asked: &Asked<'_>) {
        let parts = &*self.local.0;
        self.kit.end_yields();
        // That of the main future, which is no task.
        budget::take_way_given();
        self.turn_if_asked(asked);
        // Bounded: a turn is due once in `event_interval` polls.
        loop {
            let Some(task) = self.next_task() else {
                // Relaxed: the swap in run() is what takes the wake.
                if self.kit.yielded.is_empty() && !parts.woken.load(Ordering::Relaxed) {
                    self.assert_not_failed();
                    self.sleep();
                } else if self.kit.looks.take(asked.registered_count()) {
                    self.look_between_yields();
                }
                return;
            };
            if self.count_poll() {
                return parts.metrics.run(task, parts.driver.clock());
            }
            parts.metrics.run(task, parts.driver.clock());
        }
    }

    /// # Panics
    /// When a task has panicked and the policy is to shut down; no other task is left then.
    #[inline]
    fn assert_not_failed(&self) {
        // Relaxed: set on this thread, or by a task whose waker has been called.
        if self.local.0.failed.load(Ordering::Relaxed) {
            self.end_failed();
        }
    }

    /// Has the next poll look whether a task has failed.
    fn note_failed(&self) {
        self.kit.until_turn.hasten();
    }

    #[cold]
    fn end_failed(&self) -> ! {
        self.local.0.tasks.close_and_cancel_all();
        self.drop_queued();
        panic!("{UNHANDLED_PANIC}");
    }

    /// Counts a poll that is about to begin, and turns the driver once in `event_interval` polls;
    /// whether it did.
    ///
    /// # Panics
    /// As [`assert_not_failed`](Self::assert_not_failed).
    #[inline]
    fn count_poll(&self) -> bool {
        let is_due = self.kit.until_turn.is_over();
        if is_due {
            self.turn_when_due();
        }
        is_due
    }

    #[cold]
    fn turn_when_due(&self) {
        self.assert_not_failed();
        self.turn(Some(Duration::ZERO));
    }

    /// Turns the driver if somebody has asked for it, who yields until then.
    #[inline]
    fn turn_if_asked(&self, asked: &Asked<'_>) {
        if asked.take() {
            self.turn(Some(Duration::ZERO));
        }
    }

    #[cold]
    fn look_between_yields(&self) {
        match self.local.0.driver.has_work(0) {
            true => drop(self.turn(Some(Duration::ZERO))),
            false => self.kit.looks.end(),
        }
    }

    #[inline]
    fn next_task(&self) -> Option<Runnable> {
        let Kit {
            queue,
            until_inject,
            ..
        } = &self.kit;
        match until_inject.is_over() {
            true => self.injected().or_else(|| queue.pop()),
            false => queue.pop().or_else(|| self.injected()),
        }
    }

    #[inline]
    fn injected(&self) -> Option<Runnable> {
        let parts = &self.local.0;
        // Bounded by the tasks that are in this thread's queue already.
        loop {
            let task = parts.inject.pop()?;
            // SAFETY: the inject queue has tasks of this scheduler.
            if let Some(task) = unsafe { task.recall::<Local>() } {
                // It will be polled, and was not in the queue.
                parts.metrics.detours.add(1_u64.wrapping_neg());
                return Some(task);
            }
        }
    }

    /// Drops what is queued, after the list was closed: so nothing new is.
    fn drop_queued(&self) {
        self.kit.end_yields();
        while let Some(task) = self.kit.queue.pop() {
            self.local.0.metrics.detours.add(1);
            drop(task);
        }
    }

    fn sleep(&self) {
        let parts = &self.local.0;
        Hooks::call(parts.config.hooks.before_park.as_ref());
        // The hook may have woken something on this very thread, which unparks nobody.
        // Relaxed: see run_some().
        let limit =
            (!self.kit.is_idle() || parts.woken.load(Ordering::Relaxed)).then_some(Duration::ZERO);
        self.kit.forget_burst();
        parts.metrics.note_park(parts.driver.clock());
        let read = self.turn(limit);
        self.kit.until_turn.restart();
        self.kit.looks.restart();
        parts.metrics.note_unpark(parts.driver.clock(), read);
        Hooks::call(parts.config.hooks.after_unpark.as_ref());
    }

    /// Looks what happened, for at most `limit`; returns what the clock showed, if it was read.
    #[inline(never)]
    fn turn(&self, limit: Option<Duration>) -> Option<Duration> {
        let mut wakes = WakeList::new();
        let turned = self.kit.driver.borrow_mut().turn(limit, &mut wakes);
        if !wakes.is_empty() {
            self.kit.looks.restart();
            wakes.wake_quietly();
        }
        turned.now
    }
}

impl Wake for LocalParts {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: pairs with the Acquire in run().
        if !self.woken.swap(true, Ordering::Release) && !self.is_here() {
            self.driver.unpark(0);
        }
    }
}

// SAFETY: `push` gives the task to the desk of the current thread, which keeps the scheduler, or
// makes a clone before. `is_here` is true on the thread with the kit, which a lock hands on, and
// the desk stays until a `Scope` ends; runnables are run by whoever has it, and `close` gets it
// before the list and the queues are closed: tasks that come to the inject queue later are new.
unsafe impl Schedule for Local {
    const WAKERS: Wakers = Wakers::Here(&WAKERS);

    #[inline]
    fn is_here(&self) -> bool {
        self.0.is_here()
    }

    // Always: a wake looks once whether it is here, and leaves the scheduler where it is.
    #[inline(always)]
    fn schedule(&self, task: Runnable) {
        self.push(task, false);
    }

    #[inline(always)]
    unsafe fn schedule_here(&self, task: Runnable) {
        self.stamp(&task);
        // SAFETY: so there is a desk, which stays, as in `with_desk`.
        unsafe { &*HERE.get().desk }.push(task, false);
    }

    #[inline]
    fn reschedule(&self, task: Runnable) {
        self.push(task, budget::take_way_given());
    }

    #[inline]
    fn is_watched(&self) -> bool {
        self.0.watched
    }

    #[inline]
    fn enter(&self, task: &TaskRef) -> bool {
        with_desk(self, |desk| self.0.tasks.enter(shard(desk), task))
    }

    #[inline(always)]
    fn release(&self, task: &TaskRef) -> bool {
        with_desk(self, |desk| self.0.tasks.leave(shard(desk), task))
    }

    #[inline]
    fn with_cells<R>(&self, f: impl FnOnce(Option<&RestingCells<Self>>) -> R) -> R {
        with_desk(self, |desk| f(desk.map(|desk| &desk.cells)))
    }

    fn unhandled_panic(&self) {
        if self.0.config.unhandled_panic == UnhandledPanic::ShutdownRuntime {
            // Relaxed: looked at on this thread before the next task.
            self.0.failed.store(true, Ordering::Relaxed);
            with_desk(self, |desk| desk.into_iter().for_each(Desk::note_failed));
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

impl LocalParts {
    /// Whether the scheduler runs on the current thread.
    #[inline]
    fn is_here(&self) -> bool {
        ptr::eq(HERE.get().scheduler, self)
    }
}

/// Calls `f` with the current thread's desk, if `local` runs there.
// Always: what it calls is most often shorter than a call.
#[inline(always)]
fn with_desk<R>(local: &Local, f: impl FnOnce(Option<&Desk>) -> R) -> R {
    let desk = local.0.is_here().then(|| HERE.get().desk);
    // SAFETY: a `Scope` on this thread's stack keeps the desk, and takes it away from here before
    // it lets it go; it lies below this call.
    f(desk.map(|desk| unsafe { &*desk }))
}

/// The shard of the list that the thread at `desk` has to itself.
#[inline]
fn shard(desk: Option<&Desk>) -> Option<usize> {
    desk.map(|_| 0)
}

/// What the thread at `desk` has to itself.
#[inline]
fn own(desk: Option<&Desk>) -> Own<'_, Local> {
    Own {
        shard: shard(desk),
        cells: desk.map(|desk| &desk.cells),
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}
