//! Each primitive beside a plain sequential model of it: random operations, polls by hand, and
//! futures dropped in every state. After each step both must say the same, and exactly those who
//! can go on must have been woken.

mod barrier;
mod broadcast;
mod locks;
mod mpsc;
mod mpsc_unbounded;
mod notify;
mod once;
mod oneshot;
mod semaphore;
mod watch;

/// How many futures there are at once.
const SLOTS: usize = 5;

/// The longest sequence of operations.
const STEPS: usize = 60;

/// What a model knows of a future that was polled and has no answer yet.
#[derive(Clone, Debug, Default)]
struct Waiting {
    /// It was not woken since it was polled last.
    is_queued: bool,
    wakes: usize,
}

impl Waiting {
    fn wake(&mut self) {
        self.wakes += usize::from(self.is_queued);
        self.is_queued = false;
    }
}
