//! How a runtime is made: [`Builder`].

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use yamanote_base::rng::{RngSeed, SeedSource};
use yamanote_driver::clock::Clock;
use yamanote_driver::op::direct::FileRoute;
use yamanote_driver::timer::Timer;
use yamanote_pool::{Pool, Rejected, ThreadHook};
use yamanote_sched::config::{Config, Hooks, TaskCallback, UnhandledPanic};
use yamanote_sched::local::Local;
use yamanote_sched::multi::Multi;
use yamanote_task::TaskMeta;

use crate::blocking;
use crate::handle::{Handle, HandleParts, Id, Scheduler};
use crate::local_runtime::{LocalOptions, LocalRuntime};
use crate::rt::Runtime;

/// Task polls between two looks at the driver, unless told otherwise.
const EVENT_INTERVAL: u32 = 61;
/// Task polls between two looks at the inject queue first, unless told otherwise.
const INJECT_INTERVAL: u32 = 31;
/// Threads for work that blocks, unless told otherwise.
const BLOCKING_THREADS_MAX: usize = 512;
/// How long a thread of the pool stays when there is nothing to do, unless told otherwise.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// I/O events taken in one turn of the driver, unless told otherwise.
const EVENTS_MAX: usize = 1024;
/// The environment variable that sets the number of workers.
const WORKERS_VARIABLE: &str = "TOKIO_WORKER_THREADS";
/// The environment variable that sets the way of operations on files.
const FILE_ROUTE_VARIABLE: &str = "YAMANOTE_FILE_ROUTE";

/// Makes runtimes.
///
/// Without [`enable_io`](Self::enable_io) and [`enable_time`](Self::enable_time) a runtime has
/// neither sockets nor timers.
pub struct Builder {
    flavor: Flavor,
    name: Option<String>,
    io: bool,
    time: bool,
    start_paused: bool,
    events_max: usize,
    workers: Option<usize>,
    blocking_threads_max: usize,
    thread_name: Arc<dyn Fn() -> String + Send + Sync>,
    stack_size: Option<usize>,
    keep_alive: Option<Duration>,
    on_thread_start: Option<ThreadHook>,
    on_thread_stop: Option<ThreadHook>,
    hooks: Hooks,
    event_interval: u32,
    inject_interval: Option<u32>,
    disable_lifo_slot: bool,
    unhandled_panic: UnhandledPanic,
    seed: Option<RngSeed>,
    file_route: Option<FileRoute>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavor {
    CurrentThread,
    MultiThread,
    Sim,
}

impl Builder {
    /// Makes runtimes that run their tasks on the thread in `block_on`.
    #[must_use]
    pub fn new_current_thread() -> Builder {
        Builder::new(Flavor::CurrentThread)
    }

    /// Makes runtimes that run their tasks on several threads.
    #[must_use]
    pub fn new_multi_thread() -> Builder {
        Builder::new(Flavor::MultiThread)
    }

    /// Makes runtimes that run in a simulated world of one host: virtual time, simulated
    /// sockets, and every choice drawn from `seed`. See [`crate::sim`].
    #[must_use]
    pub fn sim(seed: u64) -> Builder {
        let mut builder = Builder::new(Flavor::Sim);
        builder.seed = Some(RngSeed::from_u64(seed));
        builder
    }

    fn new(flavor: Flavor) -> Builder {
        Builder {
            flavor,
            name: None,
            io: false,
            time: false,
            start_paused: false,
            events_max: EVENTS_MAX,
            workers: None,
            blocking_threads_max: BLOCKING_THREADS_MAX,
            thread_name: Arc::new(|| "tokio-rt-worker".to_owned()),
            stack_size: None,
            keep_alive: None,
            on_thread_start: None,
            on_thread_stop: None,
            hooks: Hooks::default(),
            event_interval: EVENT_INTERVAL,
            inject_interval: None,
            disable_lifo_slot: false,
            unhandled_panic: UnhandledPanic::Ignore,
            seed: None,
            file_route: None,
        }
    }

    /// Enables sockets and timers.
    pub fn enable_all(&mut self) -> &mut Self {
        self.enable_io().enable_time()
    }

