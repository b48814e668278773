//! What a runtime tells its scheduler: intervals, policies and hooks.

use std::fmt;
use std::sync::Arc;

use yamanote_base::probe;
use yamanote_base::quietly::quietly;
use yamanote_base::rng::SeedSource;
use yamanote_task::{Id, SpawnLocation, TaskMeta};

use crate::metrics::Measured;

/// A callback of a worker thread.
pub type Callback = Arc<dyn Fn() + Send + Sync>;

/// A callback about a task.
pub type TaskCallback = Arc<dyn Fn(&TaskMeta<'_>) + Send + Sync>;

/// What happens when a task panics.
///
/// ```should_panic
/// use tokio::runtime::{Builder, UnhandledPanic};
///
/// let runtime = Builder::new_multi_thread()
///     .unhandled_panic(UnhandledPanic::ShutdownRuntime)
///     .build()
///     .unwrap();
/// runtime.spawn(async { panic!("a task's own affair, or not") });
/// // Panics: the runtime is gone.
/// runtime.block_on(std::future::pending::<()>());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnhandledPanic {
    /// Nothing happens to others: the panic is handed to whoever joins the task.
    #[default]
    Ignore,
    /// The runtime shuts down at once: all tasks are dropped where they wait, and each
    /// `block_on`, under way or later, panics.
    ShutdownRuntime,
}

/// What `block_on` says when a task has panicked and the policy is to shut down.
pub const UNHANDLED_PANIC: &str =
    "a spawned task panicked and the runtime is configured to shut down on unhandled panic";

/// User code that the scheduler calls.
#[derive(Clone, Default)]
pub struct Hooks {
    /// Before a worker goes to sleep.
    pub before_park: Option<Callback>,
    /// After a worker has woken up.
    pub after_unpark: Option<Callback>,
    /// Before a task is made.
    pub on_task_spawn: Option<TaskCallback>,
    /// Before each poll of a task.
    pub before_poll: Option<TaskCallback>,
    /// After each poll of a task.
    pub after_poll: Option<TaskCallback>,
    /// After a task has ended, before its memory is freed.
    pub on_task_terminate: Option<TaskCallback>,
}

/// Task polls between two looks at the inject queue first, unless told otherwise.
pub const INJECT_INTERVAL: u32 = 31;

/// How a scheduler behaves.
#[derive(Debug)]
pub struct Config {
    /// Task polls between two looks at the driver.
    pub event_interval: u32,
    /// Task polls between two looks at the inject queue first, at least 1; `None` for
    /// [`INJECT_INTERVAL`], or fewer where there are several workers and polls are long.
    pub inject_interval: Option<u32>,
    /// Whether the slot for the next task is left out.
    pub disable_lifo_slot: bool,
    /// What a panicking task does to the runtime.
    pub unhandled_panic: UnhandledPanic,
    /// Where threads get their generators.
    pub seeds: SeedSource,
    /// User code to call.
    pub hooks: Hooks,
    /// What is measured of each poll.
    pub measured: Measured,
}

impl Config {
    /// Whether anybody is to be told of polls and wakes.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        let hooks = &self.hooks;
        let has_hook = hooks.before_poll.is_some() || hooks.after_poll.is_some();
        has_hook || self.measured.stamped || probe::is_listening()
    }
}

/// A hook that panics has been reported by the panic hook; the scheduler goes on.
impl Hooks {
    /// Calls `hook`, if there is one.
    #[inline]
    pub fn call(hook: Option<&Callback>) {
        if let Some(hook) = hook {
            quietly(|| hook());
        }
    }

    /// Tells the spawn hook, if there is one, of the task `id`.
    ///
    /// # Panics
    /// When the hook does: there is no task yet, and its spawner is the one to tell.
    #[inline]
    pub fn before_spawn(&self, id: Id, location: SpawnLocation) {
        if let Some(hook) = &self.on_task_spawn {
            hook(&TaskMeta::new(id, location));
        }
    }

    /// Calls `hook`, if there is one, with what `meta` gives.
    #[inline]
    pub fn call_task<'a>(hook: Option<&TaskCallback>, meta: impl FnOnce() -> TaskMeta<'a>) {
        if let Some(hook) = hook {
            Self::call_task_hook(hook, &meta());
        }
    }

    /// Not inlined: few have hooks.
    #[cold]
    fn call_task_hook(hook: &TaskCallback, meta: &TaskMeta<'_>) {
        quietly(|| hook(meta));
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}
