//! Which time it is in a runtime: [`Clock`], the system's, a paused one, or a world's.
//!
//! A paused clock moves only by [`advance`], or by itself to the next timer when the driver
//! finds nothing else to do. As long as no clock of the process was ever paused or simulated,
//! [`now`] is one load more than the system's clock.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use yamanote_base::atomic::plain::{AtomicBool, AtomicUsize, Ordering};

use yamanote_base::lock::Mutex;
use yamanote_world::{Host, World};

use crate::context;

/// Whether any clock of the process was ever not the system's.
static ANY_VIRTUAL: AtomicBool = AtomicBool::new(false);

/// The clock of a runtime; clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<ClockParts>);

struct ClockParts {
    start: Instant,
    kind: ClockKind,
}

enum ClockKind {
    System(SystemClock),
    World(WorldClock),
}

struct WorldClock {
    world: World,
    pausable: AtomicBool,
}

struct SystemClock {
    pausable: bool,
    /// Whether it was ever paused; before that the reading is the system's.
    touched: AtomicBool,
    reading: Mutex<Reading>,
    /// Whether it was moved by hand since the scheduler last asked.
    stepped: AtomicBool,
    /// How many jobs run that may end without a timer: a paused clock does not jump meanwhile.
    inhibitors: AtomicUsize,
}

/// What a clock that was paused once shows: `base`, and what has gone by since it was resumed.
struct Reading {
    base: Instant,
    resumed_at: Option<Instant>,
}

/// While it lives, a paused clock does not jump to the next timer by itself.
#[derive(Debug)]
#[must_use = "the clock may jump again when this is dropped"]
pub struct Inhibitor(Clock);

/// Why a clock was not paused, resumed or moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockError {
    /// Its runtime has several workers, which would disagree.
    NotPausable,
    /// It is paused already.
    AlreadyPaused,
    /// It is not paused.
    NotPaused,
    /// It cannot show what it would be moved to.
    Overflow,
}

impl Clock {
    /// The system's clock, which may be paused if `pausable`.
    #[must_use]
    pub fn system(pausable: bool) -> Self {
        let start = Instant::now();
        let system = SystemClock {
            pausable,
            touched: AtomicBool::new(false),
            reading: Mutex::new(Reading {
                base: start,
                resumed_at: Some(start),
            }),
            stepped: AtomicBool::new(false),
            inhibitors: AtomicUsize::new(0),
        };
        Self(Arc::new(ClockParts {
            start,
            kind: ClockKind::System(system),
        }))
    }

    /// The system's clock, stopped at its start: so its ticks are whole milliseconds.
    #[must_use]
    pub fn paused() -> Self {
        let clock = Self::system(true);
        if let ClockKind::System(system) = &clock.0.kind {
            system.reading.lock().resumed_at = None;
            // Release: pairs with is_touched() and now(), as in pause().
            system.touched.store(true, Ordering::Release);
            ANY_VIRTUAL.store(true, Ordering::Release);
        }
        clock
    }

    /// The virtual clock of `world`.
    #[must_use]
    pub fn world(world: World) -> Self {
        // Release: pairs with now(); a thread that sees the old value is outside of the world.
        ANY_VIRTUAL.store(true, Ordering::Release);
        let parts = ClockParts {
            start: Instant::now(),
            kind: ClockKind::World(WorldClock {
                world,
                pausable: AtomicBool::new(true),
            }),
        };
        Self(Arc::new(parts))
    }

    /// Has a world's clock refuse to be paused, as that of several workers does.
    pub fn forbid_pausing(&self) {
        if let ClockKind::World(clock) = &self.0.kind {
            // Relaxed: set before any program runs.
            clock.pausable.store(false, Ordering::Relaxed);
        }
    }

    /// What the clock shows.
    #[must_use]
    #[inline]
    pub fn now(&self) -> Instant {
        if any_virtual() {
            self.reading()
        } else {
            Instant::now()
        }
    }

    fn reading(&self) -> Instant {
        match &self.0.kind {
            ClockKind::System(system) => system.now(),
            ClockKind::World(clock) => self.0.start + shown(&clock.world),
        }
    }

    /// What has gone by on the clock when it shows `reading`; in a world, on the world's own
    /// clock, which that of the host may not agree with.
    #[inline]
    pub(crate) fn elapsed_at(&self, reading: Instant) -> Duration {
        let since = reading.saturating_duration_since(self.0.start);
        match &self.0.kind {
            ClockKind::System(_) => since,
            ClockKind::World(clock) => clock.world_time(since),
        }
    }

