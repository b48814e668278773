//! How a runtime is made: [`Builder`].
//!
//! Its options stand by topic: here those of the whole runtime, then its `threads`, its
//! `tasks`, and what it `measure`s.

mod measure;
mod tasks;
mod threads;

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use yamanote_base::atomic::plain::AtomicU64;
use yamanote_base::rng::{RngSeed, SeedSource};
use yamanote_driver::clock::Clock;
use yamanote_driver::op::FileRoute;
use yamanote_driver::timer::Timer;
use yamanote_pool::{Pool, Rejected, ThreadHook};
use yamanote_sched::config::{Config, Hooks, UnhandledPanic};
use yamanote_sched::local::Local;
use yamanote_sched::multi::Multi;
use yamanote_world::World;

use crate::handle::{Handle, HandleParts, Id, Scheduler, WeakHandle};
use crate::local_runtime::{LocalOptions, LocalRuntime};
use crate::rt::Runtime;
use crate::{blocking, context};
use measure::Measures;
use threads::default_workers;

/// Task polls between two looks at the driver, unless told otherwise.
const EVENT_INTERVAL: u32 = 61;
/// Threads for work that blocks, unless told otherwise.
const BLOCKING_THREADS_MAX: usize = 512;
/// How long a thread of the pool stays when there is nothing to do, unless told otherwise.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// I/O events taken in one turn of the driver, unless told otherwise.
const EVENTS_MAX: usize = 1024;
/// As many where a worker has slept beside others: what is left is theirs, at once. Who took all
/// that a thousand connections have to say would have it in a queue, from which others must steal.
const EVENTS_SHARED_MAX: usize = 16;
/// The environment variable that sets the way of operations on files.
const FILE_ROUTE_VARIABLE: &str = "YAMANOTE_FILES";

/// Makes runtimes.
///
/// Without [`enable_io`](Self::enable_io) and [`enable_time`](Self::enable_time) a runtime has
/// neither sockets nor timers.
///
/// ```
/// use tokio::runtime::Builder;
///
/// // One for requests, one for heavy work, told apart by their threads' names.
/// let requests = Builder::new_multi_thread()
///     .worker_threads(2)
///     .thread_name("requests")
///     .enable_all()
///     .build()
///     .unwrap();
/// let heavy = Builder::new_multi_thread()
///     .worker_threads(1)
///     .thread_name("heavy")
///     .build()
///     .unwrap();
/// let sum = heavy.spawn(async { (1..=1000).sum::<u64>() });
/// assert_eq!(requests.block_on(sum).unwrap(), 500_500);
/// ```
pub struct Builder {
    flavor: Flavor,
    name: Option<String>,
    io: bool,
    time: bool,
    /// See [`enable_alt_timer`](Self::enable_alt_timer).
    alt_timer: bool,
    start_paused: bool,
    events_max: Option<usize>,
    events_busy_max: Option<usize>,
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
    /// The world of a simulation; a new one unless it is given.
    world: Option<World>,
    measures: Measures,
    file_route: Option<FileRoute>,
    spin: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavor {
    CurrentThread,
    MultiThread,
    Sim,
}

impl Builder {
    /// Makes runtimes that run their tasks on the thread in `block_on`, and only while there is
    /// one.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// let here = std::thread::current().id();
    /// let task = runtime.spawn(async { std::thread::current().id() });
    /// assert!(!task.is_finished());
    /// assert_eq!(runtime.block_on(task).unwrap(), here);
    /// ```
    #[must_use]
    pub fn new_current_thread() -> Builder {
        Builder::new(Flavor::CurrentThread)
    }

    /// Makes runtimes that run their tasks on several threads, which share the work.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// // It runs though nobody is in `block_on`.
    /// runtime.spawn(async move { tx.send("on my way") });
    /// assert_eq!(rx.recv().unwrap(), "on my way");
    /// ```
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

    /// [`sim`](Self::sim) in a world that there is.
    pub(crate) fn sim_in(world: World) -> Builder {
        let mut builder = Builder::sim(world.seed());
        builder.world = Some(world);
        builder
    }

    fn new(flavor: Flavor) -> Builder {
        Builder {
            flavor,
            name: None,
            io: false,
            time: false,
            alt_timer: false,
            start_paused: false,
            events_max: None,
            events_busy_max: None,
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
            world: None,
            measures: Measures::default(),
            file_route: None,
            spin: Duration::ZERO,
        }
    }

    /// Enables sockets and timers, whatever features were chosen.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    /// runtime.block_on(async {
    ///     tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    ///     tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    /// });
    /// ```
    pub fn enable_all(&mut self) -> &mut Self {
        self.enable_io().enable_time()
    }

    /// Enables sockets, signals and child processes; without, making one panics.
    pub fn enable_io(&mut self) -> &mut Self {
        self.io = true;
        self
    }

    /// Enables timers; without, making one panics.
    pub fn enable_time(&mut self) -> &mut Self {
        self.time = true;
        self
    }

    /// Accepted, and changes nothing: operations on files go the way that is fastest, through
    /// io_uring only where it is. [`file_route`](Self::file_route) chooses otherwise.
    pub fn enable_io_uring(&mut self) -> &mut Self {
        self
    }

