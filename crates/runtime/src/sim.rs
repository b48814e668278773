//! Programs in a simulated world: [`Sim`], its hosts, and how it reports what went wrong.
//!
//! Everything runs on the calling thread, in virtual time; equal seeds give equal runs, which
//! [`Sim::trace_hash`] shows. `spawn_blocking` and file operations run on the same thread as
//! tasks of their own: what they wait for must not need another task to run.

mod clock;
mod control;
mod disk;
mod failure;
mod invariant;
mod nemesis;
mod net;
mod options;
pub mod panics;
mod parking;
pub mod points;
mod program;
pub(crate) mod scene;
mod surroundings;

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use yamanote_base::atomic::plain::AtomicU64;
use yamanote_base::{hooks, simulated};
use yamanote_pool::Pool;
use yamanote_sched::config::Config;
pub use yamanote_sched::sim::Schedule;
use yamanote_sched::sim::{Ended, SimHost};
use yamanote_task::{Id, JoinHandle, SpawnLocation, SpawnMeta};
use yamanote_world::{ChoiceKind, Event, FaultKind, World};

use crate::builder::Builder;
use crate::context;
use crate::handle::{Handle, HandleParts, Scheduler};
use crate::rt::Runtime;
pub use clock::Clock;
pub use disk::{Disk, DiskOp};
use failure::Failure;
pub use failure::SimError;
use invariant::Invariants;
use nemesis::Remedies;
pub use nemesis::{Nemesis, Swarm, SwarmFault};
pub use net::{Dns, Fault, Latency, Link, Net, Select};
#[doc(hidden)]
pub use options::Guise;
pub use options::SimOptions;
use points::Points;
pub use program::ProgramResult;
use program::Programs;

/// The name of the host on which the future given to [`Sim::run`] runs.
const HOME: &str = "sim";

/// A simulated world with programs in it.
///
/// A clone refers to the same world, which ends when the original is dropped: all tasks are
/// dropped then.
///
/// ```no_run
/// # use yamanote_runtime::sim::Sim;
/// let sim = Sim::new(7);
/// sim.host("server", || async { /* the server's main function */ });
/// sim.run(async { /* a client, which connects to "server:80" */ }).unwrap();
/// println!("{:x}", sim.trace_hash());
/// ```
pub struct Sim {
    parts: Arc<SimParts>,
    /// The original has it; dropping it ends all tasks.
    runtime: Option<Runtime>,
}

struct SimParts {
    home: SimHost,
    handle: Handle,
    programs: Programs,
    failure: Failure,
    invariants: Invariants,
    points: Points,
    /// How to end each fault of a nemesis that is in force.
    remedies: Remedies,
    /// Hosts whose programs are never started.
    absent: BTreeSet<String>,
    /// Whether what the world does not decide ends the run.
    is_strict: bool,
    guise: Guise,
}

/// A host with a program that can be killed and started again; clones are the same one.
#[derive(Clone)]
pub struct Host {
    sim: Arc<SimParts>,
    name: Arc<str>,
}

