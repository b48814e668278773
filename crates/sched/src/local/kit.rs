//! What a thread needs to run the tasks of a scheduler of one thread: [`Kit`].

use std::cell::{Cell, RefCell};

use yamanote_base::rng::Rng;
use yamanote_driver::Driver;
use yamanote_task::Runnable;

use super::queue::Queue;
use crate::countdown::Countdown;

/// So many turns in a row may find nothing for those who yield.
const LOOKS_MAX: u32 = 16;

/// Whether there is a turn when all that could run has yielded.
///
/// Who yields a few times, and then expects what a peer has sent, sees it. Who yields in a loop
/// pays for a few system calls, and then waits for the turns that the count of polls brings.
#[derive(Default)]
pub(super) struct Looks {
    left: Cell<u32>,
    registered: Cell<u64>,
}

impl Looks {
    /// There was something to do, or there was nothing at all and the thread slept.
    #[inline]
    pub(super) fn restart(&self) {
        self.left.set(LOOKS_MAX);
    }

    /// No turn finds anything until something is registered, or the thread has slept.
    pub(super) fn end(&self) {
        self.left.set(0);
    }

    /// Whether to look once more; so many resources were `registered` so far.
    #[inline]
    pub(super) fn take(&self, registered: u64) -> bool {
        let is_over = self.left.get() == 0 && self.registered.get() == registered;
        if !is_over {
            self.count(registered);
        }
        !is_over
    }

    #[cold]
    fn count(&self, registered: u64) {
        if self.registered.replace(registered) != registered {
            self.restart();
        }
        self.left.set(self.left.get() - 1);
    }
}

/// Queues, driver and counts; one thread at a time has it.
pub(super) struct Kit {
    pub(super) queue: Queue<Runnable>,
    /// Tasks that yielded: they run again after the main future and the driver had their turn.
    pub(super) yielded: Queue<Runnable>,
    /// Polls until the driver is turned, and what else is not looked at each time.
    pub(super) until_turn: Countdown,
    /// How many turns those who yield are still given at once, and what was registered then.
    pub(super) looks: Looks,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn count(looks: &Looks, registered: u64) -> u32 {
        let tries = 0..10 * LOOKS_MAX;
        tries.map(|_| u32::from(looks.take(registered))).sum()
    }

    #[test]
    fn looks_end_until_something_is_registered_or_happens() {
        let looks = Looks::default();
        assert_eq!(count(&looks, 0), 0);
        assert_eq!(count(&looks, 1), LOOKS_MAX);
        assert_eq!(count(&looks, 1), 0);
        looks.restart();
        assert_eq!(count(&looks, 1), LOOKS_MAX);
        looks.restart();
        looks.end();
        assert_eq!(count(&looks, 1), 0);
        assert_eq!(count(&looks, 2), LOOKS_MAX);
    }
}