    /// Whether the clock stands still from the start, as after `time::pause`; for current-thread
    /// runtimes.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tokio::time::{Instant, sleep};
    ///
    /// let runtime = tokio::runtime::Builder::new_current_thread()
    ///     .enable_time()
    ///     .start_paused(true)
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(async {
    ///     let before = Instant::now();
    ///     // Takes no time: with nothing else to do, the clock jumps.
    ///     sleep(Duration::from_secs(3600)).await;
    ///     assert_eq!(before.elapsed(), Duration::from_secs(3600));
    /// });
    /// ```
    pub fn start_paused(&mut self, start_paused: bool) -> &mut Self {
        self.start_paused = start_paused;
        self
    }

    /// The most I/O events that are taken at a time; 1024 unless set, but 16 by a worker that had
    /// nothing to do and is one of several.
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_current_thread()
    ///     .enable_io()
    ///     .max_io_events_per_tick(4096)
    ///     .max_io_events_per_busy_tick(256)
    ///     .build()
    ///     .unwrap();
    /// runtime.block_on(async {});
    /// ```
    ///
    /// # Panics
    /// When `capacity` is 0.
    #[track_caller]
    pub fn max_io_events_per_tick(&mut self, capacity: usize) -> &mut Self {
        assert!(capacity > 0, "max_io_events_per_tick must be non-zero");
        self.events_max = Some(capacity);
        self
    }

    /// The most I/O events that a worker takes at a time while tasks wait to run; as many as
    /// [else](Self::max_io_events_per_tick) unless set. With fewer, the tasks that wait get
    /// their turn sooner.
    ///
    /// # Panics
    /// When `capacity` is 0.
    #[track_caller]
    pub fn max_io_events_per_busy_tick(&mut self, capacity: usize) -> &mut Self {
        assert!(capacity > 0, "max_io_events_per_busy_tick must be non-zero");
        self.events_busy_max = Some(capacity);
        self
    }

    /// The name of the runtime, for [`Handle::name`].
    ///
    /// ```
    /// let runtime = tokio::runtime::Builder::new_current_thread().name("loop").build().unwrap();
    /// assert_eq!(runtime.handle().name(), Some("loop"));
    /// ```
    ///
    /// # Panics
    /// When `name` is empty, or nothing but spaces.
    #[track_caller]
    pub fn name(&mut self, name: impl Into<String>) -> &mut Self {
        let name = name.into();
        assert!(!name.trim().is_empty(), "runtime name shouldn't be empty");
        self.name = Some(name);
        self
    }

    /// Which way operations on files go. The results are the same on each; tests force one.
    ///
    /// The fastest is chosen unless set here or by the environment variable `YAMANOTE_FILES`
    /// (`fastest`, `no-ring`, `ring`, `pool`), which is read when a runtime is made.
    pub fn file_route(&mut self, route: FileRoute) -> &mut Self {
        self.file_route = Some(route);
        self
    }

    /// Makes the runtime. The builder may make more of them.
    ///
    /// # Errors
    /// When the system denies a thread or a descriptor; `InvalidInput` when `YAMANOTE_FILES` names
    /// no way that there is.
    ///
    /// # Panics
    /// When the clock is to be paused on a multi-thread runtime, when a histogram was configured
    /// that cannot be, and as [`worker_threads`](Self::worker_threads) says.
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
    /// ```
    /// use std::rc::Rc;
    /// use tokio::runtime::{Builder, LocalOptions};
    ///
    /// let runtime = Builder::new_current_thread().build_local(LocalOptions::default()).unwrap();
    /// let shared = Rc::new(5);
    /// let task = runtime.spawn_local(async move { *shared });
    /// assert_eq!(runtime.block_on(task).unwrap(), 5);
    /// ```
    ///
    /// # Errors
    /// As [`build`](Self::build).
    ///
    /// # Panics
    /// When the builder is for multi-thread runtimes.
    #[track_caller]
    pub fn build_local(&mut self, _options: LocalOptions) -> io::Result<LocalRuntime> {
        assert!(
            self.flavor == Flavor::CurrentThread,
            "a LocalRuntime stays on its thread: build it with Builder::new_current_thread()"
        );
        let handle = self.build_local_handle(true)?;
        Ok(LocalRuntime::from_runtime(Runtime::from_handle(handle)))
    }

    fn build_local_handle(&self, local: bool) -> io::Result<Handle> {
        let home = Home::default();
        let pool = self.pool(0, &home);
        let clock = if self.start_paused {
            Clock::paused()
        } else {
            Clock::system(true)
        };
        let (mut drivers, driver) = self.drivers(1, clock, &pool)?;
        let only = drivers.pop().expect("one driver was asked for");
        let scheduler = Scheduler::Local(Local::new(self.config(), only, driver));
        let local_thread = local.then(|| thread::current().id());
        Ok(self.handle(scheduler, pool, local_thread, &home))
    }

    #[track_caller]
    fn build_multi_handle(&self) -> io::Result<Handle> {
        assert!(
            !self.start_paused,
            "`time::pause()` requires the `current_thread` Tokio runtime: the clock of several \
             threads cannot stand still. Use Builder::new_current_thread()."
        );
        let count = self.workers.unwrap_or_else(default_workers);
        let home = Home::default();
        let pool = self.pool(count, &home);
        let (drivers, driver) = self.drivers(count, Clock::system(false), &pool)?;
        let (multi, workers) = Multi::new(self.config(), drivers, driver)?;
        let handle = self.handle(Scheduler::Multi(multi.clone()), pool, None, &home);
        for worker in workers {
            if let Err((_, Rejected::NoThread(error))) = blocking::run_worker(&handle, worker) {
                multi.close();
                return Err(error);
            }
        }
        Ok(handle)
    }

    fn build_sim_handle(&self) -> io::Result<Handle> {
        let home = Home::default();
        let pool = self.pool(0, &home);
        let seed = self.seed.clone().unwrap_or_else(RngSeed::random);
        let world = self.world.clone();
        let world = world.unwrap_or_else(|| World::new(seed.as_u64()));
        let host = crate::sim::single_host(&world, self.config(), &pool)?;
        if self.start_paused {
            let paused = host.driver().clock().pause();
            paused.map_err(|error| io::Error::other(error.message()))?;
        }
        Ok(self.handle(Scheduler::Sim(host), pool, None, &home))
    }

    fn handle(
        &self,
        scheduler: Scheduler,
        pool: Pool,
        local_thread: Option<thread::ThreadId>,
        home: &Home,
    ) -> Handle {
        yamanote_base::hooks::set_sleep(sleep);
        yamanote_base::hooks::set_budget_spent(context::note_forced_yield);
        let (id, name) = (Id::next(), self.name.clone());
        let handle = Handle::new(HandleParts {
            id,
            name,
            scheduler,
            pool,
            local_thread,
            forced_yields: AtomicU64::new(0),
        });
        home.get_or_init(|| handle.downgrade());
        handle
    }

    fn drivers(
        &self,
        shards: usize,
        clock: Clock,
        pool: &Pool,
    ) -> io::Result<(Vec<yamanote_driver::Driver>, yamanote_driver::Handle)> {
        let usual = match shards {
            1 => EVENTS_MAX,
            _ => EVENTS_SHARED_MAX,
        };
        let busy = self.events_busy_max.or(self.events_max);
        yamanote_driver::new(yamanote_driver::Config {
            shards,
            io: self.io,
            time: self.time,
            shutdown_ends_timers: self.alt_timer,
            events_max: self.events_max.unwrap_or(usual),
            events_busy_max: busy.unwrap_or(EVENTS_MAX),
            clock,
            file_route: self.file_route.map_or_else(default_file_route, Ok)?,
            spin: self.spin,
            ..yamanote_driver::Config::new(pool.clone())
        })
    }

    fn pool(&self, workers: usize, home: &Home) -> Pool {
        let at_home = |hook: &ThreadHook| at_home(hook.clone(), home.clone());
        Pool::new(yamanote_pool::Config {
            threads_max: self.blocking_threads_max.saturating_add(workers),
            keep_alive: self.keep_alive.unwrap_or(KEEP_ALIVE),
            name: self.thread_name.clone(),
            stack_size: self.stack_size,
            on_start: self.on_thread_start.as_ref().map(at_home),
            on_stop: self.on_thread_stop.as_ref().map(at_home),
        })
    }

    fn config(&self) -> Config {
        let seed = self.seed.clone().unwrap_or_else(RngSeed::random);
        Config {
            event_interval: self.event_interval.max(1),
            inject_interval: self.inject_interval,
            disable_lifo_slot: self.disable_lifo_slot,
            unhandled_panic: self.unhandled_panic,
            seeds: SeedSource::new(&seed),
            hooks: self.hooks.clone(),
            measured: self.measures.measured(),
        }
    }
}

/// The runtime that a pool belongs to; it comes later than the pool.
type Home = Arc<OnceLock<WeakHandle>>;

/// Has `hook` called where the runtime is the current one, as long as anybody has a handle of it.
fn at_home(hook: ThreadHook, home: Home) -> ThreadHook {
    Arc::new(move || {
        let handle = home.get().and_then(WeakHandle::upgrade);
        let _context = handle.as_ref().map(Handle::enter);
        hook();
    })
}

/// What lower layers sleep with: see [`yamanote_base::hooks`].
#[track_caller]
fn sleep(duration: Duration) -> yamanote_base::hooks::Sleep {
    let mut timer = Timer::after(duration);
    Box::pin(std::future::poll_fn(move |cx| timer.poll_elapsed(cx)))
}

/// The fastest, unless the environment names another.
fn default_file_route() -> io::Result<FileRoute> {
    let Some(name) = std::env::var_os(FILE_ROUTE_VARIABLE) else {
        return Ok(FileRoute::default());
    };
    name.to_string_lossy().parse().map_err(|unknown| {
        let message = format!("{FILE_ROUTE_VARIABLE}: {unknown}");
        io::Error::new(io::ErrorKind::InvalidInput, message)
    })
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
