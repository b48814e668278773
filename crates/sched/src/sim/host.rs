//! One host as the scheduler sees it: its tasks, its generator, and what its tasks stand in.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use yamanote_base::atomic::plain::Ordering;
use yamanote_base::lock::Mutex;
use yamanote_base::rng::{self, Rng};
use yamanote_base::simulated::{self, SimulatedGuard};
use yamanote_base::waits::{self, Waits};
use yamanote_base::{baton, block, budget};
use yamanote_driver::context::{self, HostGuard};
use yamanote_task::{
    Id, JoinHandle, Own, Runnable, Schedule, SpawnLocation, SpawnMeta, TaskList, TaskMeta, TaskRef,
};
use yamanote_world::{Event, FaultKind, Host, HostId};

use super::blocking::{Blocking, Work};
use super::queue::Entry;
use super::{Ended, MainWaker, Sim};
use crate::config::{Hooks, UnhandledPanic};
use crate::metrics;

/// What stands for the number of a task when the future of a `block_on` is polled.
pub(super) const MAIN: u64 = u64::MAX;

/// Calls its argument in the surroundings that tasks of a host expect.
pub type Around = Arc<dyn Fn(&mut dyn FnMut()) + Send + Sync>;

/// A host that runs tasks; clones are the same one. After a restart it is another one.
#[derive(Clone)]
pub struct SimHost(Arc<HostParts>);

struct HostParts {
    sim: Sim,
    host: Host,
    tasks: TaskList<SimTask>,
    /// Where each live task was spawned, by the world's number.
    places: Mutex<BTreeMap<u64, SpawnLocation>>,
    /// What each task that is not over waited for when it was last polled, by number.
    waits: Mutex<BTreeMap<u64, Waits>>,
    /// The generator of the host's programs, while none of them runs.
    rng: Mutex<Rng>,
    /// Set by the runtime, taken away when the host ends.
    around: Mutex<Option<Around>>,
    /// While the host stands still, its tasks that would run; at most all that it has.
    held: Mutex<Option<Vec<(Runnable, u64)>>>,
}

/// The scheduler of one task: its host, and its number in the world.
#[derive(Clone)]
pub(super) struct SimTask {
    host: SimHost,
    number: u64,
}

/// The thread stands on a host until this is dropped.
struct Scope<'a> {
    host: &'a SimHost,
    rng_before: Option<Rng>,
    _sockets: HostGuard,
    _simulated: SimulatedGuard,
}

impl SimHost {
    pub(super) fn new(sim: Sim, host: Host) -> Self {
        let rng = host.application_rng();
        Self(Arc::new(HostParts {
            tasks: TaskList::new(1, sim.config().measured.stamped),
            sim,
            host,
            places: Mutex::new(BTreeMap::new()),
            waits: Mutex::new(BTreeMap::new()),
            rng: Mutex::new(rng),
            around: Mutex::new(None),
            held: Mutex::new(None),
        }))
    }

    /// The world's host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// The scheduler.
    #[must_use]
    pub fn sim(&self) -> &Sim {
        &self.0.sim
    }

    /// The driver's shared half.
    #[must_use]
    pub fn driver(&self) -> &yamanote_driver::Handle {
        self.0.sim.driver()
    }

    /// Whether both are the same host between the same starts.
    #[must_use]
    pub fn is(&self, other: &SimHost) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Live tasks of the host.
    #[must_use]
    pub fn tasks_alive(&self) -> usize {
        self.0.tasks.alive()
    }

    /// Tasks spawned on the host so far.
    #[must_use]
    pub fn tasks_spawned(&self) -> u64 {
        self.0.tasks.spawned()
    }

    /// Says in which surroundings the host's tasks are polled.
    pub fn set_around(&self, around: Around) {
        *self.0.around.lock() = Some(around);
    }