    /// What has gone by on the clock since it was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match &self.0.kind {
            ClockKind::System(system) => system.now().saturating_duration_since(self.0.start),
            ClockKind::World(clock) => clock.world.now(),
        }
    }

    /// How long it has been there, whatever it was made to show: in a world by the world's clock,
    /// else by the system's.
    #[must_use]
    #[inline]
    pub fn age(&self) -> Duration {
        match &self.0.kind {
            ClockKind::System(_) => self.0.start.elapsed(),
            ClockKind::World(clock) => clock.world.now(),
        }
    }

    /// What it showed when it was made; ticks of timers count from there.
    #[must_use]
    pub fn start(&self) -> Instant {
        self.0.start
    }

    /// Whether it stands still unless somebody moves it.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        match &self.0.kind {
            ClockKind::System(system) => system.is_paused(),
            ClockKind::World(clock) => clock.world.is_still(),
        }
    }

    /// Whether its time may be other than the system's: it was paused once, or is a world's.
    #[must_use]
    #[inline]
    pub fn is_virtual(&self) -> bool {
        any_virtual() && self.is_own_virtual()
    }

    #[cold]
    fn is_own_virtual(&self) -> bool {
        match &self.0.kind {
            ClockKind::System(system) => system.is_touched(),
            ClockKind::World(_) => true,
        }
    }

    /// Stops the clock. That of a world, which goes from event to event anyway, then shows no
    /// time for computing.
    ///
    /// # Errors
    /// [`ClockError`].
    pub fn pause(&self) -> Result<(), ClockError> {
        match &self.0.kind {
            ClockKind::System(system) => system.pause(),
            ClockKind::World(clock) => clock.pause(),
        }
    }

    /// Lets the clock go on from what it shows.
    ///
    /// # Errors
    /// [`ClockError`].
    pub fn resume(&self) -> Result<(), ClockError> {
        match &self.0.kind {
            ClockKind::System(system) => system.resume(),
            ClockKind::World(clock) => clock.resume(),
        }
    }

    /// Moves the clock by `step`. Timers that are due then fire in the next turn.
    ///
    /// # Errors
    /// [`ClockError`].
    pub fn advance(&self, step: Duration) -> Result<(), ClockError> {
        match &self.0.kind {
            ClockKind::System(system) => system.advance(step),
            ClockKind::World(clock) => clock.advance(step),
        }
    }

    /// Set when the clock was moved by [`advance`](Self::advance).
    pub(crate) fn stepped(&self) -> Option<&AtomicBool> {
        match &self.0.kind {
            ClockKind::System(system) => Some(&system.stepped),
            ClockKind::World(_) => None,
        }
    }

    /// Keeps a paused clock from jumping to the next timer by itself, as long as a job runs.
    pub fn inhibit_auto_advance(&self) -> Inhibitor {
        if let ClockKind::System(system) = &self.0.kind {
            // Relaxed: the driver's thread starts the job, or hears of it by an unpark.
            system.inhibitors.fetch_add(1, Ordering::Relaxed);
        }
        Inhibitor(self.clone())
    }

    /// Whether it is paused and nothing keeps it from jumping.
    pub(crate) fn may_jump(&self) -> bool {
        match &self.0.kind {
            // Acquire: pairs with the Release in Inhibitor::drop: what the job did is seen.
            ClockKind::System(system) => {
                system.is_paused() && system.inhibitors.load(Ordering::Acquire) == 0
            }
            ClockKind::World(_) => false,
        }
    }
}

/// What the clock of the host shows on which the thread stands, or the world's own.
fn shown(world: &World) -> Duration {
    context::with_host(Host::monotonic_now, world).unwrap_or_else(|| world.now())
}

impl SystemClock {
    fn is_touched(&self) -> bool {
        // Acquire: pairs with the Release in pause().
        self.touched.load(Ordering::Acquire)
    }

    fn now(&self) -> Instant {
        if !self.is_touched() {
            return Instant::now();
        }
        let reading = self.reading.lock();
        match reading.resumed_at {
            Some(since) => reading.base + since.elapsed(),
            None => reading.base,
        }
    }

    fn is_paused(&self) -> bool {
        self.is_touched() && self.reading.lock().resumed_at.is_none()
    }

    fn pause(&self) -> Result<(), ClockError> {
        if !self.pausable {
            return Err(ClockError::NotPausable);
        }
        let mut reading = self.reading.lock();
        let since = reading.resumed_at.take().ok_or(ClockError::AlreadyPaused)?;
        reading.base += since.elapsed();
        // Release: pairs with is_touched() and now(): who sees it looks at the reading.
        self.touched.store(true, Ordering::Release);
        ANY_VIRTUAL.store(true, Ordering::Release);
        Ok(())
    }

    fn resume(&self) -> Result<(), ClockError> {
        let mut reading = self.reading.lock();
        if reading.resumed_at.is_some() {
            return Err(ClockError::NotPaused);
        }
        reading.resumed_at = Some(Instant::now());
        Ok(())
    }

