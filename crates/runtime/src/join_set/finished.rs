//! Which places of a set have tasks that ended: [`Finished`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Wake, Waker};

use yamanote_base::lock::Mutex;
use yamanote_base::waker_cell::WakerCell;

/// The places whose tasks have ended, in that order, and who waits for the next.
///
/// A note is a hint: it may be late, for a place that has another task by now. There is one at
/// most for each wake of a task's joiner, that is, about one for each task.
#[derive(Debug, Default)]
pub(super) struct Finished {
    places: Mutex<VecDeque<usize>>,
    waiting: WakerCell,
}

/// Notes that the task at one place has ended.
#[derive(Debug)]
pub(super) struct EntryWaker {
    place: usize,
    finished: Arc<Finished>,
}

impl Finished {
    /// Notes that the task at `place` has ended.
    pub(super) fn push(&self, place: usize) {
        self.places.lock().push_back(place);
        self.waiting.wake();
    }

    /// Takes the oldest note.
    pub(super) fn pop(&self) -> Option<usize> {
        self.places.lock().pop_front()
    }

    /// Sets who is woken by the next note; gives back who was before.
    pub(super) fn register(&self, waker: &Waker) -> Option<Waker> {
        self.waiting.replace(waker)
    }
}

impl EntryWaker {
    /// A waker for the task at `place`.
    pub(super) fn new(place: usize, finished: Arc<Finished>) -> Self {
        Self { place, finished }
    }
}

impl Wake for EntryWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.finished.push(self.place);
    }
}
