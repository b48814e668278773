//! Spawning with a name: [`TaskBuilder`].

use std::future::Future;
use std::io;

use yamanote_task::{JoinHandle, SpawnMeta};

use crate::blocking;
use crate::context;
use crate::handle::Handle;
use crate::local_set::{self, LocalSet};

/// Makes tasks that have a name, which is told to whoever listens.
///
/// The name goes to subscribers when the feature `tracing` is on; else it costs nothing and
/// changes nothing.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let task = tokio::task::Builder::new().name("adds").spawn(async { 1 + 2 })?;
/// assert_eq!(task.await?, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TaskBuilder<'a> {
    name: Option<&'a str>,
}

impl<'a> TaskBuilder<'a> {
    /// A builder of tasks without a name.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, of tasks called `name`. Names need not differ.
    #[must_use]
    pub fn name(&self, name: &'a str) -> Self {
        Self { name: Some(name) }
    }

    /// Makes a task of `future` on the current runtime, as [`spawn`](crate::spawn()).
    ///
    /// # Panics
    /// Outside of every runtime.
    ///
    /// # Errors
    /// None; other kinds of tasks have some.
    #[track_caller]
    pub fn spawn<Fut>(self, future: Fut) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let meta = self.meta();
        Ok(context::with(|handle| handle.spawn_as(future, meta)))
    }

    /// Makes a task of `future` on the runtime of `handle`.
    ///
    /// # Errors
    /// None.
    #[track_caller]
    pub fn spawn_on<Fut>(self, future: Fut, handle: &Handle) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        Ok(handle.spawn_as(future, self.meta()))
    }

    /// Makes a task of `future`, which need not be `Send`, on the current [`LocalSet`] or local
    /// runtime.
    ///
    /// # Panics
    /// Outside of both.
    ///
    /// # Errors
    /// None.
    #[track_caller]
    pub fn spawn_local<Fut>(self, future: Fut) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + 'static,
        Fut::Output: 'static,
    {
        Ok(local_set::spawn_local_as(future, self.meta()))
    }

    /// Makes a task of `future` on `local_set`; it runs when the set is polled.
    ///
    /// # Errors
    /// None.
    #[track_caller]
    pub fn spawn_local_on<Fut>(
        self,
        future: Fut,
        local_set: &LocalSet,
    ) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + 'static,
        Fut::Output: 'static,
    {
        Ok(local_set.spawn_local_as(future, self.meta()))
    }

    /// Runs `function`, which may block, on a thread of the current runtime's pool, as
    /// [`spawn_blocking`](crate::spawn_blocking).
    ///
    /// # Panics
    /// Outside of every runtime.
    ///
    /// # Errors
    /// When the system will not make a first thread.
    #[track_caller]
    pub fn spawn_blocking<Function, Output>(
        self,
        function: Function,
    ) -> io::Result<JoinHandle<Output>>
    where
        Function: FnOnce() -> Output + Send + 'static,
        Output: Send + 'static,
    {
        let meta = self.meta();
        let handle = context::with(Clone::clone);
        blocking::try_spawn_on(&handle, function, meta)
    }

    /// Runs `function`, which may block, on a thread of the pool of `handle`.
    ///
    /// # Errors
    /// When the system will not make a first thread.
    #[track_caller]
    pub fn spawn_blocking_on<Function, Output>(
        self,
        function: Function,
        handle: &Handle,
    ) -> io::Result<JoinHandle<Output>>
    where
        Function: FnOnce() -> Output + Send + 'static,
        Output: Send + 'static,
    {
        blocking::try_spawn_on(handle, function, self.meta())
    }

    #[track_caller]
    fn meta(self) -> SpawnMeta<'a> {
        SpawnMeta::caller().named(self.name)
    }
}
