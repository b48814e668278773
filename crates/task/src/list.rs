//! The live tasks of a scheduler: [`TaskList`].
//!
//! Each shard is an intrusive list under a lock of its own. A task enters the shard that its
//! spawner names and leaves it when it ends, so a worker that spawns and runs its own tasks
//! meets nobody at the lock. The list owns a reference to each of its tasks.

use std::future::Future;
use std::marker::PhantomData;
use std::ptr::NonNull;

use yamanote_base::atomic::plain::{AtomicU64, AtomicUsize, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_trace::TaskKind;

use crate::cell;
use crate::header::{Header, Links, Reference};
use crate::id::Id;
use crate::join::JoinHandle;
use crate::meta::SpawnMeta;
use crate::runnable::{Runnable, TaskRef};
use crate::schedule::Schedule;

/// More workers share shards.
const SHARDS_MAX: usize = 4096;

/// The live tasks of a scheduler, in shards.
pub struct TaskList<S> {
    shards: Box<[Shard]>,
    _scheduler: PhantomData<fn(S)>,
}

/// Alone on its cache lines, for each worker has one of its own.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    tasks: Mutex<ShardTasks>,
    /// Written under the lock, read without it.
    alive: AtomicUsize,
    /// Written under the lock, read without it.
    spawned: AtomicU64,
}

#[derive(Default)]
struct ShardTasks {
    head: Option<NonNull<Header>>,
    closed: bool,
}

// SAFETY: the list owns references, which may be used and dropped on any thread.
unsafe impl Send for ShardTasks {}

impl<S: Schedule> TaskList<S> {
    /// An empty list of `shards` shards, at least one; more than 4096 are as good as that.
    #[must_use]
    pub fn new(shards: usize) -> Self {
        let shards = (0..shards.clamp(1, SHARDS_MAX)).map(|_| Shard::default());
        let shards = shards.collect();
        Self {
            shards,
            _scheduler: PhantomData,
        }
    }

    /// Makes a task of `future` and enters it in a shard.
    ///
    /// The runnable is to be queued. There is none if the list is closed: then the task was
    /// cancelled at once.
    pub fn bind<F>(
        &self,
        shard: usize,
        future: F,
        scheduler: S,
        id: Id,
        meta: SpawnMeta<'_>,
    ) -> (Option<Runnable>, JoinHandle<F::Output>)
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        // SAFETY: a future that is `Send` may be polled and dropped anywhere.
        unsafe { self.bind_as(TaskKind::Task, shard, future, scheduler, id, meta) }
    }

    /// [`bind`](Self::bind) for a future that need not be `Send`.
    ///
    /// # Safety
    /// Its runnables are run and dropped, and the list is closed, on the current thread only.
    pub unsafe fn bind_local<F>(
        &self,
        shard: usize,
        future: F,
        scheduler: S,
        id: Id,
        meta: SpawnMeta<'_>,
    ) -> (Option<Runnable>, JoinHandle<F::Output>)
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        // SAFETY: the caller's promise.
        unsafe { self.bind_as(TaskKind::Local, shard, future, scheduler, id, meta) }
    }

    /// # Safety
    /// As [`bind_local`](Self::bind_local), unless the future and its output are `Send`.
    unsafe fn bind_as<F: Future>(
        &self,
        kind: TaskKind,
        shard: usize,
        future: F,
        scheduler: S,
        id: Id,
        meta: SpawnMeta<'_>,
    ) -> (Option<Runnable>, JoinHandle<F::Output>) {
        let index = shard % self.shards.len();
        let number = u16::try_from(index).expect("there are fewer shards than 2^16");
        let header = cell::allocate(kind, future, scheduler, id, meta, number, 3);
        // SAFETY: three references were counted; this is the first, and the task is scheduled.
        let runnable = unsafe { Runnable::new(header) };
        // SAFETY: this is the second; the output is what `future` gives.
        let join = unsafe { JoinHandle::new(header) };
        // SAFETY: this is the third.
        let listed = unsafe { Reference::from_raw(header) };
        match self.shards[index].push(listed) {
            Ok(()) => (Some(runnable), join),
            Err(unlisted) => {
                drop(runnable);
                drop(unlisted);
                (None, join)
            }
        }
    }

    /// Takes a task off the list; whether it was on it. Its reference is then the caller's to
    /// drop. For [`Schedule::release`].
    pub fn remove(&self, task: &TaskRef) -> bool {
        self.shards[task.0.header().shard as usize].remove(task.0.as_raw())
    }

    /// Refuses new tasks, and cancels all there are. Those that run at this moment on another
    /// thread end at the next place where they wait.
    ///
    /// Futures are dropped on this thread; whatever they do then, also spawn, is allowed.
    pub fn close_and_cancel_all(&self) {
        for shard in &self.shards {
            shard.tasks.lock().closed = true;
            // Bounded: the shard is closed.
            while let Some(task) = shard.pop() {
                if task.header().state.claim_to_cancel() {
                    let cancel = task.header().vtable.cancel;
                    // SAFETY: the line above claimed it.
                    unsafe { cancel(task.as_raw()) };
                }
            }
        }
    }

    /// Whether the list refuses new tasks.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shards[0].tasks.lock().closed
    }

    /// How many tasks are on the list.
    #[must_use]
    pub fn alive(&self) -> usize {
        // Relaxed: a count for people to look at.
        self.shards
            .iter()
            .map(|shard| shard.alive.load(Ordering::Relaxed))
            .sum()
    }

    /// How many tasks ever were.
    #[must_use]
    pub fn spawned(&self) -> u64 {
        // Relaxed: as above.
        self.shards
            .iter()
            .map(|shard| shard.spawned.load(Ordering::Relaxed))
            .sum()
    }
}

