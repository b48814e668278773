//! What a runtime tells its scheduler: intervals, policies and hooks.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use yamanote_base::rng::SeedSource;
use yamanote_task::TaskMeta;

/// A callback of a worker thread.
pub type Callback = Arc<dyn Fn() + Send + Sync>;

/// A callback about a task.
pub type TaskCallback = Arc<dyn Fn(&TaskMeta<'_>) + Send + Sync>;

/// What happens when a task panics and nobody may ever join it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnhandledPanic {
    /// Nothing: the panic is handed to whoever joins the task.
    #[default]
    Ignore,
    /// The runtime shuts down at once, and `block_on` panics.
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
    /// After a task was made, before its first poll.
    pub on_task_spawn: Option<TaskCallback>,
    /// Before each poll of a task.
    pub before_poll: Option<TaskCallback>,
    /// After each poll of a task.
    pub after_poll: Option<TaskCallback>,
    /// After a task has ended, before its memory is freed.
    pub on_task_terminate: Option<TaskCallback>,
}

/// How a scheduler behaves.
#[derive(Debug)]
pub struct Config {
    /// Task polls between two looks at the driver.
    pub event_interval: u32,
    /// Task polls between two looks at the inject queue first; at least 1.
    pub inject_interval: u32,
    /// Whether the slot for the next task is left out.
    pub disable_lifo_slot: bool,
    /// What a panicking task does to the runtime.
    pub unhandled_panic: UnhandledPanic,
    /// Where threads get their generators.
    pub seeds: SeedSource,
    /// User code to call.
    pub hooks: Hooks,
}

/// A hook that panics has been reported by the panic hook; the scheduler goes on.
impl Hooks {
    /// Calls `hook`, if there is one.
    pub fn call(hook: Option<&Callback>) {
        if let Some(hook) = hook {
            let _ = catch_unwind(AssertUnwindSafe(|| hook()));
        }
    }

    /// Calls `hook` with `meta`, if there is one.
    pub fn call_task(hook: Option<&TaskCallback>, meta: &TaskMeta<'_>) {
        if let Some(hook) = hook {
            let _ = catch_unwind(AssertUnwindSafe(|| hook(meta)));
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}