impl Sim {
    /// A world of which everything follows from `seed`.
    ///
    /// # Panics
    /// When the system denies the few descriptors that a runtime needs.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_schedule(seed, Schedule::default())
    }

    /// A world whose tasks are run in the order of `schedule`.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    pub fn with_schedule(seed: u64, schedule: Schedule) -> Self {
        Self::with_options(SimOptions {
            schedule,
            ..SimOptions::new(seed)
        })
    }

    /// A world that also follows, keeps or leaves out what `options` say.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    pub fn with_options(options: SimOptions) -> Self {
        Self::configured(options, Guise::World, |_| {})
    }

    /// A world whose first runtime is built as `configure` says, and looks like that of a test.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[doc(hidden)]
    #[must_use]
    pub fn configured(
        options: SimOptions,
        guise: Guise,
        configure: impl FnOnce(&mut Builder),
    ) -> Self {
        let mut builder = Builder::sim_in(options.world());
        configure(builder.enable_all());
        let runtime = builder.build();
        let runtime = runtime.expect("the system has descriptors left for a simulation");
        let handle = runtime.handle().clone();
        let Scheduler::Sim(home) = handle.scheduler() else {
            unreachable!("a builder of simulations makes a simulation")
        };
        let home = home.clone();
        home.sim().set_schedule(options.schedule);
        if guise == Guise::ManyWorkers {
            handle.driver().clock().forbid_pausing();
        }
        if guise != Guise::World {
            // A test that knows nothing of worlds may have threads of its own.
            home.sim().expect_strangers();
        }
        let limit = options.time_limit.into_iter();
        limit.for_each(|limit| home.sim().set_time_limit(limit));
        let parts = Arc::new(SimParts {
            home,
            handle,
            programs: Programs::default(),
            failure: Failure::default(),
            invariants: Invariants::default(),
            points: Points::default(),
            remedies: Remedies::default(),
            absent: options.absent,
            is_strict: options.is_strict,
            guise,
        });
        Self {
            parts,
            runtime: Some(runtime),
        }
    }

    /// Has [`run`](Self::run) give up when so much virtual time has gone by since the beginning.
    ///
    /// Without it, a run whose programs set timers for ever, and whose future never ends, never
    /// ends either.
    pub fn set_time_limit(&self, limit: Duration) {
        self.parts.home.sim().set_time_limit(limit);
    }

    /// Starts a program on the host `name`: `main` is called now, and at each restart.
    ///
    /// The host is found by its name wherever an address is looked up. If the program ends with
    /// an error or panics, [`run`](Self::run) ends with that.
    ///
    /// # Panics
    /// If there is a program of this name already.
    #[track_caller]
    pub fn host<F, Fut>(&self, name: &str, main: F) -> Host
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: ProgramResult,
    {
        self.start(name, SpawnLocation::caller(), main)
    }

    #[track_caller]
    fn start<F, Fut>(&self, name: &str, location: SpawnLocation, main: F) -> Host
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: ProgramResult,
    {
        self.parts.programs.add(name, location, main);
        let host = Host {
            sim: self.parts.clone(),
            name: name.into(),
        };
        host.restart();
        host
    }

    /// Starts a program on each of the hosts `name0`, `name1` and so on: `main` is called with
    /// the number.
    ///
    /// # Panics
    /// As [`host`](Self::host).
    #[track_caller]
    pub fn hosts<F, Fut>(&self, name: &str, count: usize, main: F) -> Vec<Host>
    where
        F: Fn(usize) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: ProgramResult,
    {
        let main = Arc::new(main);
        let location = SpawnLocation::caller();
        let start = |number| {
            let main = main.clone();
            self.start(&format!("{name}{number}"), location, move || main(number))
        };
        (0..count).map(start).collect()
    }

    /// Runs `future` once as a task on the host `name`.
    #[track_caller]
    pub fn client<F>(&self, name: &str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let host = self.parts.start_host(name);
        let is_absent = self.parts.absent.contains(name);
        let run = async move {
            if is_absent {
                std::future::pending::<()>().await;
            }
            future.await
        };
        host.spawn(run, Id::next(), SpawnMeta::caller())
    }

    /// Runs `future` to its end, and all programs meanwhile.
    ///
    /// # Errors
    /// When a host's program fails or panics, when nothing can go on any more, and at the
    /// [time limit](Self::set_time_limit).
    ///
    /// # Panics
    /// When `future` panics, or the thread drives tasks already.
    #[track_caller]
    pub fn run<F: Future>(&self, future: F) -> Result<F::Output, SimError> {
        let _driving = context::start_driving(self.parts.guise != Guise::OneWorker);
        let _context = self.parts.handle.enter();
        let _told = failure::Teller(self.world());
        let _current = points::enter(&self.parts);
        let mut future = pin!(future);
        let watched = std::future::poll_fn(|cx: &mut Context<'_>| {
            if let Some(error) = self.parts.failure.take_or_watch(cx.waker()) {
                return Poll::Ready(Err(error));
            }
            future.as_mut().poll(cx).map(Ok)
        });
        match self.parts.home.sim().run(&self.parts.home, watched) {
            Ok(ended) => ended,
            Err(Ended::Deadlock(deadlock)) => Err(SimError::deadlock(deadlock)),
            Err(Ended::TimeLimit) => Err(SimError::time_limit(self.world())),
            Err(Ended::Lost(why)) => Err(SimError::lost(self.world(), why)),
            Err(Ended::Stopped) => Err(self.parts.failure.take_after_stop()),
        }
    }

    /// Runs all programs for so much virtual time.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    ///
    /// # Panics
    /// As [`run`](Self::run).
    #[track_caller]
    pub fn run_for(&self, duration: Duration) -> Result<(), SimError> {
        self.run(async move { hooks::sleep(duration).await })
    }

    /// The host `name`, if a program was ever started there.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Host> {
        let known = self.parts.programs.contains(name);
        known.then(|| Host {
            sim: self.parts.clone(),
            name: name.into(),
        })
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.world().seed()
    }

    /// The virtual time since the beginning.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.world().now()
    }

    /// The hash of all that happened so far: two runs are equal if and only if their hashes are.
    #[must_use]
    pub fn trace_hash(&self) -> u128 {
        self.world().trace_hash()
    }

    /// The network: what it does to what travels, and what goes wrong there.
    #[must_use]
    pub fn net(&self) -> Net {
        Net::new(self.world().clone())
    }

    /// What shall sometimes hold (`sometimes!`), and whether it did so far.
    #[must_use]
    pub fn coverage(&self) -> Vec<(&'static str, bool)> {
        self.parts.points.covered()
    }

    /// A number below `bound` (0 if that is 0), for what the test itself draws.
    #[must_use]
    pub fn draw(&self, bound: u64) -> u64 {
        self.world().choose(ChoiceKind::Draw, bound)
    }

    /// The world itself, which knows the trace and the choices.
    #[doc(hidden)]
    #[must_use]
    pub fn world(&self) -> &World {
        self.parts.world()
    }

    /// The tasks that wait now, in words.
    #[doc(hidden)]
    #[must_use]
    pub fn parked(&self) -> String {
        self.parts.home.sim().parked().tasks_text()
    }
}

