//! The programs of a world: a main function for each host, started and started again.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use yamanote_base::lock::Mutex;
use yamanote_sched::sim::SimHost;
use yamanote_task::{Id, SpawnLocation};

use super::SimParts;
use super::failure::SimError;

/// How the main function of a program may end: with nothing, with a `Result` of nothing, or never.
pub trait ProgramResult {
    /// What went wrong, in words.
    ///
    /// # Errors
    /// When the program says that it failed.
    fn into_result(self) -> Result<(), String>;
}

type MainFuture = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Main = Arc<dyn Fn() -> MainFuture + Send + Sync>;

/// All programs, by the name of their host.
#[derive(Default)]
pub(super) struct Programs(Mutex<BTreeMap<String, Program>>);

pub(super) struct Program {
    main: Main,
    location: SpawnLocation,
    running: Option<SimHost>,
}

/// The main task of a program, which tells how it ended.
struct MainTask {
    future: MainFuture,
    host: SimHost,
    sim: Weak<SimParts>,
}

impl ProgramResult for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

/// Names the type that a function returns; with it, the type of what never returns has a name.
pub trait Returns {
    /// What it returns.
    type Type;
}

impl<T> Returns for fn() -> T {
    type Type = T;
}

/// A main function may serve for ever.
impl ProgramResult for <fn() -> ! as Returns>::Type {
    fn into_result(self) -> Result<(), String> {
        self
    }
}

impl<E: fmt::Debug> ProgramResult for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        self.map_err(|error| format!("{error:?}"))
    }
}

impl Programs {
    #[track_caller]
    pub(super) fn add<F, Fut>(&self, name: &str, location: SpawnLocation, main: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: ProgramResult,
    {
        let before = self.replace(name, location, main);
        assert!(before.is_none(), "host {name} has a program already");
    }

    /// Has `name` run this program at its next start, and forgets the one before.
    pub(super) fn replace<F, Fut>(
        &self,
        name: &str,
        location: SpawnLocation,
        main: F,
    ) -> Option<Program>
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: ProgramResult,
    {
        let main = Arc::new(main);
        let main: Main = Arc::new(move || {
            let main = main.clone();
            // Called in the task, so that it stands on its host from its first line.
            Box::pin(async move { main().await.into_result() })
        });
        let program = Program {
            main,
            location,
            running: None,
        };
        self.0.lock().insert(name.to_owned(), program)
    }

    pub(super) fn forget(&self) {
        let programs = std::mem::take(&mut *self.0.lock());
        // Dropped outside of the lock: they are the user's.
        drop(programs);
    }

    /// Starts the program of `name` on `host`.
    pub(super) fn start(&self, name: &str, host: &SimHost, sim: &Arc<SimParts>) {
        let mut programs = self.0.lock();
        let Some(program) = programs.get_mut(name) else {
            return;
        };
        program.running = Some(host.clone());
        let (main, location) = (program.main.clone(), program.location);
        drop(programs);
        let (host, sim) = (host.clone(), Arc::downgrade(sim));
        let task = MainTask {
            future: main(),
            host: host.clone(),
            sim,
        };
        drop(host.spawn(task, Id::next(), location.into()));
    }

    /// The hosts that have a program, by name.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.lock().keys().cloned().collect()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.lock().contains_key(name)
    }

    pub(super) fn running(&self, name: &str) -> Option<SimHost> {
        self.0.lock().get(name)?.running.clone()
    }

    pub(super) fn take_running(&self, name: &str) -> Option<SimHost> {
        self.0.lock().get_mut(name)?.running.take()
    }
}

impl Future for MainTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let future = self.future.as_mut();
        let polled = catch_unwind(AssertUnwindSafe(|| future.poll(cx)));
        let (world, name) = (self.host.sim().world(), self.host.host().name());
        let error = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => return Poll::Ready(()),
            Ok(Poll::Ready(Err(error))) => SimError::failed(world, name, error),
            Err(payload) => SimError::panicked(world, name, &*payload),
        };
        if let Some(sim) = self.sim.upgrade() {
            sim.fail(error);
        }
        Poll::Ready(())
    }
}
