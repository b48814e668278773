//! Tasks of a set that have a name: [`JoinSetBuilder`].

use std::fmt;
use std::future::Future;
use std::io;

use yamanote_task::AbortHandle;

use super::JoinSet;
use crate::handle::Handle;
use crate::local_set::LocalSet;
use crate::task_builder::TaskBuilder;

/// Makes a task that has a name in a [`JoinSet`]; made by [`JoinSet::build_task`].
///
/// Its methods are those of the set, and fail where those of
/// [`TaskBuilder`](crate::TaskBuilder) do.
#[must_use = "a builder makes no task by itself"]
pub struct JoinSetBuilder<'a, T> {
    set: &'a mut JoinSet<T>,
    builder: TaskBuilder<'a>,
}

impl<T> JoinSet<T> {
    /// A builder for a task of this set, which may be given a name.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut set = tokio::task::JoinSet::new();
    /// set.build_task().name("adds").spawn(async { 1 + 2 })?;
    /// assert_eq!(set.join_all().await, [3]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn build_task(&mut self) -> JoinSetBuilder<'_, T> {
        JoinSetBuilder {
            set: self,
            builder: TaskBuilder::new(),
        }
    }
}

impl<'a, T: 'static> JoinSetBuilder<'a, T> {
    /// The same, of a task called `name`.
    pub fn name(self, name: &'a str) -> Self {
        Self {
            builder: self.builder.name(name),
            ..self
        }
    }

    /// Makes a task of `future` on the current runtime.
    ///
    /// # Panics
    /// Outside of every runtime.
    ///
    /// # Errors
    /// None.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        Ok(self.set.insert(self.builder.spawn(future)?))
    }

    /// Makes a task of `future` on the runtime of `handle`.
    ///
    /// # Errors
    /// None.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        Ok(self.set.insert(self.builder.spawn_on(future, handle)?))
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
    pub fn spawn_local<F>(self, future: F) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        Ok(self.set.insert(self.builder.spawn_local(future)?))
    }

    /// Makes a task of `future` on `local_set`.
    ///
    /// # Errors
    /// None.
    #[track_caller]
    pub fn spawn_local_on<F>(self, future: F, local_set: &LocalSet) -> io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        let handle = self.builder.spawn_local_on(future, local_set)?;
        Ok(self.set.insert(handle))
    }

    /// Runs `f`, which may block, on a thread of the current runtime's pool.
    ///
    /// # Panics
    /// Outside of every runtime.
    ///
    /// # Errors
    /// When the system will not make a first thread.
    #[track_caller]
    pub fn spawn_blocking<F>(self, f: F) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        Ok(self.set.insert(self.builder.spawn_blocking(f)?))
    }

    /// Runs `f`, which may block, on a thread of the pool of `handle`.
    ///
    /// # Errors
    /// When the system will not make a first thread.
    #[track_caller]
    pub fn spawn_blocking_on<F>(self, f: F, handle: &Handle) -> io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        Ok(self.set.insert(self.builder.spawn_blocking_on(f, handle)?))
    }
}

impl<T> fmt::Debug for JoinSetBuilder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSetBuilder")
            .field("set", self.set)
            .field("builder", &self.builder)
            .finish()
    }
}