    fn advance(&self, step: Duration) -> Result<(), ClockError> {
        let mut reading = self.reading.lock();
        if reading.resumed_at.is_some() {
            return Err(ClockError::NotPaused);
        }
        reading.base = reading.base.checked_add(step).ok_or(ClockError::Overflow)?;
        // Relaxed: see take_step().
        self.stepped.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl WorldClock {
    /// What has gone by in the world when the clock of the caller's host shows `since`.
    #[cold]
    fn world_time(&self, since: Duration) -> Duration {
        let of_host = context::with_host(|host| host.world_time(since), &self.world);
        of_host.unwrap_or(since)
    }

    fn pause(&self) -> Result<(), ClockError> {
        // Relaxed: as where it is set.
        if !self.pausable.load(Ordering::Relaxed) {
            return Err(ClockError::NotPausable);
        }
        // To look at the clock takes time as ever, the last time.
        shown(&self.world);
        match self.world.stand_still(true) {
            true => Err(ClockError::AlreadyPaused),
            false => Ok(()),
        }
    }

    fn resume(&self) -> Result<(), ClockError> {
        match self.world.stand_still(false) {
            true => Ok(()),
            false => Err(ClockError::NotPaused),
        }
    }

    fn advance(&self, step: Duration) -> Result<(), ClockError> {
        if !self.world.is_still() {
            return Err(ClockError::NotPaused);
        }
        self.world.skip(step);
        Ok(())
    }
}

impl Drop for Inhibitor {
    fn drop(&mut self) {
        if let ClockKind::System(system) = &self.0.0.kind {
            // Release: pairs with the Acquire in may_jump().
            system.inhibitors.fetch_sub(1, Ordering::Release);
        }
    }
}

impl ClockError {
    /// What Tokio's functions say when they panic for this reason.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            ClockError::NotPausable => {
                "`time::pause()` requires the `current_thread` Tokio runtime. \
                 This is the default Runtime used by `#[tokio::test]."
            }
            ClockError::AlreadyPaused => "time is already frozen",
            ClockError::NotPaused => "time is not frozen",
            ClockError::Overflow => "overflow when adding duration to instant",
        }
    }
}

/// What the current runtime's clock shows; outside of runtimes, the system's.
#[must_use]
pub fn now() -> Instant {
    if !any_virtual() {
        return Instant::now();
    }
    context::try_with(|handle| handle.clock().now()).unwrap_or_else(Instant::now)
}

/// Whether any clock of the process was ever not the system's: else each shows what that shows.
#[inline]
fn any_virtual() -> bool {
    // Acquire: pairs with the Releases above; publishes nothing but itself.
    ANY_VIRTUAL.load(Ordering::Acquire)
}

/// Stops the current runtime's clock.
///
/// # Panics
/// Outside of a runtime, in one with several workers, and when the clock is paused already.
#[track_caller]
pub fn pause() {
    settle(Clock::pause);
}

/// Lets the current runtime's clock go on.
///
/// # Panics
/// Outside of a runtime, and when the clock is not paused.
#[track_caller]
pub fn resume() {
    settle(Clock::resume);
}

/// Moves the current runtime's clock by `step`; timers fire when the driver turns next.
///
/// # Panics
/// Outside of a runtime, when the clock is not paused, and beyond what it can show.
#[track_caller]
pub fn advance(step: Duration) {
    settle(|clock| clock.advance(step));
}

#[track_caller]
fn settle(f: impl FnOnce(&Clock) -> Result<(), ClockError>) {
    match context::try_with(|handle| f(handle.clock())) {
        Some(Ok(())) => {}
        Some(Err(error)) => panic!("{}", error.message()),
        None => panic!("time cannot be frozen from outside the Tokio runtime"),
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("is_paused", &self.is_paused())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_clock_moves_only_when_told() {
        let clock = Clock::system(true);
        assert_eq!(
            clock.advance(Duration::from_secs(1)),
            Err(ClockError::NotPaused)
        );
        clock.pause().unwrap();
        assert_eq!(clock.pause(), Err(ClockError::AlreadyPaused));
        let then = clock.now();
        assert_eq!(clock.now(), then);
        clock.advance(Duration::from_secs(3)).unwrap();
        assert_eq!(clock.now(), then + Duration::from_secs(3));
        assert_eq!(clock.advance(Duration::MAX), Err(ClockError::Overflow));
        assert_eq!(clock.now(), then + Duration::from_secs(3));
        clock.resume().unwrap();
        assert!(clock.now() >= then + Duration::from_secs(3));
        assert_eq!(clock.resume(), Err(ClockError::NotPaused));
    }

    #[test]
    fn a_clock_of_several_workers_is_not_pausable() {
        assert_eq!(Clock::system(false).pause(), Err(ClockError::NotPausable));
    }

    #[test]
    fn it_jumps_only_while_paused_and_not_inhibited() {
        let clock = Clock::system(true);
        assert!(!clock.may_jump());
        clock.pause().unwrap();
        let inhibitor = clock.inhibit_auto_advance();
        assert!(!clock.may_jump());
        drop(inhibitor);
        assert!(clock.may_jump());
    }
}
