//! Spawning on the current runtime: [`spawn`].

use std::future::Future;

use yamanote_task::{JoinHandle, SpawnMeta};

use crate::context;

/// Makes a task of `future` on the current runtime; it starts at once, whether it is joined or
/// not.
///
/// Dropping the handle detaches the task. When the runtime shuts down, tasks are dropped at the
/// next place where they wait.
///
/// # Panics
/// Outside of every runtime.
// Mostly a future is spawned at one place: there it is put where it stays.
#[inline]
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // Here, for a closure has no caller.
    let meta = SpawnMeta::caller();
    context::with(|handle| handle.spawn_as(future, meta))
}