    /// Enables sockets, signals and child processes.
    pub fn enable_io(&mut self) -> &mut Self {
        self.io = true;
        self
    }

    /// Enables timers.
    pub fn enable_time(&mut self) -> &mut Self {
        self.time = true;
        self
    }

    /// Whether the clock stands still from the start; for current-thread runtimes.
    pub fn start_paused(&mut self, start_paused: bool) -> &mut Self {
        self.start_paused = start_paused;
        self
    }

    /// The most I/O events that one turn of the driver takes; 1024 unless set.
    ///
    /// # Panics
    /// When `capacity` is 0.
    #[track_caller]
    pub fn max_io_events_per_tick(&mut self, capacity: usize) -> &mut Self {
        assert!(capacity > 0, "max_io_events_per_tick must be non-zero");
        self.events_max = capacity;
        self
    }

    /// The most I/O events that one turn takes while tasks wait to run.
    ///
    /// # Panics
    /// When `capacity` is 0.
    #[track_caller]
    pub fn max_io_events_per_busy_tick(&mut self, capacity: usize) -> &mut Self {
        assert!(capacity > 0, "max_io_events_per_busy_tick must be non-zero");
        self.events_max = self.events_max.min(capacity);
        self
    }

    /// How many workers a multi-thread runtime has; one a core unless set here or by the
    /// environment variable `TOKIO_WORKER_THREADS`.
    ///
    /// # Panics
    /// When `workers` is 0.
    #[track_caller]
    pub fn worker_threads(&mut self, workers: usize) -> &mut Self {
        assert!(workers > 0, "Worker threads cannot be set to 0");
        self.workers = Some(workers);
        self
    }

    /// The most threads for work that blocks; 512 unless set.
    ///
    /// # Panics
    /// When `threads` is 0.
    #[track_caller]
    pub fn max_blocking_threads(&mut self, threads: usize) -> &mut Self {
        assert!(threads > 0, "Max blocking threads cannot be set to 0");
        self.blocking_threads_max = threads;
        self
    }

    /// The name of all threads; `tokio-rt-worker` unless set.
    pub fn thread_name(&mut self, name: impl Into<String>) -> &mut Self {
        let name = name.into();
        self.thread_name_fn(move || name.clone())
    }

    /// Makes the name of the next thread.
    pub fn thread_name_fn<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() -> String + Send + Sync + 'static,
    {
        self.thread_name = Arc::new(f);
        self
    }

    /// The name of the runtime.
    ///
    /// # Panics
    /// When `name` is empty.
    #[track_caller]
    pub fn name(&mut self, name: impl Into<String>) -> &mut Self {
        let name = name.into();
        assert!(!name.trim().is_empty(), "runtime name shouldn't be empty");
        self.name = Some(name);
        self
    }

    /// The stack of each thread, in bytes; the platform's usual size unless set.
    pub fn thread_stack_size(&mut self, bytes: usize) -> &mut Self {
        self.stack_size = Some(bytes);
        self
    }

    /// How long a thread for work that blocks stays when there is none; 10 seconds unless set.
    pub fn thread_keep_alive(&mut self, duration: Duration) -> &mut Self {
        self.keep_alive = Some(duration);
        self
    }

    /// Called by each thread of the runtime when it begins.
    pub fn on_thread_start<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.on_thread_start = Some(Arc::new(f));
        self
    }

