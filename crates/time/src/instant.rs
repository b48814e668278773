//! A moment on the runtime's clock: [`Instant`].

use std::fmt;
use std::ops;
use std::time::Duration;

use yamanote_driver::clock;

/// Far enough that no process sees it, and near enough that every platform can name it.
pub(crate) const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);

/// A moment on the runtime's clock, which tests may pause and move.
///
/// Outside of runtimes it is a moment on the system's clock. Differences never go below zero; sums
/// panic where the platform cannot name the moment, as those of [`std::time::Instant`] do.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// use tokio::time::{Duration, Instant, advance};
///
/// let start = Instant::now();
/// advance(Duration::from_secs(90)).await;
/// assert_eq!(start.elapsed(), Duration::from_secs(90));
/// assert_eq!(start - Instant::now(), Duration::ZERO);
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    std: std::time::Instant,
}

impl Instant {
    /// The moment that is now.
    #[must_use]
    pub fn now() -> Instant {
        Instant { std: clock::now() }
    }

    /// The same moment as a [`std::time::Instant`] of this process.
    #[must_use]
    #[inline]
    pub fn from_std(std: std::time::Instant) -> Instant {
        Instant { std }
    }

    /// The same moment, for what knows the standard library's type only.
    #[must_use]
    #[inline]
    pub fn into_std(self) -> std::time::Instant {
        self.std
    }

    /// A moment that never comes.
    pub(crate) fn far() -> Instant {
        Instant::now() + FAR
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    #[must_use]
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// The time from `earlier` to this; `None` if `earlier` is later.
    #[must_use]
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.std.checked_duration_since(earlier.std)
    }

    /// The time from `earlier` to this; zero if `earlier` is later.
    #[must_use]
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// The time since this moment.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(*self)
    }

    /// The moment `duration` later; `None` if the platform cannot name it.
    #[must_use]
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_add(duration).map(Instant::from_std)
    }

    /// The moment `duration` earlier; `None` if the platform cannot name it.
    #[must_use]
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_sub(duration).map(Instant::from_std)
    }
}

impl From<std::time::Instant> for Instant {
    fn from(std: std::time::Instant) -> Instant {
        Instant::from_std(std)
    }
}

impl From<Instant> for std::time::Instant {
    fn from(instant: Instant) -> std::time::Instant {
        instant.into_std()
    }
}

impl ops::Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant::from_std(self.std + duration)
    }
}

impl ops::AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl ops::Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }
}

impl ops::Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, duration: Duration) -> Instant {
        Instant::from_std(self.std - duration)
    }
}

impl ops::SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std.fmt(f)
    }
}
