//! Once in so many times: [`Countdown`].

use std::cell::Cell;

/// Is over at each so many-th look. (A remainder would be a division each time.)
#[derive(Debug)]
pub(crate) struct Countdown {
    left: Cell<u32>,
    interval: Cell<u32>,
}

impl Countdown {
    /// Over at the look of number `interval`, which is at least 1, and so on.
    pub(crate) fn new(interval: u32) -> Self {
        Self {
            left: Cell::new(interval),
            interval: Cell::new(interval),
        }
    }

    /// The same, but over at the first look already.
    pub(crate) fn begun_over(interval: u32) -> Self {
        Self {
            left: Cell::new(1),
            interval: Cell::new(interval),
        }
    }

    /// Looks once more; whether it is over. Then it begins anew.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.left.set(self.left.get() - 1);
        let is_over = self.left.get() == 0;
        if is_over {
            self.restart();
        }
        is_over
    }

    /// What it counts down to has just been done.
    #[inline]
    pub(crate) fn restart(&self) {
        self.left.set(self.interval.get());
    }

    /// From now on it is over at each `interval`-th look; that is at least 1.
    pub(crate) fn set_interval(&self, interval: u32) {
        self.interval.set(interval);
        self.restart();
    }

    /// It is to be over at the next look.
    pub(crate) fn hasten(&self) {
        self.left.set(1);
    }
}
