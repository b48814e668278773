//! The scheduler of a simulated world: one thread, many hosts, the order drawn from the seed.
//!
//! ```text
//!   wakers, spawns ──▶ RunQueue ──(choice from the schedule stream)──▶ one poll
//!        ▲                                                               │ +1 us
//!        └── Driver::turn: the clock jumps to the next timer or event ◀── nothing runnable
//! ```
//!
//! When nothing is runnable and nothing is to come, no task will ever go on: [`Deadlock`].
//! Work that blocks has a thread that runs only while its task is polled ([`blocking`]). Other
//! threads are not simulated: a wake from one counts, but the world waits for it only where there
//! may be such threads, when nothing else is left, and not for long.

pub mod blocking;
pub mod deadlock;
pub mod host;
mod priorities;
mod queue;

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, Wake};
use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicBool, AtomicU64, Ordering};
use yamanote_base::baton::Seat;
use yamanote_base::lock::Mutex;
use yamanote_base::waits;
use yamanote_base::wake::WakeList;
use yamanote_driver::Driver;
use yamanote_driver::context::{self, WorkerGuard};
use yamanote_world::{Event, World};

use crate::config::{Config, Hooks, UNHANDLED_PANIC};
use crate::metrics::WorkerMetrics;
pub use deadlock::Deadlock;
pub use host::SimHost;
pub use queue::Schedule;
use queue::{Entry, RunQueue};

/// What one poll takes of virtual time: so that a task which spins does not stop the clock.
const POLL_STEP: Duration = Duration::from_micros(1);

/// How long, on the system's clock, a world in which nothing can go on waits for other threads.
/// A thread that works on something needs less; a deadlock is told so much later.
const STRANGERS_PATIENCE: Duration = Duration::from_secs(2);

/// The scheduler of a world; clones are the same one.
#[derive(Clone)]
pub struct Sim(Arc<SimParts>);

struct SimParts {
    world: World,
    config: Config,
    handle: yamanote_driver::Handle,
    /// Locked for a turn.
    driver: Mutex<Driver>,
    queue: Mutex<RunQueue>,
    /// The hosts that live, in the order of their starts.
    hosts: Mutex<Vec<SimHost>>,
    /// The number of the next task: the world's own, because task ids are the process's.
    next_task: AtomicU64,
    metrics: WorkerMetrics,
    /// Set when a task panicked and the policy is to shut down.
    failed: AtomicBool,
    /// Set when the run is to end before its future does.
    stopped: AtomicBool,
    /// Set when there may be threads that are not the world's.
    has_strangers: AtomicBool,
    /// When a run gives up, in nanoseconds of virtual time.
    deadline_ns: AtomicU64,
    /// What is called after each poll.
    watcher: Mutex<Option<Watcher>>,
    /// Threads of programs that were killed; at most all that they had.
    orphans: Mutex<Vec<Seat>>,
    /// Why the run cannot go on, if it cannot.
    lost: Mutex<Option<String>>,
}

/// Looks at the world between two polls.
pub type Watcher = Box<dyn FnMut() + Send>;

/// Why a run ended before its future did.
#[derive(Clone, Debug)]
pub enum Ended {
    /// Nothing can go on.
    Deadlock(Deadlock),
    /// [`Sim::stop`] was called.
    Stopped,
    /// The world is older than it may become.
    TimeLimit,
    /// Something waits for what is not simulated; this says what.
    Lost(String),
}

/// The waker of a future in `block_on`.
pub(crate) struct MainWaker {
    sim: Sim,
    queued: AtomicBool,
}

thread_local! {
    /// The address of the scheduler that the thread runs, or 0: its own wakes unpark nobody.
    static RUNNING: Cell<usize> = const { Cell::new(0) };
}

/// What one `block_on` needs besides its future.
struct Lap<'a> {
    sim: &'a Sim,
    /// What the thread ran before.
    outer: usize,
    _worker: WorkerGuard,
    /// Futures of outer `block_on`s that were woken meanwhile; they go on when this one ends.
    stalled: Vec<Arc<MainWaker>>,
    wakes: WakeList,
    /// The millisecond of the last turn.
    tick: u128,
}

impl Sim {
    /// The scheduler of the world that `driver` turns, and its first host: the driver's.
    ///
    /// # Panics
    /// If `driver` is one of the real system.
    #[must_use]
    pub fn new(config: Config, driver: Driver) -> (Sim, SimHost) {
        let handle = driver.handle().clone();
        let home = handle
            .host()
            .cloned()
            .expect("a simulated driver has a host");
        let sim = Sim(Arc::new(SimParts {
            metrics: WorkerMetrics::new(&config),
            world: home.world().clone(),
            config,
            handle,
            driver: Mutex::new(driver),
            queue: Mutex::new(RunQueue::default()),
            hosts: Mutex::new(Vec::new()),
            next_task: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            has_strangers: AtomicBool::new(false),
            deadline_ns: AtomicU64::new(u64::MAX),
            watcher: Mutex::new(None),
            orphans: Mutex::new(Vec::new()),
            lost: Mutex::new(None),
        }));
        waits::watch();
        let home = sim.start_host(&home.name());
        (sim, home)
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.0.world
    }