    /// Makes a task of `future` on this host.
    pub fn spawn<F>(&self, future: F, id: Id, meta: SpawnMeta<'_>) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let sim = &self.0.sim.0;
        sim.config.hooks.before_spawn(id, meta.location());
        // Relaxed: only the numbers must differ.
        let number = sim.next_task.fetch_add(1, Ordering::Relaxed);
        let place = meta.location().location();
        sim.world
            .record(Event::Spawn(self.0.host.id(), number, place));
        self.0.places.lock().insert(number, meta.location());
        let scheduler = SimTask {
            host: self.clone(),
            number,
        };
        let (runnable, join) =
            (self.0.tasks).bind(Own::nothing(), future, || scheduler.clone(), id, meta);
        match runnable {
            Some(runnable) => scheduler.schedule(runnable),
            // The host is dead.
            None => drop(self.0.places.lock().remove(&number)),
        }
        join
    }

    /// Has `work`, which may block, done by a thread that runs only while it is its turn.
    pub fn spawn_blocking(&self, work: Work, id: Id, place: SpawnLocation) {
        let work = Blocking::new(self.clone(), work, place);
        drop(self.spawn(work, id, place.into()));
    }

    /// Runs `future` to its end on this host, and all hosts meanwhile.
    ///
    /// # Panics
    /// When nothing can go on any more, and when a task panics and the policy is to shut down.
    /// On a thread of [`spawn_blocking`](Self::spawn_blocking) it waits as that does.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        if baton::current().is_some() {
            let mut future = pin!(future);
            return block::block_on_inside(std::future::poll_fn(|cx| {
                budget::with_budget(|| future.as_mut().poll(cx))
            }));
        }
        match self.0.sim.run(self, future) {
            Ok(output) => output,
            Err(Ended::Deadlock(deadlock)) => panic!("{deadlock}"),
            Err(Ended::Stopped) => panic!("the simulation was stopped"),
            Err(Ended::TimeLimit) => panic!("the simulation has reached its time limit"),
            Err(Ended::Lost(why)) => panic!("{why}"),
        }
    }

    /// Kills the host: its sockets vanish, its tasks are dropped where they wait.
    pub fn kill(&self) {
        let sim = &self.0.sim.0;
        sim.world.crash(self.0.host.id());
        let mut hosts = sim.hosts.lock();
        hosts.retain(|other| !other.is(self));
        drop(hosts);
        self.cancel_all();
    }

    /// Stops the whole simulation, all hosts.
    pub fn close(&self) {
        self.0.sim.close();
    }

    /// Stops the host where it is, until [`resume`](Self::resume).
    pub fn pause(&self) {
        let mut held = self.0.held.lock();
        if held.is_none() {
            *held = Some(Vec::new());
            self.record_pause(Event::Fault);
        }
    }

    /// Lets the host go on.
    pub fn resume(&self) {
        let Some(held) = self.0.held.lock().take() else {
            return;
        };
        self.record_pause(Event::FaultEnd);
        for (task, number) in held {
            let host = self.clone();
            self.0.sim.push(Entry::Task { task, host, number });
        }
    }

    fn record_pause(&self, event: fn(FaultKind, HostId, HostId) -> Event) {
        let id = self.0.host.id();
        self.0.sim.world().record(event(FaultKind::Pause, id, id));
    }

    pub(super) fn cancel_all(&self) {
        let mut held = self.0.held.lock().take();
        if held.is_some() {
            self.record_pause(Event::FaultEnd);
        }
        self.within(&mut || {
            self.0.tasks.close_and_cancel_all();
            // Dropped outside of the locks: it cancels the tasks.
            let queued = self.0.sim.0.queue.lock().take_of(self);
            drop((queued, held.take()));
        });
        // Dropped outside of the lock: it may hold the last handle of a runtime.
        let around = self.0.around.lock().take();
        drop(around);
    }

    /// Where the live tasks were spawned, by number.
    pub(super) fn places(&self) -> BTreeMap<u64, SpawnLocation> {
        self.0.places.lock().clone()
    }

    /// Polls a task of this host.
    pub(super) fn poll_task(&self, task: Runnable, number: u64) {
        if let Some(held) = &mut *self.0.held.lock() {
            return held.push((task, number));
        }
        self.0
            .sim
            .world()
            .record(Event::Poll(self.0.host.id(), number));
        let mut task = Some(task);
        let sim = &self.0.sim.0;
        self.within(&mut || {
            let task = task.take().into_iter();
            waits::begin(number);
            task.for_each(|task| sim.metrics.run(task, sim.handle.clock()));
        });
        self.keep_waits(number);
    }

    /// Keeps what the poll that is over has waited for.
    fn keep_waits(&self, number: u64) {
        let found = waits::end();
        match found[0] {
            Some(_) => self.0.waits.lock().insert(number, found),
            None => self.0.waits.lock().remove(&number),
        };
    }

    /// What a task, or the future of a `block_on`, waits for.
    pub(super) fn waits_of(&self, number: u64) -> Option<Waits> {
        self.0.waits.lock().get(&number).copied()
    }

    /// Polls the future of a `block_on` on this host.
    pub(super) fn poll_main<F: Future>(
        &self,
        mut future: Pin<&mut F>,
        main: Arc<MainWaker>,
    ) -> Poll<F::Output> {
        self.0
            .sim
            .world()
            .record(Event::Poll(self.0.host.id(), MAIN));
        main.begin_poll();
        let waker = Waker::from(main);
        let mut polled = Poll::Pending;
        self.within(&mut || {
            let mut cx = Context::from_waker(&waker);
            waits::begin(MAIN);
            polled = budget::with_budget(|| future.as_mut().poll(&mut cx));
        });
        self.keep_waits(MAIN);
        polled
    }

    /// Calls `f` on this host: its sockets, its randomness, its surroundings.
    pub(super) fn within(&self, f: &mut dyn FnMut()) {
        let _scope = Scope::enter(self);
        let around = self.0.around.lock().clone();
        match around {
            Some(around) => around(f),
            None => f(),
        }
    }
}