impl Host {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The addresses: one of version 4, one of version 6, then those that it was given.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.world_host().addresses()
    }

    /// Whether it was started and not killed since. Its program may have ended by itself.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.sim.programs.running(&self.name).is_some()
    }

    /// Kills the program, as `kill -9` does: its tasks are dropped where they wait, its sockets
    /// vanish, and its peers see a reset. Nothing happens if it is down.
    pub fn crash(&self) {
        if let Some(host) = self.sim.programs.take_running(&self.name) {
            let id = self.world_host().id();
            self.sim
                .world()
                .record(Event::Fault(FaultKind::Crash, id, id));
            host.kill();
        }
    }

    /// Calls the program's main function again; kills it first if it is up.
    pub fn restart(&self) {
        let id = self.world_host().id();
        if self.sim.absent.contains(&*self.name) {
            return;
        }
        self.crash();
        self.sim.world().end_fault(FaultKind::Crash, id);
        self.sim.world().power_on(id);
        let host = self.sim.start_host(&self.name);
        self.sim.programs.start(&self.name, &host, &self.sim);
    }

    fn world_host(&self) -> yamanote_world::Host {
        self.sim.home.sim().world().add_host(&self.name)
    }
}

impl SimParts {
    fn world(&self) -> &World {
        self.home.sim().world()
    }

    /// Ends the run, which fails for this reason.
    fn fail(&self, error: SimError) {
        self.failure.set(error);
        self.home.sim().stop();
    }

    /// Starts the host `name`, and lets its tasks find a handle of their own.
    fn start_host(&self, name: &str) -> SimHost {
        let host = self.home.sim().start_host(name);
        let handle = Handle::new(HandleParts {
            id: crate::handle::Id::next(),
            name: Some(name.to_owned()),
            scheduler: Scheduler::Sim(host.clone()),
            pool: self.handle.pool().clone(),
            local_thread: None,
            forced_yields: AtomicU64::new(0),
        });
        host.set_around(Arc::new(move |run| {
            let _context = context::enter(handle.clone());
            run();
        }));
        host
    }
}

/// With the original, all tasks end, and what it was told is forgotten: programs and rules may hold
/// clones, which would keep it for ever.
impl Drop for Sim {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            drop(runtime);
            self.parts.programs.forget();
            self.parts.invariants.forget();
        }
    }
}

impl Clone for Sim {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            runtime: None,
        }
    }
}

/// The only host of a new world.
pub(crate) fn single_host(world: &World, config: Config, pool: &Pool) -> io::Result<SimHost> {
    surroundings::install();
    // So that the clock's start is the one that programs are told.
    let simulated = simulated::enter();
    let clock = yamanote_driver::clock::Clock::world(world.clone());
    drop(simulated);
    let (mut drivers, _) = yamanote_driver::new(yamanote_driver::Config {
        clock,
        host: Some(world.add_host(HOME)),
        ..yamanote_driver::Config::new(pool.clone())
    })?;
    let driver = drivers.pop().expect("one driver was asked for");
    let (_, home) = yamanote_sched::sim::Sim::new(config, driver);
    Ok(home)
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim")
            .field("seed", &self.seed())
            .field("now", &self.now())
            .finish()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
