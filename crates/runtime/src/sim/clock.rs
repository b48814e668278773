//! The clocks of a host, from above: [`Clock`].

use std::time::{Duration, SystemTime};

/// The clocks of a host: one that only goes forward (`Instant`, timers), and one on the wall that
/// may be wrong (`SystemTime`). Clones are the same.
///
/// Tokio's own `Instant` and timers always follow the first. What a program reads through `std`
/// follows both where simulated threads have the calls of the system replaced.
#[derive(Clone, Debug)]
pub struct Clock {
    host: yamanote_world::Host,
}

impl Clock {
    pub(super) fn new(host: yamanote_world::Host) -> Self {
        Self { host }
    }

    /// The wall clock is this far ahead of the right time.
    pub fn ahead(&self, by: Duration) -> &Self {
        self.host.set_clock_skew(nanos(by));
        self
    }

    /// The wall clock is this far behind the right time.
    pub fn behind(&self, by: Duration) -> &Self {
        self.host.set_clock_skew(-nanos(by));
        self
    }

    /// The wall clock is set forward by so much, now.
    pub fn jump_ahead(&self, by: Duration) -> &Self {
        self.host.jump_clock(nanos(by));
        self
    }

    /// The wall clock is set back by so much, now.
    pub fn jump_back(&self, by: Duration) -> &Self {
        self.host.jump_clock(-nanos(by));
        self
    }

    /// Both clocks go so many millionths too fast from now on (too slow, if negative): `200` is
    /// a bad quartz, `1_000_000` goes twice as fast.
    ///
    /// # Panics
    /// If they would stand still or go back.
    #[track_caller]
    pub fn drift(&self, ppm: i64) -> &Self {
        self.host.set_clock_drift(ppm);
        self
    }

    /// Both clocks are right again, from now on: the one that only goes forward keeps what it is
    /// ahead or behind.
    pub fn heal(&self) {
        self.host.set_clock_drift(0);
        self.set_right();
    }

    /// The wall clock is no more ahead or behind than the other one.
    pub(super) fn set_right(&self) {
        self.host.set_clock_skew(0);
    }

    /// What the wall clock shows.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + self.host.wall_now()
    }

    /// What the clock shows that only goes forward, since the world began.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.host.monotonic_now()
    }
}

/// At most 292 years.
fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