impl<'a> Scope<'a> {
    fn enter(host: &'a SimHost) -> Self {
        let sockets = context::enter_host(host.0.host.clone());
        let rng = host.0.rng.lock().clone();
        Self {
            host,
            rng_before: rng::replace_thread_rng(Some(rng)),
            _sockets: sockets,
            _simulated: simulated::enter(),
        }
    }
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        if let Some(rng) = rng::replace_thread_rng(self.rng_before.take()) {
            *self.host.0.rng.lock() = rng;
        }
    }
}

impl SimTask {
    fn hooks(&self) -> &Hooks {
        &self.host.0.sim.config().hooks
    }
}

// SAFETY: the host, and what belongs to it, is kept by a clone.
unsafe impl Schedule for SimTask {
    fn schedule(&self, task: Runnable) {
        let (host, number) = (self.host.clone(), self.number);
        let sim = &host.0.sim;
        metrics::stamp(&task, &sim.0.config, sim.0.handle.clock());
        sim.0.world.record(Event::Wake(host.0.host.id(), number));
        sim.push(Entry::Task {
            task,
            host: host.clone(),
            number,
        });
    }

    fn enter(&self, task: &TaskRef) -> bool {
        self.host.0.tasks.enter(None, task)
    }

    fn release(&self, task: &TaskRef) -> bool {
        self.host.0.tasks.leave(None, task)
    }

    fn unhandled_panic(&self) {
        let sim = &self.host.0.sim.0;
        if sim.config.unhandled_panic == UnhandledPanic::ShutdownRuntime {
            // Relaxed: looked at on this thread before the next task.
            sim.failed.store(true, Ordering::Relaxed);
        }
    }

    fn before_poll<'a>(&self, meta: impl FnOnce() -> TaskMeta<'a>) {
        Hooks::call_task(self.hooks().before_poll.as_ref(), meta);
    }

    fn after_poll<'a>(&self, meta: impl FnOnce() -> TaskMeta<'a>) {
        Hooks::call_task(self.hooks().after_poll.as_ref(), meta);
    }

    fn on_terminate<'a>(&self, meta: impl FnOnce() -> TaskMeta<'a>) {
        self.host.0.waits.lock().remove(&self.number);
        self.host.0.places.lock().remove(&self.number);
        let world = &self.host.0.sim.0.world;
        world.record(Event::Finish(self.host.0.host.id(), self.number));
        Hooks::call_task(self.hooks().on_task_terminate.as_ref(), meta);
    }
}

impl fmt::Debug for SimHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimHost")
            .field("host", &self.0.host)
            .finish_non_exhaustive()
    }
}
