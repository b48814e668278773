//! What the current thread stands in: a runtime's [`Handle`], its shard, its simulated host.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::MutexGuard;

pub use yamanote_world::Alarm;
use yamanote_world::{Host, World};

use crate::handle::Handle;

const NO_RUNTIME: &str =
    "there is no reactor running, must be called from the context of a Tokio 1.x runtime";
const NO_IO: &str = "A Tokio 1.x context was found, but IO is disabled. Call `enable_io` on the \
                     runtime builder to enable IO.";
const NO_TIME: &str = "A Tokio 1.x context was found, but timers are disabled. Call \
                       `enable_time` on the runtime builder to enable timers.";

thread_local! {
    static CURRENT: RefCell<Option<Handle>> = const { RefCell::new(None) };
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
    /// The runtime (its identity) and the shard that the thread works for.
    static WORKER: Cell<Worker> = const { Cell::new(Worker { runtime: 0, shard: 0 }) };
}

#[derive(Clone, Copy)]
struct Worker {
    /// [`Handle::id`]; 0 is none.
    runtime: usize,
    shard: usize,
}

/// Restores the thread's handle when dropped.
#[derive(Debug)]
#[must_use = "the thread leaves at once when this is dropped"]
pub struct Guard {
    before: Option<Handle>,
    /// A lock's guard is `Sync` and not `Send`, like this.
    _not_send: PhantomData<MutexGuard<'static, ()>>,
}

/// Restores which shard the thread works for when dropped.
#[derive(Debug)]
#[must_use = "the thread is no worker any more when this is dropped"]
pub struct WorkerGuard {
    runtime: usize,
    shard: usize,
    _not_send: PhantomData<*mut ()>,
}

/// Restores the thread's simulated host when dropped.
#[derive(Debug)]
#[must_use = "the thread leaves the host at once when this is dropped"]
pub struct HostGuard {
    before: Option<Host>,
    _not_send: PhantomData<*mut ()>,
}

/// Makes `handle` the thread's current one until the guard is dropped.
///
/// # Panics
/// While the thread's locals are being destroyed.
#[track_caller]
pub fn enter(handle: Handle) -> Guard {
    let before = CURRENT
        .try_with(|current| current.replace(Some(handle)))
        .ok()
        .flatten();
    Guard {
        before,
        _not_send: PhantomData,
    }
}

/// Makes the thread a worker of `shard`: what it registers for `handle` goes there.
pub fn enter_worker(handle: &Handle, shard: usize) -> WorkerGuard {
    debug_assert!(shard < handle.shards());
    let Worker { runtime, shard } = WORKER.replace(Worker {
        runtime: handle.id(),
        shard,
    });
    WorkerGuard {
        runtime,
        shard,
        _not_send: PhantomData,
    }
}

/// Opens simulated sockets on `host` until the guard is dropped.
pub fn enter_host(host: Host) -> HostGuard {
    let before = HOST.with(|current| current.replace(Some(host)));
    HostGuard {
        before,
        _not_send: PhantomData,
    }
}

/// The thread's current handle.
///
/// # Panics
/// Outside of every runtime.
#[track_caller]
pub fn current() -> Handle {
    match try_current() {
        Some(handle) => handle,
        None => panic!("{NO_RUNTIME}"),
    }
}

/// The thread's current handle, whose I/O is enabled.
///
/// # Panics
/// Outside of every runtime, and in one without I/O.
#[track_caller]
pub fn current_io() -> Handle {
    let handle = current();
    assert!(handle.io_enabled(), "{NO_IO}");
    handle
}

/// Calls `f` with the thread's current handle, whose timers are enabled. `f` must not change it.
///
/// # Panics
/// Outside of every runtime, and in one without timers.
#[track_caller]
pub(crate) fn with_time<R>(f: impl FnOnce(&Handle) -> R) -> R {
    let result = CURRENT.try_with(|current| match &*current.borrow() {
        Some(handle) if handle.time_enabled() => Ok(f(handle)),
        Some(_) => Err(NO_TIME),
        None => Err(NO_RUNTIME),
    });
    match result.unwrap_or(Err(NO_RUNTIME)) {
        Ok(result) => result,
        Err(why) => panic!("{why}"),
    }
}

/// The thread's current handle, if there is one.
pub fn try_current() -> Option<Handle> {
    try_with(Handle::clone)
}

/// Calls `f` with the thread's current handle, if there is one. `f` must not change it.
#[inline]
pub fn try_with<R>(f: impl FnOnce(&Handle) -> R) -> Option<R> {
    CURRENT
        .try_with(|current| current.borrow().as_ref().map(f))
        .ok()
        .flatten()
}

/// The simulated host that sockets are opened on; `None` is the real system.
///
/// That is the innermost [`enter_host`] of this thread's current world, else the host that the
/// world's main function runs on.
pub fn host() -> Option<Host> {
    let home = try_with(|handle| handle.host().cloned()).flatten()?;
    let entered = HOST.try_with(|host| host.borrow().clone()).ok().flatten();
    Some(
        entered
            .filter(|entered| entered.world().is_same(home.world()))
            .unwrap_or(home),
    )
}

/// As [`host`], for who opens something there. Who opens it on the real system asks for its runtime
/// when that has not refused: what it says of an address does not depend on a runtime.
///
/// # Panics
/// In a simulated world whose runtime has no I/O.
#[track_caller]
pub fn host_with_io() -> Option<Host> {
    let host = host()?;
    drop(current_io());
    Some(host)
}

/// Calls `f` with the host of `world` that the thread stands on, if it stands on one.
pub(crate) fn with_host<R>(f: impl FnOnce(&Host) -> R, world: &World) -> Option<R> {
    let entered = HOST.try_with(|host| {
        let host = host.borrow();
        let host = host.as_ref().filter(|host| host.world().is_same(world));
        host.map(f)
    });
    entered.ok().flatten()
}

/// The shard of `handle` that the thread works for; `None` if it is no worker of it.
pub(crate) fn shard_of(handle: &Handle) -> Option<usize> {
    let worker = WORKER.try_with(Cell::get).ok()?;
    (worker.runtime == handle.id()).then_some(worker.shard)
}

impl Drop for Guard {
    fn drop(&mut self) {
        let before = self.before.take();
        let inner = CURRENT.try_with(|current| current.replace(before));
        drop(inner);
    }
}

impl Drop for WorkerGuard {
    fn drop(&mut self) {
        let before = Worker {
            runtime: self.runtime,
            shard: self.shard,
        };
        let _ = WORKER.try_with(|worker| worker.set(before));
    }
}

impl Drop for HostGuard {
    fn drop(&mut self) {
        let before = self.before.take();
        let inner = HOST.try_with(|current| current.replace(before));
        drop(inner);
    }
}
