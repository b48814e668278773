//! The queue for tasks that come from outside of the workers: [`Inject`].

use std::collections::VecDeque;

use yamanote_base::atomic::plain::{AtomicUsize, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_task::Runnable;

use crate::burst;

/// A first-in first-out queue under a lock, whose length is seen without it.
///
/// Unbounded: it holds each live task at most once.
#[derive(Debug, Default)]
pub struct Inject {
    queue: Mutex<InjectQueue>,
    /// Written under the lock; read without it as a hint (the idle protocol's fences make it
    /// more than a hint where that matters).
    len: AtomicUsize,
    pushes: AtomicUsize,
}

#[derive(Debug, Default)]
struct InjectQueue {
    tasks: VecDeque<Runnable>,
    closed: bool,
}

impl Inject {
    /// Appends `task`; when the queue is closed, the task is cancelled.
    pub fn push(&self, task: Runnable) {
        // Relaxed: a counter.
        self.pushes.fetch_add(1, Ordering::Relaxed);
        let mut queue = self.queue.lock();
        if queue.closed {
            drop(queue);
            drop(task);
            return;
        }
        queue.tasks.push_back(task);
        self.publish_len(&queue);
    }

    /// Appends `batch`, in order; when the queue is closed, the tasks are cancelled.
    pub fn push_batch(&self, mut batch: VecDeque<Runnable>) {
        let mut queue = self.queue.lock();
        if queue.closed {
            drop(queue);
            drop(batch);
            return;
        }
        queue.tasks.append(&mut batch);
        self.publish_len(&queue);
    }

    /// Takes the oldest task.
    #[inline]
    pub fn pop(&self) -> Option<Runnable> {
        match self.is_empty() {
            true => None,
            false => self.pop_batch(1, |_| ()),
        }
    }

    /// Takes up to `most` tasks: the oldest is returned, the others go to `rest`, in order.
    ///
    /// `rest` runs under the lock and may only put the tasks somewhere.
    pub fn pop_batch(&self, most: usize, mut rest: impl FnMut(Runnable)) -> Option<Runnable> {
        if self.is_empty() {
            return None;
        }
        let mut queue = self.queue.lock();
        let first = queue.tasks.pop_front();
        for _ in 1..most {
            match queue.tasks.pop_front() {
                Some(task) => rest(task),
                None => break,
            }
        }
        burst::forget(&mut queue.tasks);
        self.publish_len(&queue);
        first
    }

    /// Cancels what is in the queue, and whatever comes later.
    pub fn close(&self) {
        self.queue.lock().closed = true;
        while let Some(task) = self.pop() {
            drop(task);
        }
    }

    /// Whether the queue is empty, at a glance.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many tasks are in the queue, at a glance.
    #[inline]
    pub fn len(&self) -> usize {
        // Acquire: pairs with the Release in publish_len(); with the fences of the idle protocol
        // a worker's last look before sleeping sees every push before them.
        self.len.load(Ordering::Acquire)
    }

    /// How many tasks came from outside so far.
    pub fn pushes(&self) -> usize {
        // Relaxed: a counter.
        self.pushes.load(Ordering::Relaxed)
    }

    fn publish_len(&self, queue: &InjectQueue) {
        // Release: pairs with the Acquire in len(). Stored under the lock, hence in order.
        self.len.store(queue.tasks.len(), Ordering::Release);
    }
}
