//! The live tasks of a scheduler: [`TaskList`].
//!
//! A task enters the list when it waits for the first time; until then its one runnable is all
//! there is of it, in a queue or in a runner's hands. So a task that never waits costs the list
//! nothing but two counts. Each shard is a table under a lock of its own; a task enters that of the
//! worker which runs it, so a worker that runs its own tasks meets nobody at the lock.
//! The third of a task's references, counted from its beginning, is the list's from then on.
//!
//! To cancel all tasks is to close the list and to drop what is queued, in this order.

use std::future::Future;
use std::marker::PhantomData;

use yamanote_base::atomic::ListLock;
use yamanote_base::atomic::plain::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use yamanote_base::places::Places;
use yamanote_trace::TaskKind;

use crate::cell::{self, Place};
use crate::header::Reference;
use crate::id::Id;
use crate::join::JoinHandle;
use crate::meta::SpawnMeta;
use crate::resting::Own;
use crate::runnable::{Runnable, TaskRef};
use crate::schedule::Schedule;

/// Shards are told apart up to this number.
const SHARDS_MAX: usize = 4096;

/// The live tasks of a scheduler, in shards.
pub struct TaskList<S> {
    shards: Box<[Shard]>,
    /// How many bits the number of a shard has.
    shard_bits: u32,
    closed: AtomicBool,
    /// Whether tasks have room for a stamp.
    stamped: bool,
    /// What threads count that have no shard to themselves.
    elsewhere: Counts,
    _scheduler: PhantomData<fn(S)>,
}

/// Where a task is in its list: the shard in the lower bits, as many as the list's shards need, and
/// above them the place in that; or that it has not entered it. Written by the first runner, read
/// by those that follow.
pub(crate) struct ListPlace(AtomicU32);

/// Alone on its cache lines, for each worker has one of its own.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    tasks: ListLock<ShardTasks>,
    counts: Counts,
}

/// How many tasks were made and have ended.
#[derive(Default)]
struct Counts {
    spawned: AtomicU64,
    ended: AtomicU64,
}

#[derive(Default)]
struct ShardTasks {
    live: Places<Reference>,
    closed: bool,
}

impl<S: Schedule> TaskList<S> {
    /// An empty list of `shards` shards, at least one; more than 4096 are as good as that. If it is
    /// `stamped`, its tasks can note when they are queued.
    #[must_use]
    pub fn new(shards: usize, stamped: bool) -> Self {
        let shards = (0..shards.clamp(1, SHARDS_MAX)).map(|_| Shard::default());
        let shards: Box<[Shard]> = shards.collect();
        Self {
            shard_bits: shards.len().next_power_of_two().trailing_zeros(),
            shards,
            closed: AtomicBool::new(false),
            stamped,
            elsewhere: Counts::default(),
            _scheduler: PhantomData,
        }
    }

    /// Makes a task of `future`; it gets a handle from `scheduler`, unless `own` has one.
    ///
    /// The runnable is to be queued. There is none if the list is closed: then the task was
    /// cancelled at once.
    #[inline]
    pub fn bind<F>(
        &self,
        own: Own<'_, S>,
        future: F,
        scheduler: impl FnOnce() -> S,
        id: Id,
        meta: SpawnMeta<'_>,
    ) -> (Option<Runnable>, JoinHandle<F::Output>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // SAFETY: a future that is `Send` may be polled and dropped anywhere.
        unsafe { self.bind_as(TaskKind::Task, own, future, scheduler, id, meta) }
    }

