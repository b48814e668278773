//! Once in so many times: [`Countdown`].

/// Is over at each so many-th look. (A remainder would be a division each time.)
#[derive(Debug)]
pub(crate) struct Countdown {
    left: u32,
    interval: u32,
}

impl Countdown {
    /// Over at the look of number `interval`, which is at least 1, and so on.
    pub(crate) fn new(interval: u32) -> Self {
        Self {
            left: interval,
            interval,
        }
    }

    /// The same, but over at the first look already.
    pub(crate) fn begun_over(interval: u32) -> Self {
        Self { left: 1, interval }
    }

    /// Looks once more; whether it is over. Then it begins anew.
    #[inline]
    pub(crate) fn is_over(&mut self) -> bool {
        self.left -= 1;
        let is_over = self.left == 0;
        if is_over {
            self.restart();
        }
        is_over
    }

    /// What it counts down to has just been done.
    #[inline]
    pub(crate) fn restart(&mut self) {
        self.left = self.interval;
    }
}
