//! The thread's current runtime: which [`Handle`] `spawn` and its friends mean.

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;

use yamanote_base::enter::{self, Entered, EnteredGuard};
use yamanote_trace::TaskSpan;

use crate::handle::{Handle, Scheduler};

thread_local! {
    static CURRENT: RefCell<Option<Handle>> = const { RefCell::new(None) };
    /// How many guards are alive on this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

const NO_CONTEXT: &str =
    "there is no reactor running, must be called from the context of a Tokio 1.x runtime";
const DESTROYED: &str = "The Tokio context thread-local variable has been destroyed.";
const OUT_OF_ORDER: &str = "`EnterGuard` values dropped out of order. Guards returned by \
     `tokio::runtime::Handle::enter()` must be dropped in the reverse order as they were acquired.";
const NESTED: &str = "Cannot start a runtime from within a runtime. This happens because a \
     function (like `block_on`) attempted to block the current thread while the thread is being \
     used to drive asynchronous tasks. If you are in an async function, use `.await` on the \
     future instead of blocking on it.";

/// The thread stands in a runtime's context until this is dropped. See [`Handle::enter`].
///
/// # Panics
/// Dropping it panics while a guard that was made after it lives.
#[derive(Debug)]
#[must_use = "the context is left at once when this is dropped"]
pub struct EnterGuard<'a> {
    _handle: PhantomData<&'a Handle>,
    _context: ContextGuard,
}

/// An [`EnterGuard`] that borrows nothing.
#[derive(Debug)]
pub(crate) struct ContextGuard {
    before: Option<Handle>,
    depth: usize,
    _driver: yamanote_driver::context::Guard,
}

/// Why there is no current runtime. See [`Handle::try_current`].
pub struct TryCurrentError(Missing);

#[derive(Debug)]
enum Missing {
    NoContext,
    Destroyed,
}

impl TryCurrentError {
    /// Whether the thread stands in no runtime.
    #[must_use]
    pub fn is_missing_context(&self) -> bool {
        matches!(self.0, Missing::NoContext)
    }

    /// Whether the thread is ending and its locals are gone.
    #[must_use]
    pub fn is_thread_local_destroyed(&self) -> bool {
        matches!(self.0, Missing::Destroyed)
    }
}

impl fmt::Debug for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            Missing::NoContext => "NoContext",
            Missing::Destroyed => "ThreadLocalDestroyed",
        };
        f.debug_struct("TryCurrentError")
            .field("kind", &format_args!("{kind}"))
            .finish()
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Missing::NoContext => NO_CONTEXT,
            Missing::Destroyed => DESTROYED,
        })
    }
}

impl Error for TryCurrentError {}

/// Calls `f` with the current handle.
///
/// # Errors
/// When there is none.
#[inline]
pub(crate) fn try_with<R>(f: impl FnOnce(&Handle) -> R) -> Result<R, TryCurrentError> {
    let mut f = Some(f);
    let found = CURRENT.try_with(|current| {
        let current = current.borrow();
        let f = f.take()?;
        current.as_ref().map(f)
    });
    match found {
        Ok(Some(result)) => Ok(result),
        Ok(None) => Err(TryCurrentError(Missing::NoContext)),
        Err(_) => Err(TryCurrentError(Missing::Destroyed)),
    }
}

/// Calls `f` with the current handle.
///
/// # Panics
/// When there is none.
#[track_caller]
#[inline]
pub(crate) fn with<R>(f: impl FnOnce(&Handle) -> R) -> R {
    match try_with(f) {
        Ok(result) => result,
        Err(error) => panic!("{error}"),
    }
}

/// Makes `handle` the thread's current one. While the thread's locals are being destroyed, which
/// is when a runtime that lay in one is dropped, it changes nothing.
pub(crate) fn enter(handle: Handle) -> ContextGuard {
    let driver = yamanote_driver::context::enter(handle.driver().clone());
    let depth = DEPTH.try_with(|depth| {
        depth.set(depth.get() + 1);
        depth.get()
    });
    let before = CURRENT.try_with(|current| current.replace(Some(handle)));
    ContextGuard {
        before: before.ok().flatten(),
        depth: depth.unwrap_or(0),
        _driver: driver,
    }
}

impl EnterGuard<'_> {
    pub(crate) fn new(context: ContextGuard) -> Self {
        EnterGuard {
            _handle: PhantomData,
            _context: context,
        }
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        let Ok(depth) = DEPTH.try_with(Cell::get) else {
            return;
        };
        if depth != self.depth {
            if std::thread::panicking() {
                return;
            }
            panic!("{OUT_OF_ORDER}");
        }
        DEPTH.set(depth - 1);
        let before = self.before.take();
        let entered = CURRENT.try_with(|current| current.replace(before));
        drop(entered);
    }
}

/// Marks the thread as one that drives tasks, for the time of a `block_on`.
///
/// # Panics
/// When it drives tasks already.
#[track_caller]
pub(crate) fn start_driving(block_in_place: bool) -> EnteredGuard {
    assert!(enter::current() == Entered::No, "{NESTED}");
    enter::set(Entered::Driving { block_in_place })
}

/// `future`, which the caller's caller blocks on, in a span if somebody listens.
#[track_caller]
pub(crate) fn trace_block_on<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let id = || yamanote_task::Id::next().as_u64();
    TaskSpan::block_on(id, Location::caller(), size_of::<F>()).wrap(future)
}

/// Counts that the current task, or the future in `block_on`, must yield: its budget is spent.
pub(crate) fn note_forced_yield() {
    // While the thread's locals are being destroyed, nobody asks for the count.
    let _ = try_with(Handle::note_forced_yield);
}

/// See [`crate::worker_index`].
pub(crate) fn worker_index() -> Option<usize> {
    try_with(|handle| match handle.scheduler() {
        Scheduler::Multi(_) => yamanote_sched::multi::current_worker(),
        Scheduler::Local(local) => local.is_current().then_some(0),
        Scheduler::Sim(_) => Some(0),
    })
    .ok()
    .flatten()
}
