//! What a thread needs to run the tasks of a scheduler of one thread: [`Kit`].

use std::collections::VecDeque;

use yamanote_base::rng::Rng;
use yamanote_driver::Driver;
use yamanote_task::Runnable;

use crate::burst;
use crate::countdown::Countdown;

/// Queues, driver and counts; one thread at a time has it.
pub(super) struct Kit {
    pub(super) queue: VecDeque<Runnable>,
    /// Tasks that yielded: they run again after the main future and the driver had their turn.
    pub(super) yielded: VecDeque<Runnable>,
    pub(super) driver: Driver,
    /// Polls until the driver is turned; while the kit is on a desk, it is counted there.
    pub(super) until_turn: u32,
    /// Tasks until the inject queue is looked at first.
    pub(super) until_inject: Countdown,
    pub(super) rng: Rng,
}

impl Kit {
    #[inline]
    pub(super) fn push(&mut self, task: Runnable, yielded: bool) {
        let queue = match yielded {
            true => &mut self.yielded,
            false => &mut self.queue,
        };
        queue.push_back(task);
    }

    /// Gives memory back that many tasks took, if they have run.
    pub(super) fn forget_burst(&mut self) {
        burst::forget(&mut self.queue);
        burst::forget(&mut self.yielded);
    }

    /// Tasks that yielded are to run again, after those that are queued.
    #[inline]
    pub(super) fn end_yields(&mut self) {
        // Nearly always nobody has.
        if self.yielded.is_empty() {
            return;
        }
        if self.queue.is_empty() {
            std::mem::swap(&mut self.queue, &mut self.yielded);
        } else {
            self.queue.append(&mut self.yielded);
        }
    }
}
