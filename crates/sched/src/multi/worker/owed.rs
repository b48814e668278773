//! The turns that a worker makes for others which are stuck, where none sleeps.

use yamanote_base::atomic::plain::Ordering;
use yamanote_base::wake::WakeList;

use super::Desk;

impl Desk {
    /// Turns the drivers of workers that are stuck, if the monitor has left that to who is awake;
    /// whether it has.
    #[inline]
    pub(super) fn make_owed_turns(&self) -> bool {
        let owed = self.multi.0.monitor.take_owed_turns();
        if owed {
            self.turn_for_stuck();
        }
        owed
    }

    #[cold]
    fn turn_for_stuck(&self) {
        let parts = &self.multi.0;
        for (worker, seat) in parts.seats.iter().enumerate() {
            // Relaxed: nothing is published by it; two that see it both look.
            if worker != self.index && seat.is_owed_turn.load(Ordering::Relaxed) {
                seat.is_owed_turn.store(false, Ordering::Relaxed);
                let mut wakes = WakeList::new();
                parts.driver.look(worker, &mut wakes);
                self.deliver(&mut wakes);
            }
        }
    }
}
