//! A first-in first-out queue of runnables that allocates nothing: [`TaskQueue`].

use std::ptr::NonNull;

use crate::header::Header;
use crate::runnable::Runnable;

/// A first-in first-out queue, linked through the tasks themselves.
///
/// A task has one runnable at most, so it is in one queue at most.
#[derive(Debug, Default)]
pub struct TaskQueue {
    head: Option<NonNull<Header>>,
    tail: Option<NonNull<Header>>,
    len: usize,
}

// SAFETY: the queue owns runnables, which are `Send`.
unsafe impl Send for TaskQueue {}
// SAFETY: a shared queue shows its length only.
unsafe impl Sync for TaskQueue {}

impl TaskQueue {
    /// How many are in the queue.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the queue is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a runnable.
    pub fn push_back(&mut self, task: Runnable) {
        let task = task.into_header();
        set_next(task, None);
        self.link(task, task, 1);
    }

    /// Takes the oldest runnable.
    pub fn pop_front(&mut self) -> Option<Runnable> {
        let head = self.head?;
        self.head = take_next(head);
        if self.head.is_none() {
            self.tail = None;
        }
        self.len -= 1;
        // SAFETY: `push_back` took the runnable's reference, and the queue has no other.
        Some(unsafe { Runnable::new(head) })
    }

    /// Moves all of `other` to the end of this queue.
    pub fn append(&mut self, other: &mut TaskQueue) {
        if let (Some(head), Some(tail)) = (other.head.take(), other.tail.take()) {
            self.link(head, tail, std::mem::take(&mut other.len));
        }
    }

    fn link(&mut self, head: NonNull<Header>, tail: NonNull<Header>, len: usize) {
        match self.tail.replace(tail) {
            Some(last) => set_next(last, Some(head)),
            None => self.head = Some(head),
        }
        self.len += len;
    }
}

impl Drop for TaskQueue {
    fn drop(&mut self) {
        while let Some(task) = self.pop_front() {
            drop(task);
        }
    }
}

fn set_next(task: NonNull<Header>, next: Option<NonNull<Header>>) {
    // SAFETY: the queue owns its runnable, so the task is alive.
    let header = unsafe { task.as_ref() };
    // SAFETY: the one runnable is in this queue, so nobody else touches the link.
    header.queue_next.with_mut(|link| unsafe { *link = next });
}

fn take_next(task: NonNull<Header>) -> Option<NonNull<Header>> {
    // SAFETY: the queue owns its runnable, so the task is alive.
    let header = unsafe { task.as_ref() };
    // SAFETY: the one runnable is in this queue, so nobody else touches the link.
    header.queue_next.with_mut(|link| unsafe { (*link).take() })
}