impl Shard {
    fn push(&self, task: Reference) -> Result<(), Reference> {
        let mut tasks = self.tasks.lock();
        if tasks.closed {
            return Err(task);
        }
        let this = task.into_raw();
        let next = tasks.head.replace(this);
        with_links(this, |links| {
            *links = Links { prev: None, next };
        });
        set_listed(this, true);
        if let Some(next) = next {
            with_links(next, |links| links.prev = Some(this));
        }
        self.count(1, 1);
        Ok(())
    }

    fn pop(&self) -> Option<Reference> {
        let mut tasks = self.tasks.lock();
        let head = tasks.head?;
        set_listed(head, false);
        self.unlink(&mut tasks, head);
        // SAFETY: the list's reference, which it gives up.
        Some(unsafe { Reference::from_raw(head) })
    }

    fn remove(&self, task: NonNull<Header>) -> bool {
        let mut tasks = self.tasks.lock();
        let listed = set_listed(task, false);
        if listed {
            self.unlink(&mut tasks, task);
        }
        listed
    }

    fn unlink(&self, tasks: &mut ShardTasks, task: NonNull<Header>) {
        let Links { prev, next } = with_links(task, std::mem::take);
        match prev {
            Some(prev) => with_links(prev, |links| links.next = next),
            None => tasks.head = next,
        }
        if let Some(next) = next {
            with_links(next, |links| links.prev = prev);
        }
        self.count(usize::MAX, 0);
    }

    /// Counts, under the lock; `alive` may be the two's complement of a negative number.
    fn count(&self, alive: usize, spawned: u64) {
        // Relaxed: written under the lock, so a load and a store are enough.
        let now = self.alive.load(Ordering::Relaxed).wrapping_add(alive);
        self.alive.store(now, Ordering::Relaxed);
        let total = self.spawned.load(Ordering::Relaxed).wrapping_add(spawned);
        self.spawned.store(total, Ordering::Relaxed);
    }
}

/// Calls `f` with the links of a task of the shard whose lock the caller holds.
fn with_links<R>(task: NonNull<Header>, f: impl FnOnce(&mut Links) -> R) -> R {
    // SAFETY: it is on the list, which owns a reference, or the caller has one.
    let header = unsafe { task.as_ref() };
    // SAFETY: links are touched under the shard's lock only, one task at a time.
    header.links.with_mut(|links| f(unsafe { &mut *links }))
}

/// Notes whether a task of the shard whose lock the caller holds is listed; whether it was.
fn set_listed(task: NonNull<Header>, listed: bool) -> bool {
    // SAFETY: it is on the list, which owns a reference, or the caller has one.
    let header = unsafe { task.as_ref() };
    header.listed.with_mut(|place| {
        // SAFETY: the flag is touched under the shard's lock only.
        unsafe { std::ptr::replace(place, listed) }
    })
}

impl<S> std::fmt::Debug for TaskList<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TaskList")
            .field("shards", &self.shards.len())
            .finish_non_exhaustive()
    }
}