    /// The driver's shared half.
    #[must_use]
    pub fn driver(&self) -> &yamanote_driver::Handle {
        &self.0.handle
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &WorkerMetrics {
        &self.0.metrics
    }

    /// Whether both are the same scheduler.
    #[must_use]
    pub fn is(&self, other: &Sim) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Has tasks run in the order of `schedule` from now on.
    pub fn set_schedule(&self, schedule: Schedule) {
        self.0.queue.lock().set_schedule(schedule);
    }

    /// Has a run give up when the world is so old. It is no timer: a world in which nothing else
    /// is to come is deadlocked.
    pub fn set_time_limit(&self, limit: Duration) {
        let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        // Relaxed: read by the thread that runs the simulation.
        self.0.deadline_ns.store(limit, Ordering::Relaxed);
    }

    /// When a run gives up, if it does.
    #[must_use]
    pub fn time_limit(&self) -> Option<Duration> {
        // Relaxed: as where it is set.
        let limit = self.0.deadline_ns.load(Ordering::Relaxed);
        (limit != u64::MAX).then(|| Duration::from_nanos(limit))
    }

    /// An error if the world is too old.
    fn check_time(&self, now: Duration) -> Result<(), Ended> {
        match self.time_limit() {
            Some(limit) if now >= limit => Err(Ended::TimeLimit),
            _ => Ok(()),
        }
    }

    /// Has `watcher` called after each poll. It must not run anything of the simulation.
    pub fn set_watcher(&self, watcher: Watcher) {
        *self.0.watcher.lock() = Some(watcher);
    }

    /// Ends the [`run`](Self::run) that is under way, before the next poll.
    pub fn stop(&self) {
        // Relaxed: looked at on this thread before the next task.
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    /// From now on there may be threads that are not the world's: before nothing can go on, they
    /// get two seconds of real time to wake somebody.
    pub fn expect_strangers(&self) {
        // Relaxed: read by the thread that runs the simulation, which this is.
        self.0.has_strangers.store(true, Ordering::Relaxed);
    }

    /// What waits now, as a report has it.
    #[must_use]
    pub fn parked(&self) -> Deadlock {
        Deadlock::of(self)
    }

    /// Starts the host `name`, without any task; it is new, or was killed before.
    pub fn start_host(&self, name: &str) -> SimHost {
        let host = SimHost::new(self.clone(), self.0.world.add_host(name));
        let mut hosts = self.0.hosts.lock();
        self.0
            .world
            .record(Event::HostStart(host.host().id(), hosts.len() as u64));
        hosts.push(host.clone());
        host
    }

    /// Tasks that are runnable now.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        self.0.queue.lock().len()
    }

    /// Runs `future` to its end on `home`, and all hosts meanwhile.
    ///
    /// May be called by work that blocks inside the simulation; then the outer future waits.
    ///
    /// # Errors
    /// [`Ended`].
    ///
    /// # Panics
    /// When a task panics and the policy is to shut down.
    pub fn run<F: Future>(&self, home: &SimHost, future: F) -> Result<F::Output, Ended> {
        let main = Arc::new(MainWaker {
            sim: self.clone(),
            queued: AtomicBool::new(false),
        });
        let mut future = pin!(future);
        let mut lap = Lap::new(self);
        main.wake_by_ref();
        // Relaxed: as in stop().
        self.0.stopped.store(false, Ordering::Relaxed);
        loop {
            // Relaxed: set on this thread.
            if self.0.failed.load(Ordering::Relaxed) {
                self.close();
                panic!("{UNHANDLED_PANIC}");
            }
            let entry = self.0.queue.lock().choose(&self.0.world);
            let Some(entry) = entry else {
                lap.wait()?;
                continue;
            };
            let polled = if entry.is_main(&main) {
                home.poll_main(future.as_mut(), main.clone())
            } else {
                lap.run(entry);
                Poll::Pending
            };
            self.look()?;
            if let Poll::Ready(output) = polled {
                return Ok(output);
            }
            lap.step()?;
        }
    }

    /// Has the watcher look at what a poll has done; an error if the run is to end.
    fn look(&self) -> Result<(), Ended> {
        if let Some(watcher) = &mut *self.0.watcher.lock() {
            watcher();
        }
        // Relaxed: as in stop().
        if self.0.stopped.load(Ordering::Relaxed) {
            let lost = self.0.lost.lock().take();
            return Err(lost.map_or(Ended::Stopped, Ended::Lost));
        }
        Ok(())
    }

    /// Ends the run: something waits for what is not simulated.
    fn lose(&self, why: String) {
        *self.0.lost.lock() = Some(why);
        self.stop();
    }

    /// Stops everything: every task on every host is dropped, the driver is shut down.
    pub fn close(&self) {
        self.0.queue.lock().close();
        let hosts = std::mem::take(&mut *self.0.hosts.lock());
        for host in &hosts {
            host.cancel_all();
        }
        // Bounded: the queue is closed, so nothing new comes in.
        let entries = self.0.queue.lock().take_all();
        drop(entries);
        let orphans = std::mem::take(&mut *self.0.orphans.lock());
        orphans.iter().for_each(blocking::bid_farewell);
        let mut wakes = WakeList::new();
        self.0.handle.shut_down(&mut wakes);
        wakes.wake_quietly();
    }

    fn push(&self, entry: Entry) {
        let refused = self.0.queue.lock().push(entry);
        // Dropped outside of the lock: it cancels the task.
        drop(refused);
        if RUNNING.get() != self.id() {
            self.0.handle.unpark(0);
        }
    }

    fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

impl<'a> Lap<'a> {
    fn new(sim: &'a Sim) -> Self {
        let worker = context::enter_worker(&sim.0.handle, 0);
        let outer = RUNNING.replace(sim.id());
        let (stalled, wakes) = (Vec::new(), WakeList::new());
        Self {
            sim,
            outer,
            _worker: worker,
            stalled,
            wakes,
            tick: 0,
        }
    }

    /// Runs anything but this lap's own future.
    fn run(&mut self, entry: Entry) {
        match entry {
            Entry::Main(outer) => self.stalled.push(outer),
            Entry::Task { task, host, number } => {
                host.poll_task(task, number);
            }
        }
    }

    /// Lets a poll's time go by, and what is due then happen.
    fn step(&mut self) -> Result<(), Ended> {
        let (now, is_due) = self.sim.0.world.spend(POLL_STEP);
        self.sim.check_time(now)?;
        if is_due || now.as_millis() != self.tick {
            self.turn(Some(Duration::ZERO));
        }
        Ok(())
    }

    /// Nothing is runnable: goes to the next thing that happens.
    fn wait(&mut self) -> Result<(), Ended> {
        let sim = &self.sim.0;
        Hooks::call(sim.config.hooks.before_park.as_ref());
        let left = self.sim.time_limit();
        let left = left.map(|limit| limit.saturating_sub(sim.world.now()));
        // The hook may have woken something, for which nobody was unparked.
        let limit = (self.sim.queue_depth() > 0)
            .then_some(Duration::ZERO)
            .or(left);
        sim.metrics.note_park(sim.handle.clock());
        let stuck = self.turn(limit);
        sim.metrics.note_unpark(sim.handle.clock(), None);
        Hooks::call(sim.config.hooks.after_unpark.as_ref());
        if stuck && !self.await_strangers() {
            return Err(Ended::Deadlock(Deadlock::of(self.sim)));
        }
        self.sim.check_time(sim.world.now())
    }

    /// Whether a thread that is not the world's has woken somebody after all.
    fn await_strangers(&self) -> bool {
        let sim = &self.sim.0;
        // Relaxed: as in expect_strangers().
        sim.has_strangers.load(Ordering::Relaxed)
            && sim.driver.lock().await_unpark(STRANGERS_PATIENCE)
    }

    /// Turns the driver; returns whether nothing will ever happen any more.
    fn turn(&mut self, limit: Option<Duration>) -> bool {
        let sim = &self.sim.0;
        let turned = sim.driver.lock().turn(limit, &mut self.wakes);
        self.tick = sim.world.now().as_millis();
        let woken = self.wakes.len();
        self.wakes.wake_quietly();
        turned.exhausted && !turned.unparked && woken == 0
    }
}

impl Drop for Lap<'_> {
    fn drop(&mut self) {
        for outer in self.stalled.drain(..) {
            self.sim.push(Entry::Main(outer));
        }
        RUNNING.set(self.outer);
    }
}

impl MainWaker {
    /// From now on, a wake queues it again.
    fn begin_poll(&self) {
        // Relaxed: as in wake_by_ref().
        self.queued.store(false, Ordering::Relaxed);
    }
}

impl Wake for MainWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Relaxed: the queue's lock orders what the wake is about.
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.sim.push(Entry::Main(self.clone()));
        }
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim")
            .field("world", &self.0.world)
            .finish_non_exhaustive()
    }
}
