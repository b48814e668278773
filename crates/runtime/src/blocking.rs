//! Work that blocks: [`spawn_blocking`] and [`block_in_place`].

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use yamanote_base::budget;
use yamanote_base::enter::{self, Entered};
use yamanote_base::lock::Mutex;
use yamanote_pool::{Job, Rejected};
use yamanote_sched::multi::{self, Worker};
use yamanote_task::{Id, JoinHandle, Schedule, SpawnMeta};

use crate::context;
use crate::handle::{Handle, Scheduler};
use crate::sim::scene::Scene;

thread_local! {
    /// The runtime whose worker the current thread runs. Not the current one: a task may have
    /// entered another.
    static HOME: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// The scheduler of tasks that are run once, by the pool.
#[derive(Debug)]
struct RunOnce;

// SAFETY: it points to nothing.
unsafe impl Schedule for RunOnce {
    fn schedule(&self, task: yamanote_task::Runnable) {
        // Only an abort before the first poll comes here; dropping the runnable cancels it.
        drop(task);
    }
}

/// Runs `f`, which may block, on a thread that is there for it.
///
/// There are at most
/// [`max_blocking_threads`](crate::Builder::max_blocking_threads) of them; beyond that, calls wait
/// in a queue. What has begun cannot be aborted.
///
/// # Panics
/// Outside of every runtime, and when the system will not make a first thread.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    // Here, for a closure has no caller.
    let meta = SpawnMeta::caller();
    // Not within `with`: what is cancelled at once may enter a runtime in its destructor.
    spawn_as(&context::with(Clone::clone), f, meta)
}

#[track_caller]
pub(crate) fn spawn_on<F, R>(handle: &Handle, f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    spawn_as(handle, f, SpawnMeta::caller())
}

#[track_caller]
fn spawn_as<F, R>(handle: &Handle, f: F, meta: SpawnMeta<'_>) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    match try_spawn_on(handle, f, meta) {
        Ok(join) => join,
        Err(error) => panic!("OS can't spawn worker thread: {error}"),
    }
}

/// [`spawn_on`] of a task that may have a name.
///
/// # Errors
/// When the system will not make a first thread.
pub(crate) fn try_spawn_on<F, R>(
    handle: &Handle,
    f: F,
    meta: SpawnMeta<'_>,
) -> io::Result<JoinHandle<R>>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let id = Id::next();
    let (runnable, join) = yamanote_task::blocking(f, RunOnce, id, meta);
    if let Scheduler::Sim(host) = handle.scheduler() {
        let (scene, context) = (Scene::here(), handle.clone());
        let work = move || {
            let _context = context.enter();
            scene.play(|| runnable.run());
        };
        host.spawn_blocking(Box::new(work), id, meta.location());
        return Ok(join);
    }
    let inhibitor = handle.driver().clock().inhibit_auto_advance();
    let context = handle.clone();
    let submitted = handle.pool().submit(Job::new(move || {
        let _context = context.enter();
        runnable.run();
        drop(inhibitor);
        // A paused clock may jump now, though nobody awaits this work.
        if context.driver().clock().is_virtual() {
            context.driver().unpark(0);
        }
    }));
    match submitted {
        // A pool that shuts down has cancelled the task.
        Ok(()) | Err(Rejected::ShutDown) => Ok(join),
        Err(Rejected::NoThread(error)) => Err(error),
    }
}

/// Runs `f`, which may block, on the current thread; if that is a worker, its tasks are handed to
/// another thread first.
///
/// Other futures of the same task (in `join!` or `select!`) do not run meanwhile.
///
/// # Panics
/// On a current-thread runtime.
#[track_caller]
pub fn block_in_place<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    match enter::current() {
        Entered::No => budget::with_unlimited(f),
        Entered::Driving {
            block_in_place: true,
        } => multi::block_in_place(launch, f),
        Entered::Driving {
            block_in_place: false,
        } => {
            panic!("can call blocking only when running on the multi-threaded runtime")
        }
    }
}

/// Has the pool of the worker's own runtime run `worker`; it comes back if that has shut down.
fn launch(worker: Worker) -> Result<(), Worker> {
    match HOME.with_borrow(Clone::clone) {
        Some(home) => run_worker(&home, worker).map_err(|(worker, _)| worker),
        None => Err(worker),
    }
}

/// Has the pool of `handle` run `worker`.
///
/// # Errors
/// The worker, and why there is no thread for it.
pub(crate) fn run_worker(handle: &Handle, worker: Worker) -> Result<(), (Worker, Rejected)> {
    let place = Arc::new(Mutex::new(Some(worker)));
    let (handed, home) = (place.clone(), handle.clone());
    let submitted = handle.pool().submit(Job::mandatory(move || {
        let worker = handed.lock().take();
        if let Some(worker) = worker {
            run_at_home(worker, home);
        }
    }));
    submitted.map_err(|rejected| {
        let worker = place.lock().take();
        (
            worker.expect("a job that was rejected has not run"),
            rejected,
        )
    })
}

fn run_at_home(worker: Worker, home: Handle) {
    let _context = home.enter();
    HOME.set(Some(home.clone()));
    worker.run();
    HOME.set(None);
}
