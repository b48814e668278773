//! What hooks are told of a task: [`TaskMeta`].

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::id::Id;

/// Where a task was spawned.
#[derive(Clone, Copy, Debug)]
pub struct SpawnLocation(&'static Location<'static>);

/// What hooks are told of a task.
#[derive(Debug)]
pub struct TaskMeta<'a> {
    id: Id,
    spawned_at: SpawnLocation,
    _task: PhantomData<&'a ()>,
}

impl SpawnLocation {
    /// Where the caller was called.
    #[track_caller]
    #[must_use]
    pub fn caller() -> Self {
        Self(Location::caller())
    }

    /// The place in the source.
    #[must_use]
    pub fn location(self) -> &'static Location<'static> {
        self.0
    }
}

impl fmt::Display for SpawnLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TaskMeta<'_> {
    /// What hooks are told of the task `id`.
    #[must_use]
    pub fn new(id: Id, spawned_at: SpawnLocation) -> Self {
        Self {
            id,
            spawned_at,
            _task: PhantomData,
        }
    }

    /// The id of the task.
    #[must_use]
    pub fn id(&self) -> Id {
        self.id
    }

    /// Where the task was spawned.
    #[must_use]
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.spawned_at.location()
    }
}
