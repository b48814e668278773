//! What is known of a task beside its future: [`SpawnMeta`] when it is made, [`TaskMeta`] for
//! hooks.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use yamanote_trace::{NewTask, TaskKind, TaskLabel, TaskSpan};

use crate::id::Id;
use crate::stamp::Stamp;

/// A future of more bytes is better put into a box: its task's memory is not recycled, and it
/// would be moved through the stack of whoever spawns it.
pub const LARGE_FUTURE: usize = 8000;

/// Where a task was spawned.
#[derive(Clone, Copy, Debug)]
pub struct SpawnLocation(pub(crate) &'static Location<'static>);

/// Where a task is spawned, and what its spawner tells of it. One word, unless somebody listens.
#[derive(Clone, Copy, Debug)]
pub struct SpawnMeta<'a> {
    location: SpawnLocation,
    label: TaskLabel<'a>,
}

/// What hooks are told of a task.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// let lines = Arc::new(Mutex::new(Vec::new()));
/// let noted = lines.clone();
/// let runtime = tokio::runtime::Builder::new_current_thread()
///     .on_task_spawn(move |meta| noted.lock().unwrap().push(meta.spawned_at().line()))
///     .build()
///     .unwrap();
/// let here = line!() + 1;
/// runtime.spawn(async {});
/// assert_eq!(*lines.lock().unwrap(), [here]);
/// ```
#[derive(Debug)]
pub struct TaskMeta<'a> {
    id: Id,
    spawned_at: SpawnLocation,
    /// How long it waited before the poll that is under way, if one is.
    waited: Option<&'a Stamp>,
}

impl SpawnLocation {
    /// Where the caller was called.
    #[track_caller]
    #[must_use]
    #[inline]
    pub fn caller() -> Self {
        Self(Location::caller())
    }

    /// Whether both are the same record of a place; a place may have several.
    #[inline]
    pub(crate) fn is(self, other: Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }

    /// The place in the source.
    #[must_use]
    #[inline]
    pub fn location(self) -> &'static Location<'static> {
        self.0
    }
}

impl fmt::Display for SpawnLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'a> SpawnMeta<'a> {
    /// A task without a name, spawned where the caller was called.
    #[track_caller]
    #[must_use]
    #[inline]
    pub fn caller() -> Self {
        Self::from(SpawnLocation::caller())
    }

    /// The same, with a name if there is one.
    #[must_use]
    #[inline]
    pub fn named(self, name: Option<&'a str>) -> Self {
        Self {
            label: self.label.named(name),
            ..self
        }
    }

    /// The same, for a future of `size` bytes that was put into a box.
    #[must_use]
    #[inline]
    pub fn boxed_from(self, size: usize) -> Self {
        Self {
            label: self.label.boxed_from(size),
            ..self
        }
    }

    /// Where it is spawned.
    #[must_use]
    #[inline]
    pub fn location(self) -> SpawnLocation {
        self.location
    }

    /// A span for the task, whose future has `size` bytes.
    #[inline]
    pub(crate) fn span(self, kind: TaskKind, id: Id, size: usize) -> TaskSpan {
        TaskSpan::new(&NewTask {
            kind,
            id: id.as_u64(),
            location: self.location.location(),
            size,
            label: self.label,
        })
    }
}

impl From<SpawnLocation> for SpawnMeta<'_> {
    #[inline]
    fn from(location: SpawnLocation) -> Self {
        Self {
            location,
            label: TaskLabel::none(),
        }
    }
}

impl<'a> TaskMeta<'a> {
    /// What hooks are told of the task `id`.
    #[must_use]
    #[inline]
    pub fn new(id: Id, spawned_at: SpawnLocation) -> Self {
        Self {
            id,
            spawned_at,
            waited: None,
        }
    }

    /// The same, of a poll: `stamp` says how long the task waited before.
    #[must_use]
    #[inline]
    pub(crate) fn with_stamp(self, stamp: Option<&'a Stamp>) -> Self {
        Self {
            waited: stamp,
            ..self
        }
    }

    /// The id of the task.
    #[must_use]
    #[inline]
    pub fn id(&self) -> Id {
        self.id
    }

    /// How long the task was runnable before it was polled.
    ///
    /// Known to the hooks before and after a poll, the same to both, if the runtime was told to
    /// `track_task_schedule_latency` or to count the latencies in a histogram. What counts is
    /// when the task was queued: a further wake of a task that is runnable already changes
    /// nothing.
    #[must_use]
    #[inline]
    pub fn schedule_latency(&self) -> Option<Duration> {
        self.waited.and_then(Stamp::waited)
    }

    /// Where the task was spawned.
    #[must_use]
    #[inline]
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.spawned_at.location()
    }
}
