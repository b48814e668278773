//! Programs in a simulated world: [`Sim`], its hosts, and how it reports what went wrong.
//!
//! Everything runs on the calling thread, in virtual time; equal seeds give equal runs, which
//! [`Sim::trace_hash`] shows. `spawn_blocking` and file operations run on the same thread as
//! tasks of their own: what they wait for must not need another task to run.

mod clock;
mod control;
mod disk;
mod failure;
mod net;
mod program;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use yamanote_base::atomic::plain::AtomicU64;
use yamanote_base::hooks;
use yamanote_base::lock::Mutex;
use yamanote_pool::Pool;
use yamanote_sched::config::Config;
pub use yamanote_sched::sim::Policy;
use yamanote_sched::sim::SimHost;
use yamanote_task::{Id, JoinHandle, SpawnLocation, SpawnMeta};
use yamanote_world::World;

use crate::builder::Builder;
use crate::context;
use crate::handle::{Handle, HandleParts, Scheduler};
use crate::rt::Runtime;
pub use clock::Clock;
pub use disk::{Disk, DiskOp};
use failure::Failure;
pub use failure::SimError;
pub use net::{Dns, Fault, Latency, Link, Net, Select};
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
    _runtime: Option<Runtime>,
}

struct SimParts {
    home: SimHost,
    handle: Handle,
    programs: Programs,
    failure: Failure,
    /// The virtual time at which `run` gives up.
    time_limit: Mutex<Option<Duration>>,
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
        Self::with_policy(seed, Policy::Random)
    }

    /// A world whose tasks are run in the order of `policy`.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    pub fn with_policy(seed: u64, policy: Policy) -> Self {
        let runtime = Builder::sim(seed).enable_all().build();
        let runtime = runtime.expect("the system has descriptors left for a simulation");
        let handle = runtime.handle().clone();
        let Scheduler::Sim(home) = handle.scheduler() else {
            unreachable!("a builder of simulations makes a simulation")
        };
        let (programs, failure) = (Programs::default(), Failure::default());
        let home = home.clone();
        home.sim().set_policy(policy);
        let parts = Arc::new(SimParts {
            home,
            handle,
            programs,
            failure,
            time_limit: Mutex::new(None),
        });
        Self {
            parts,
            _runtime: Some(runtime),
        }
    }

    /// Has [`run`](Self::run) give up when so much virtual time has gone by since the beginning.
    ///
    /// Without it, a run whose programs set timers for ever, and whose future never ends, never
    /// ends either.
    pub fn set_time_limit(&self, limit: Duration) {
        *self.parts.time_limit.lock() = Some(limit);
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
        self.parts.programs.add(name, SpawnLocation::caller(), main);
        let host = Host {
            sim: self.parts.clone(),
            name: name.into(),
        };
        host.restart();
        host
    }

    /// Runs `future` once as a task on the host `name`.
    #[track_caller]
    pub fn client<F>(&self, name: &str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let host = self.parts.start_host(name);
        host.spawn(future, Id::next(), SpawnMeta::caller())
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
        let _driving = context::start_driving(true);
        let _context = self.parts.handle.enter();
        let _told = failure::Teller(self.world());
        let limit = *self.parts.time_limit.lock();
        let mut alarm = limit.map(|limit| hooks::sleep(limit.saturating_sub(self.now())));
        let mut future = pin!(future);
        let watched = std::future::poll_fn(|cx: &mut Context<'_>| {
            if let Some(error) = self.parts.failure.take_or_watch(cx.waker()) {
                return Poll::Ready(Err(error));
            }
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            match alarm.as_mut().map(|alarm| alarm.as_mut().poll(cx)) {
                Some(Poll::Ready(())) => Poll::Ready(Err(SimError::time_limit(self.world()))),
                Some(Poll::Pending) | None => Poll::Pending,
            }
        });
        let ended = self.parts.home.sim().run(&self.parts.home, watched);
        ended.unwrap_or_else(|deadlock| Err(SimError::deadlock(deadlock)))
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

    fn world(&self) -> &World {
        self.parts.home.sim().world()
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
            host.kill();
        }
    }

    /// Calls the program's main function again; kills it first if it is up.
    pub fn restart(&self) {
        self.crash();
        let host = self.world_host();
        host.world().power_on(host.id());
        let host = self.sim.start_host(&self.name);
        self.sim.programs.start(&self.name, &host, &self.sim);
    }

    fn world_host(&self) -> yamanote_world::Host {
        self.sim.home.sim().world().add_host(&self.name)
    }
}

impl SimParts {
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

impl Clone for Sim {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.clone(),
            _runtime: None,
        }
    }
}

/// The only host of a new world.
pub(crate) fn single_host(seed: u64, config: Config, pool: &Pool) -> io::Result<SimHost> {
    let world = World::new(seed);
    let (mut drivers, _) = yamanote_driver::new(yamanote_driver::Config {
        clock: yamanote_driver::clock::Clock::world(world.clone()),
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
