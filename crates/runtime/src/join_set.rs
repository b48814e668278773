//! A set of tasks, joined in the order in which they end: [`JoinSet`].
//!
//! Each task tells the set by a waker of its own, which notes the task's place; so taking the
//! next one that has ended costs the same however many are in the set.

mod builder;
mod finished;

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use yamanote_base::{budget, waits};
use yamanote_task::{AbortHandle, Id, JoinError, JoinHandle};

use crate::handle::Handle;
use crate::local_set::{self, LocalSet};
use finished::{Finished, PlaceWakers};

pub use builder::JoinSetBuilder;

/// A set of tasks that give a `T` each, joined in the order in which they end; dropping it aborts
/// them all.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut set = tokio::task::JoinSet::new();
/// for number in 0..10 {
///     set.spawn(async move { number * number });
/// }
/// let mut sum = 0;
/// while let Some(joined) = set.join_next().await {
///     sum += joined.unwrap();
/// }
/// assert_eq!(sum, 285);
/// # }
/// ```
pub struct JoinSet<T> {
    /// By place.
    handles: Vec<Option<JoinHandle<T>>>,
    /// The places without a handle.
    free: Vec<usize>,
    wakers: PlaceWakers,
    finished: Arc<Finished>,
    /// Notes that were taken out of `finished`, and come before those that are there.
    notes: VecDeque<usize>,
}

impl<T> JoinSet<T> {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            handles: Vec::new(),
            free: Vec::new(),
            wakers: PlaceWakers::default(),
            finished: Arc::default(),
            notes: VecDeque::new(),
        }
    }

    /// How many tasks are in the set, those that have ended included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.handles.len() - self.free.len()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn handles(&self) -> impl Iterator<Item = &JoinHandle<T>> {
        self.handles.iter().flatten()
    }
}

impl<T: 'static> JoinSet<T> {
    /// Makes a task of `task` on the current runtime.
    ///
    /// # Panics
    /// Outside of every runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(crate::spawn(task))
    }

    /// Makes a task of `task` on the runtime of `handle`.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn(task))
    }

    /// Makes a task of `task` on the current [`LocalSet`] or local runtime.
    ///
    /// # Panics
    /// Outside of both.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(local_set::spawn_local(task))
    }

    /// Makes a task of `task` on `local_set`.
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(local_set.spawn_local(task))
    }

    /// Runs `f`, which may block, on a thread of the current runtime's pool.
    ///
    /// # Panics
    /// Outside of every runtime.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(crate::spawn_blocking(f))
    }

    /// Runs `f`, which may block, on a thread of the pool of `handle`.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn_blocking(f))
    }

    fn insert(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        let place = self.free.pop().unwrap_or_else(|| {
            self.handles.push(None);
            self.handles.len() - 1
        });
        let ended = self.wakers.with(place, &self.finished, |waker| {
            let mut cx = Context::from_waker(waker);
            handle.poll_finished(&mut cx).is_ready()
        });
        self.handles[place] = Some(handle);
        if ended {
            self.finished.push(place);
        }
        abort
    }

    /// Waits for the next task to end, and takes it out of the set; `None` if the set is empty.
    ///
    /// *Cancel safety:* no task is lost when the future is dropped: what it would have returned is
    /// returned the next time.
    ///
    /// # Errors
    /// When the task panicked or was aborted.
    pub async fn join_next(&mut self) -> Option<Result<T, JoinError>> {
        poll_fn(|cx| self.poll_join_next(cx)).await
    }

    /// [`join_next`](Self::join_next) that gives the task's id, too; an error has it already.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let mut set = tokio::task::JoinSet::new();
    /// let id = set.spawn(async { "done" }).id();
    /// assert_eq!(set.join_next_with_id().await.unwrap().unwrap(), (id, "done"));
    /// # }
    /// ```
    pub async fn join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        poll_fn(|cx| self.poll_join_next_with_id(cx)).await
    }

    /// Takes a task that has ended; `None` if there is none, be it that none is in the set or that
    /// all still run.
    ///
    /// # Errors
    /// When the task panicked or was aborted.
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_join_next_with_id()
            .map(|joined| joined.map(|(_, output)| output))
    }

    /// [`try_join_next`](Self::try_join_next) that gives the task's id, too.
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        // Bounded by the notes of tasks that have ended.
        loop {
            if self.notes.is_empty() {
                self.finished.swap(&mut self.notes);
            }
            let place = self.notes.pop_front()?;
            if let Some(joined) = self.take(place) {
                return Some(joined);
            }
        }
    }

    /// Takes the output of the task at `place`, if there is one and it has ended.
    fn take(&mut self, place: usize) -> Option<Result<(Id, T), JoinError>> {
        let entry = self.handles.get_mut(place)?;
        let handle = entry.as_mut()?;
        let id = handle.id();
        // Nothing, if the note is about a task that was in the same place before.
        let joined = handle.try_take()?;
        *entry = None;
        self.free.push(place);
        Some(joined.map(|output| (id, output)))
    }

    /// Polls for the next task to end; the caller's task, the last one that asked, is woken when
    /// one does. `Ready(None)` says that the set is empty.
    ///
    /// `Pending` may also mean that the caller's budget is spent; then it is woken at once.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        let joined = ready!(self.poll_join_next_with_id(cx));
        Poll::Ready(joined.map(|joined| joined.map(|(_, output)| output)))
    }

    /// [`poll_join_next`](Self::poll_join_next) that gives the task's id, too.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        if self.is_empty() {
            return Poll::Ready(None);
        }
        let charge = ready!(budget::poll_proceed(cx));
        let mut joined = self.try_join_next_with_id();
        if joined.is_none() {
            let before = self.finished.register(cx.waker());
            // A task may have ended between the look and the registration.
            joined = self.try_join_next_with_id();
            drop(before);
        }
        if joined.is_none() {
            waits::note(|| "JoinSet: the end of a task");
            return Poll::Pending;
        }
        charge.made_progress();
        Poll::Ready(joined)
    }

    /// Aborts all tasks; they stay in the set until they are joined, with an error.
    pub fn abort_all(&mut self) {
        self.handles().for_each(JoinHandle::abort);
    }

    /// Removes all tasks, which go on; nobody gets their outputs.
    pub fn detach_all(&mut self) {
        self.handles.clear();
        self.free.clear();
    }

    /// Aborts all tasks and waits until they have ended. Panics of tasks are ignored.
    ///
    /// *Cancel safety:* the rest is aborted all the same, and stays in the set.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Waits until all tasks have ended; gives their outputs in that order.
    ///
    /// # Panics
    /// When a task panicked or was aborted; the others are aborted then. The panic is the task's.
    ///
    /// *Cancel safety:* none: the set, and with it all tasks, is dropped.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let set: tokio::task::JoinSet<_> = (1..=3).map(|number| async move { number }).collect();
    /// assert_eq!(set.join_all().await.iter().sum::<i32>(), 6);
    /// # }
    /// ```
    pub async fn join_all(mut self) -> Vec<T> {
        let mut outputs = Vec::with_capacity(self.len());
        while let Some(joined) = self.join_next().await {
            match joined {
                Ok(output) => outputs.push(output),
                Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
                Err(error) => panic!("{error}"),
            }
        }
        outputs
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.handles().for_each(JoinHandle::abort);
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(tasks: I) -> Self {
        let mut set = Self::new();
        set.extend(tasks);
        set
    }
}

impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, tasks: I) {
        for task in tasks {
            self.spawn(task);
        }
    }
}
