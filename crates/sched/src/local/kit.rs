//! What a thread needs to run the tasks of a scheduler of one thread: [`Kit`].

use std::cell::RefCell;

use yamanote_base::rng::Rng;
use yamanote_driver::Driver;
use yamanote_task::Runnable;

use super::queue::Queue;
use crate::countdown::Countdown;

/// Queues, driver and counts; one thread at a time has it.
pub(super) struct Kit {
    pub(super) queue: Queue<Runnable>,
    /// Tasks that yielded: they run again after the main future and the driver had their turn.
    pub(super) yielded: Queue<Runnable>,
    /// Polls until the driver is turned, and what else is not looked at each time.
    pub(super) until_turn: Countdown,
    /// Tasks until the inject queue is looked at first.
    pub(super) until_inject: Countdown,
    pub(super) driver: RefCell<Driver>,
    pub(super) rng: Rng,
}

impl Kit {
    /// Gives memory back that many tasks took, if they have run.
    pub(super) fn forget_burst(&self) {
        self.queue.forget_burst();
        self.yielded.forget_burst();
    }

    /// Whether no task is to run.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.yielded.is_empty()
    }

    /// Tasks that yielded are to run again, after those that are queued.
    #[inline]
    pub(super) fn end_yields(&self) {
        // Nearly always nobody has.
        if self.yielded.is_empty() {
            return;
        }
        if self.queue.is_empty() {
            self.queue.swap(&self.yielded);
        } else {
            self.queue.append(&self.yielded);
        }
    }
}