    /// Called by each thread of the runtime when it ends.
    pub fn on_thread_stop<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.on_thread_stop = Some(Arc::new(f));
        self
    }

    /// Called by a worker before it goes to sleep.
    pub fn on_thread_park<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.hooks.before_park = Some(Arc::new(f));
        self
    }

    /// Called by a worker after it has woken up.
    pub fn on_thread_unpark<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.hooks.after_unpark = Some(Arc::new(f));
        self
    }

    /// Called after each spawn, before the task's first poll.
    pub fn on_task_spawn<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.on_task_spawn = task_callback(f);
        self
    }

    /// Called before each poll of a task.
    pub fn on_before_task_poll<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.before_poll = task_callback(f);
        self
    }

    /// Called after each poll of a task.
    pub fn on_after_task_poll<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.after_poll = task_callback(f);
        self
    }

    /// Called when a task has ended.
    pub fn on_task_terminate<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn(&TaskMeta<'_>) + Send + Sync + 'static,
    {
        self.hooks.on_task_terminate = task_callback(f);
        self
    }

    /// Task polls between two looks at the driver; 61 unless set.
    ///
    /// # Panics
    /// When `polls` is 0.
    #[track_caller]
    pub fn event_interval(&mut self, polls: u32) -> &mut Self {
        assert!(polls > 0, "event_interval must be greater than 0");
        self.event_interval = polls;
        self
    }

    /// Task polls between two looks at the queue for tasks from outside; 31 unless set.
    ///
    /// # Panics
    /// When `polls` is 0.
    #[track_caller]
    pub fn global_queue_interval(&mut self, polls: u32) -> &mut Self {
        assert!(polls > 0, "global_queue_interval must be greater than 0");
        self.inject_interval = Some(polls);
        self
    }

    /// Leaves out the slot for the task that runs next: all tasks run first come, first served.
    pub fn disable_lifo_slot(&mut self) -> &mut Self {
        self.disable_lifo_slot = true;
        self
    }

    /// What happens when a task panics.
    pub fn unhandled_panic(&mut self, behavior: UnhandledPanic) -> &mut Self {
        self.unhandled_panic = behavior;
        self
    }

    /// Where the runtime's own random choices begin (`select!`, stealing).
    pub fn rng_seed(&mut self, seed: RngSeed) -> &mut Self {
        self.seed = Some(seed);
        self
    }

    /// Which way operations on files go. The results are the same on each; tests force one.
    ///
    /// The fastest is chosen unless set here or by the environment variable
    /// `YAMANOTE_FILE_ROUTE` (`fastest`, `pool`).
    pub fn file_route(&mut self, route: FileRoute) -> &mut Self {
        self.file_route = Some(route);
        self
    }

    /// Makes the runtime.
    ///
    /// # Errors
    /// When the system denies a thread or a descriptor.
    ///
    /// # Panics
    /// When the clock is to be paused on a multi-thread runtime.
    #[track_caller]
    pub fn build(&mut self) -> io::Result<Runtime> {
        match self.flavor {
            Flavor::CurrentThread => self.build_local_handle(false),
            Flavor::MultiThread => self.build_multi_handle(),
            Flavor::Sim => self.build_sim_handle(),
        }
        .map(Runtime::from_handle)
    }

    /// Makes a runtime that stays on this thread and takes tasks that are not `Send`.
    ///
    /// # Errors
    /// When the system denies a descriptor.
    ///
    /// # Panics
    /// When the builder is for multi-thread runtimes.
    #[track_caller]
    pub fn build_local(&mut self, _options: LocalOptions) -> io::Result<LocalRuntime> {
        assert!(
            self.flavor == Flavor::CurrentThread,
            "Only current_thread is supported when building a local runtime"
        );
        let handle = self.build_local_handle(true)?;
        Ok(LocalRuntime::from_runtime(Runtime::from_handle(handle)))
    }

    fn build_local_handle(&self, local: bool) -> io::Result<Handle> {
        let pool = self.pool(0);
        let clock = if self.start_paused {
            Clock::paused()
        } else {
            Clock::system(true)
        };
        let (mut drivers, driver) = self.drivers(1, clock, &pool)?;
        let only = drivers.pop().expect("one driver was asked for");
        let scheduler = Scheduler::Local(Local::new(self.config(), only, driver));
        let local_thread = local.then(|| thread::current().id());
        Ok(self.handle(scheduler, pool, local_thread))
    }

    #[track_caller]
    fn build_multi_handle(&self) -> io::Result<Handle> {
        assert!(
            !self.start_paused,
            "`start_paused` requires the current-thread runtime: the clock of several threads \
             cannot stand still"
        );
        let count = self.workers.unwrap_or_else(default_workers);
        let pool = self.pool(count);
        let (drivers, driver) = self.drivers(count, Clock::system(false), &pool)?;
        let (multi, workers) = Multi::new(self.config(), drivers, driver)?;
        let handle = self.handle(Scheduler::Multi(multi.clone()), pool, None);
        for worker in workers {
            if let Err(Rejected::NoThread(error)) = blocking::run_worker(&handle, worker) {
                multi.close();
                return Err(error);
            }
        }
        Ok(handle)
    }

    fn build_sim_handle(&self) -> io::Result<Handle> {
        let pool = self.pool(0);
        let seed = self.seed.clone().unwrap_or_else(RngSeed::random);
        let host = crate::sim::single_host(seed.as_u64(), self.config(), &pool)?;
        Ok(self.handle(Scheduler::Sim(host), pool, None))
    }

    fn handle(
        &self,
        scheduler: Scheduler,
        pool: Pool,
        local_thread: Option<thread::ThreadId>,
    ) -> Handle {
        yamanote_base::hooks::set_sleep(sleep);
        let (id, name) = (Id::next(), self.name.clone());
        Handle::new(HandleParts {
            id,
            name,
            scheduler,
            pool,
            local_thread,
        })
    }

    fn drivers(
        &self,
        shards: usize,
        clock: Clock,
        pool: &Pool,
    ) -> io::Result<(Vec<yamanote_driver::Driver>, yamanote_driver::Handle)> {
        yamanote_driver::new(yamanote_driver::Config {
            shards,
            io: self.io,
            time: self.time,
            events_max: self.events_max,
            clock,
            file_route: self.file_route.unwrap_or_else(default_file_route),
            ..yamanote_driver::Config::new(pool.clone())
        })
    }

    fn pool(&self, workers: usize) -> Pool {
        Pool::new(yamanote_pool::Config {
            threads_max: self.blocking_threads_max.saturating_add(workers),
            keep_alive: self.keep_alive.unwrap_or(KEEP_ALIVE),
            name: self.thread_name.clone(),
            stack_size: self.stack_size,
            on_start: self.on_thread_start.clone(),
            on_stop: self.on_thread_stop.clone(),
        })
    }

    fn config(&self) -> Config {
        let seed = self.seed.clone().unwrap_or_else(RngSeed::random);
        Config {
            event_interval: self.event_interval,
            inject_interval: self.inject_interval.unwrap_or(INJECT_INTERVAL),
            disable_lifo_slot: self.disable_lifo_slot,
            unhandled_panic: self.unhandled_panic,
            seeds: SeedSource::new(&seed),
            hooks: self.hooks.clone(),
        }
    }
}

