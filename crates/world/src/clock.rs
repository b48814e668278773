//! The clocks of a host: one that only goes forward, and one on the wall that may be wrong.
//!
//! Both follow the world's virtual time, which they may show too fast or too slow. A reading takes
//! 25 ns, so that a program which waits for a clock by looking at it gets somewhere.

use std::time::Duration;

use crate::host::{Host, HostId};
use crate::trace::FaultKind;
use crate::world::{WorldState, nanos};

/// When a world begins, on a wall clock that is right: 2025-01-01, in seconds since 1970.
const BEGIN_S: i128 = 1_735_689_600;
/// How long it takes to read a clock.
const READING_NS: u64 = 25;
const MILLION: i128 = 1_000_000;

/// What a host's clocks show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostClock {
    /// The world's time when the drift was last changed, and what the host's clock showed then.
    anchor_ns: u64,
    shown_ns: u64,
    /// How much too fast it goes, in millionths; above -1,000,000.
    drift_ppm: i64,
    /// How far the wall clock is ahead of the other.
    wall_ahead_ns: i128,
}

impl HostClock {
    /// What it shows when the world's time is `now_ns`.
    pub(crate) fn monotonic_ns(&self, now_ns: u64) -> u64 {
        let passed = now_ns.saturating_sub(self.anchor_ns);
        if self.drift_ppm == 0 {
            return self.shown_ns.saturating_add(passed);
        }
        let shown = i128::from(passed) * (MILLION + i128::from(self.drift_ppm)) / MILLION;
        let shown = u64::try_from(shown).unwrap_or(u64::MAX);
        self.shown_ns.saturating_add(shown)
    }

    /// The world's time when it shows `shown_ns`, if the drift stays as it is.
    pub(crate) fn world_ns(&self, shown_ns: u64) -> u64 {
        let ahead = shown_ns.saturating_sub(self.shown_ns);
        if self.drift_ppm == 0 {
            return self.anchor_ns.saturating_add(ahead);
        }
        let rate = MILLION + i128::from(self.drift_ppm);
        // Rounded up: at that time it shows no less.
        let passed = (i128::from(ahead) * MILLION + rate - 1) / rate;
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        self.anchor_ns.saturating_add(passed)
    }

    /// What the wall clock shows, since 1970; never before.
    pub(crate) fn wall_ns(&self, now_ns: u64) -> u64 {
        let wall = BEGIN_S * 1_000_000_000 + i128::from(self.monotonic_ns(now_ns));
        u64::try_from((wall + self.wall_ahead_ns).max(0)).unwrap_or(u64::MAX)
    }

    fn set_drift(&mut self, now_ns: u64, drift_ppm: i64) {
        self.shown_ns = self.monotonic_ns(now_ns);
        self.anchor_ns = now_ns;
        self.drift_ppm = drift_ppm;
    }
}

impl Host {
    /// Reads the clock that only goes forward: what has gone by since the world began.
    #[must_use]
    pub fn monotonic_now(&self) -> Duration {
        let mut state = self.world().lock();
        state.pass_ns(READING_NS);
        Duration::from_nanos(state.monotonic_ns(self.id()))
    }

    /// Reads the wall clock: what has gone by since 1970.
    #[must_use]
    pub fn wall_now(&self) -> Duration {
        let mut state = self.world().lock();
        state.pass_ns(READING_NS);
        Duration::from_nanos(state.wall_ns(self.id()))
    }

    /// The world's time at which the clock that only goes forward shows `reading`.
    #[must_use]
    pub fn world_time(&self, reading: Duration) -> Duration {
        let state = self.world().lock();
        let clock = &state.hosts.get(self.id()).clock;
        Duration::from_nanos(clock.world_ns(nanos(reading)))
    }

    /// Has the wall clock be ahead of the right time by so many nanoseconds (behind, if negative).
    pub fn set_clock_skew(&self, ahead_ns: i64) {
        let mut state = self.world().lock();
        let clock = &mut state.hosts.get_mut(self.id()).clock;
        clock.wall_ahead_ns = i128::from(ahead_ns);
        state.fault_is(FaultKind::ClockSkew, self.id(), ahead_ns != 0);
    }

    /// Moves the wall clock by so many nanoseconds.
    pub fn jump_clock(&self, by_ns: i64) {
        let mut state = self.world().lock();
        let clock = &mut state.hosts.get_mut(self.id()).clock;
        clock.wall_ahead_ns += i128::from(by_ns);
        state.fault_once(FaultKind::ClockJump, (self.id(), self.id()));
    }

    /// Has both clocks go so many millionths too fast from now on (too slow, if negative).
    ///
    /// # Panics
    /// If they would stand still or go back.
    #[track_caller]
    pub fn set_clock_drift(&self, ppm: i64) {
        assert!(
            i128::from(ppm) > -MILLION,
            "a clock with a drift of {ppm} millionths does not go forward"
        );
        let mut state = self.world().lock();
        let now_ns = state.now_ns();
        let clock = &mut state.hosts.get_mut(self.id()).clock;
        clock.set_drift(now_ns, ppm);
        state.fault_is(FaultKind::ClockDrift, self.id(), ppm != 0);
    }
}

impl WorldState {
    pub(crate) fn monotonic_ns(&self, host: HostId) -> u64 {
        self.hosts.get(host).clock.monotonic_ns(self.now_ns())
    }

    pub(crate) fn wall_ns(&self, host: HostId) -> u64 {
        self.hosts.get(host).clock.wall_ns(self.now_ns())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_drifts_never_goes_back_and_its_inverse_is_exact() {
        let mut clock = HostClock::default();
        let mut last = 0;
        for (now_ns, drift_ppm) in [
            (1_000, 500_000),
            (20_000, -900_000),
            (77_777, 3),
            (100_000, 0),
        ] {
            assert!(clock.monotonic_ns(now_ns) >= last);
            clock.set_drift(now_ns, drift_ppm);
            for later in [0, 1, 17, 12_345] {
                let shown = clock.monotonic_ns(now_ns + later);
                assert!(shown >= last);
                last = shown;
                let world = clock.world_ns(shown);
                assert_eq!(clock.monotonic_ns(world), shown);
                assert!(world <= now_ns + later);
            }
        }
    }

    #[test]
    fn the_wall_clock_begins_in_2025_and_does_not_go_before_1970() {
        let mut clock = HostClock::default();
        assert_eq!(clock.wall_ns(5), 1_735_689_600_000_000_005);
        clock.wall_ahead_ns = -2 * BEGIN_S * 1_000_000_000;
        assert_eq!(clock.wall_ns(5), 0);
    }
}