    /// [`bind`](Self::bind) for a future that need not be `Send`.
    ///
    /// # Safety
    /// Its runnables are run and dropped, and the list is closed, on the current thread only.
    #[inline]
    pub unsafe fn bind_local<F>(
        &self,
        own: Own<'_, S>,
        future: F,
        scheduler: impl FnOnce() -> S,
        id: Id,
        meta: SpawnMeta<'_>,
    ) -> (Option<Runnable>, JoinHandle<F::Output>)
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        // SAFETY: the caller's promise.
        unsafe { self.bind_as(TaskKind::Local, own, future, scheduler, id, meta) }
    }

    /// # Safety
    /// As [`bind_local`](Self::bind_local), unless the future and its output are `Send`.
    #[inline]
    unsafe fn bind_as<F: Future>(
        &self,
        kind: TaskKind,
        own: Own<'_, S>,
        future: F,
        scheduler: impl FnOnce() -> S,
        id: Id,
        meta: SpawnMeta<'_>,
    ) -> (Option<Runnable>, JoinHandle<F::Output>) {
        let place = Place {
            cells: own.cells,
            scheduler,
            stamped: self.stamped,
        };
        let header = cell::allocate(kind, future, place, id, meta);
        // SAFETY: three references were counted; this is the first, and the first runnable. The
        // third is the list's, or given up by `leave`.
        let runnable = unsafe { Runnable::new(header) };
        // SAFETY: this is the second; the output is what `future` gives.
        let join = unsafe { JoinHandle::new(header) };
        self.count(own.shard, |counts| &counts.spawned);
        if self.is_closed() {
            drop(runnable);
            return (None, join);
        }
        (Some(runnable), join)
    }

    /// Takes a task in, whose reference becomes the list's; `false` if the list is closed. `own`
    /// is the shard that the current thread has to itself, if it has one. For [`Schedule::enter`].
    pub fn enter(&self, own: Option<usize>, task: &TaskRef) -> bool {
        let header = task.0.header();
        let first = self.index_of(own.unwrap_or(header.id().as_u64() as usize));
        let mut shard = first;
        loop {
            let mut tasks = self.shards[shard].tasks.lock();
            if tasks.closed {
                return false;
            }
            if tasks.live.len() < self.tasks_max() {
                // SAFETY: the third reference that was counted at the task's beginning is the
                // list's.
                let listed = unsafe { Reference::from_raw(task.0.as_raw()) };
                // Below that maximum: the lowest place that is free.
                let place = tasks.live.insert(listed);
                header.place.set(place << self.shard_bits | shard as u32);
                return true;
            }
            drop(tasks);
            shard = self.index_of(shard + 1);
            assert!(shard != first, "there are fewer than 2^31 tasks");
        }
    }

    /// How many tasks a shard has room for: no place of theirs comes to what says that there is
    /// none.
    fn tasks_max(&self) -> usize {
        (NOWHERE >> self.shard_bits) as usize
    }

    /// Counts that a task has ended, and takes it off the list; whether the list's reference is
    /// the caller's now to drop. `own` as in [`enter`](Self::enter). For [`Schedule::release`].
    #[inline(always)]
    pub fn leave(&self, own: Option<usize>, task: &TaskRef) -> bool {
        self.count(own, |counts| &counts.ended);
        let header = task.0.header();
        if header.place.is_none() {
            return true;
        }
        let place = header.place.get();
        let shard = place & !(u32::MAX << self.shard_bits);
        let listed = self.shards[shard as usize].remove(place >> self.shard_bits);
        listed.map(Reference::into_raw).is_some()
    }

    /// The shard of the worker with this number, or of whatever else has one.
    #[inline]
    fn index_of(&self, number: usize) -> usize {
        let shards = self.shards.len();
        // Nearly always so. A division, twice a task, would be a twentieth of what a task costs.
        match number < shards {
            true => number,
            false => number % shards,
        }
    }

    #[inline]
    fn count(&self, own: Option<usize>, which: impl FnOnce(&Counts) -> &AtomicU64) {
        match own {
            // Relaxed: counts for people to look at; here one thread writes.
            Some(own) => {
                let count = which(&self.shards[self.index_of(own)].counts);
                count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
            // Relaxed: as above, but here any thread.
            None => _ = which(&self.elsewhere).fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Refuses new tasks, and cancels all there are but those that were never run, which are
    /// cancelled with their runnables. Those that run at this moment on another thread end at the
    /// next place where they wait.
    ///
    /// Futures are dropped on this thread; whatever they do then, also spawn, is allowed.
    pub fn close_and_cancel_all(&self) {
        // Release: pairs with is_closed().
        self.closed.store(true, Ordering::Release);
        for shard in &self.shards {
            for task in shard.close().into_values() {
                let evict = task.header().vtable().evict;
                // SAFETY: `task` is a reference, which keeps it alive.
                unsafe { evict(task.as_raw()) };
            }
        }
    }

    /// Whether the list refuses new tasks.
    #[inline]
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // Acquire: pairs with close_and_cancel_all().
        self.closed.load(Ordering::Acquire)
    }

    /// How many tasks have not ended.
    #[must_use]
    pub fn alive(&self) -> usize {
        // First those that have ended, so that the difference is not negative.
        let ended = self.sum(|counts| &counts.ended);
        let alive = self.spawned().saturating_sub(ended);
        usize::try_from(alive).unwrap_or(usize::MAX)
    }

    /// How many tasks there ever were.
    #[must_use]
    pub fn spawned(&self) -> u64 {
        self.sum(|counts| &counts.spawned)
    }

    fn sum(&self, which: impl Fn(&Counts) -> &AtomicU64) -> u64 {
        let shards = self.shards.iter().map(|shard| &shard.counts);
        let all = shards.chain([&self.elsewhere]);
        // Relaxed: counts for people to look at.
        all.map(|counts| which(counts).load(Ordering::Relaxed))
            .sum()
    }
}

/// In the place of a task that has not entered its list.
const NOWHERE: u32 = u32::MAX;

impl ListPlace {
    /// The task has not entered its list.
    #[inline]
    pub(crate) fn none() -> Self {
        Self(AtomicU32::new(NOWHERE))
    }

    /// Whether the task has not entered its list.
    #[inline]
    pub(crate) fn is_none(&self) -> bool {
        self.get() == NOWHERE
    }

    #[inline]
    fn get(&self) -> u32 {
        // Relaxed: for the runners of the task, who come one after the other.
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, place: u32) {
        // Relaxed: as in get().
        self.0.store(place, Ordering::Relaxed);
    }
}

impl Shard {
    /// Takes no more tasks in; those that are there.
    fn close(&self) -> Places<Reference> {
        let mut tasks = self.tasks.lock();
        tasks.closed = true;
        std::mem::take(&mut tasks.live)
    }

    /// Takes a task out, whose place this is, unless the shard was closed.
    fn remove(&self, place: u32) -> Option<Reference> {
        self.tasks.lock().live.remove(place)
    }
}

impl<S> std::fmt::Debug for TaskList<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskList")
            .field("shards", &self.shards.len())
            .finish_non_exhaustive()
    }
}