fn task_callback(f: impl Fn(&TaskMeta<'_>) + Send + Sync + 'static) -> Option<TaskCallback> {
    Some(Arc::new(f))
}

/// What lower layers sleep with: see [`yamanote_base::hooks`].
#[track_caller]
fn sleep(duration: Duration) -> yamanote_base::hooks::Sleep {
    let handle = yamanote_driver::context::current_time();
    let mut timer = Timer::after(handle, duration);
    Box::pin(std::future::poll_fn(move |cx| timer.poll_elapsed(cx)))
}

/// The fastest, unless the environment names another.
fn default_file_route() -> FileRoute {
    match std::env::var(FILE_ROUTE_VARIABLE).as_deref() {
        Ok("pool") => FileRoute::Pool,
        _ => FileRoute::Fastest,
    }
}

/// One worker a core, or what the environment says.
#[track_caller]
fn default_workers() -> usize {
    match std::env::var(WORKERS_VARIABLE) {
        Ok(value) => {
            let workers = value.parse::<usize>().unwrap_or_else(|error| {
                panic!("\"{WORKERS_VARIABLE}\" must be usize, error: {error}, value: {value}")
            });
            assert!(workers > 0, "\"{WORKERS_VARIABLE}\" cannot be set to 0");
            workers
        }
        Err(std::env::VarError::NotPresent) => {
            thread::available_parallelism().map_or(1, usize::from)
        }
        Err(std::env::VarError::NotUnicode(value)) => {
            panic!("\"{WORKERS_VARIABLE}\" must be valid unicode, error: {value:?}")
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("flavor", &self.flavor)
            .field("name", &self.name)
            .field("worker_threads", &self.workers)
            .field("max_blocking_threads", &self.blocking_threads_max)
            .field("event_interval", &self.event_interval)
            .finish_non_exhaustive()
    }
}
