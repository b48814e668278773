//! One deadline: [`Timer`]. It enters a wheel when it is polled first and is not due yet.
//!
//! ```text
//!            poll: not due              the driver's turn
//!   UNSET ──────────────────▶ in a wheel ──────────────────▶ fired ── poll ──▶ elapsed
//!     ▲                           │ reset: moves, with its waker                  │
//!     └───────────────────────────┴───────────────── reset ───────────────────────┘
//! ```

pub(crate) mod wheel;

use std::ops::DerefMut;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use yamanote_base::waits::{self, Detail};

use crate::handle::Handle;
use crate::{SHUT_DOWN_MESSAGE, clock, context};
use wheel::{Inserted, Polled, Wheel};

/// What is beyond the clock's range is taken as this far away: no process sees it.
const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);

/// A deadline on the clock of one runtime; may be polled, moved and dropped on any thread.
///
/// It fires at the first millisecond of the clock that is not before the deadline. It does not
/// keep its runtime: one that is gone is as one that is shut down, which ends the timer if the
/// runtime is one of those that do, and makes its poll panic if not.
#[derive(Debug)]
pub struct Timer {
    /// The runtime's [`Handle::id`].
    runtime: usize,
    deadline: Instant,
    // The place, in what a word has room for beside the flags; `NOWHERE` if there is none.
    index: u32,
    shard: u16,
    stage: Stage,
    ends_with_runtime: bool,
}

/// What is known of a timer's deadline, beside what its place tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was asked of it.
    New,
    /// It was moved: from then on whoever asks is told, also without a poll.
    Moved,
    /// A poll has found that it is over.
    Elapsed,
}

/// What a timer knows of its runtime.
///
/// Two words, which a call returns in registers, as it does an `Instant`. A whole [`Timer`] would
/// be returned in memory, in parts, and be copied on by wider loads: each of these waits until
/// all the parts have left the store buffer, as long as what else a timeout does.
#[derive(Clone, Copy, Debug)]
struct Owner {
    /// Its [`Handle::id`].
    runtime: usize,
    ends_timers: bool,
}

/// The index of a timer that has no place: more than a wheel ever gives.
const NOWHERE: u32 = u32::MAX;

/// A place in the wheel of one shard; owned by the timer until it is given back.
#[derive(Clone, Copy, Debug)]
struct Place {
    shard: u16,
    index: u32,
}

/// What became of a place whose deadline was moved.
enum Moved {
    /// It is in use.
    In,
    /// It was given back: the timer had fired, or is due. Here is who waited, if he was not woken.
    Out(Option<Waker>),
}

impl Place {
    fn wheel(self, handle: &Handle) -> impl DerefMut<Target = Wheel> + '_ {
        handle.shard(self.shard.into()).wheel.lock()
    }

    fn move_to(self, handle: &Handle, deadline: Instant) -> Moved {
        let mut wheel = self.wheel(handle);
        if wheel.is_fired(self.index) {
            return Moved::Out(wheel.remove(self.index));
        }
        match wheel.move_to(self.index, handle.tick_of(deadline)) {
            Inserted::At { unpark: true, .. } => {
                drop(wheel);
                handle.unpark(self.shard.into());
                Moved::In
            }
            Inserted::At { unpark: false, .. } | Inserted::ShutDown => Moved::In,
            // The next poll finds that it is over.
            Inserted::Due => Moved::Out(wheel.remove(self.index)),
        }
    }
}

impl Owner {
    fn of(handle: &Handle) -> Self {
        Self {
            runtime: handle.id(),
            ends_timers: handle.shutdown_ends_timers(),
        }
    }

    /// The current runtime.
    #[track_caller]
    fn here() -> Self {
        context::with_time(Self::of)
    }
}

/// When `duration` has gone by on the current runtime's clock.
fn deadline_after(duration: Duration) -> Instant {
    let now = clock::now();
    now.checked_add(duration).unwrap_or_else(|| now + FAR)
}

impl Timer {
    /// A timer for `deadline`, which costs nothing until it is polled.
    #[must_use]
    pub fn new(handle: &Handle, deadline: Instant) -> Self {
        Self::of(Owner::of(handle), deadline)
    }

    /// A timer of the current runtime for `deadline`.
    ///
    /// # Panics
    /// Outside of every runtime, and in one without timers.
    #[must_use]
    #[inline]
    #[track_caller]
    pub fn at(deadline: Instant) -> Self {
        Self::of(Owner::here(), deadline)
    }

    /// A timer for the time when `duration` has gone by on the current runtime's clock.
    ///
    /// What is beyond the clock's range is taken as 30 years, which no process sees.
    ///
    /// # Panics
    /// As [`at`](Self::at).
    #[must_use]
    #[inline]
    #[track_caller]
    pub fn after(duration: Duration) -> Self {
        Self::of(Owner::here(), deadline_after(duration))
    }

    #[inline]
    fn of(owner: Owner, deadline: Instant) -> Self {
        Self {
            runtime: owner.runtime,
            deadline,
            index: NOWHERE,
            shard: 0,
            stage: Stage::New,
            ends_with_runtime: owner.ends_timers,
        }
    }

    /// The deadline.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether it was polled, or found to be over, since it was made.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.stage == Stage::Elapsed || self.place().is_some()
    }

    /// Whether it is over: by a poll, or by the driver after a first poll or a reset. With its
    /// runtime such a timer ends, too.
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        match (self.stage, self.place()) {
            (Stage::Elapsed, _) => true,
            (Stage::New, None) => false,
            (_, Some(place)) => self.asks(|handle| place.wheel(handle).is_over(place.index)),
            (Stage::Moved, None) => self.asks(|handle| handle.has_fired_all(self.deadline)),
        }
    }

    #[inline]
    fn place(&self) -> Option<Place> {
        let &Self { index, shard, .. } = self;
        (index != NOWHERE).then_some(Place { shard, index })
    }

    /// What its runtime says; true if that is gone.
    fn asks(&self, is_over: impl FnOnce(&Handle) -> bool) -> bool {
        Handle::with(self.runtime, is_over).unwrap_or(true)
    }

    /// Whether the deadline is over; if not, the task is woken when it is.
    ///
    /// # Panics
    /// When it is not over and the runtime is shut down, unless that ends its timers.
    #[track_caller]
    pub fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.stage == Stage::Elapsed {
            return Poll::Ready(());
        }
        let polled = match self.place() {
            None => self.start(cx.waker()),
            Some(place) => self.poll_wheel(place, cx.waker()),
        };
        match polled {
            Polled::ShutDown if !self.ends_with_runtime => panic!("{SHUT_DOWN_MESSAGE}"),
            Polled::Fired | Polled::ShutDown => {
                self.stage = Stage::Elapsed;
                self.give_back();
                Poll::Ready(())
            }
            Polled::Waiting | Polled::OtherWaker => {
                waits::note(|| ("a timer", Detail::Until(self.deadline)));
                Poll::Pending
            }
        }
    }

    /// Enters the wheel of the current thread's shard, unless it is due.
    fn start(&mut self, waker: &Waker) -> Polled {
        // Cloned and dropped outside of locks and contexts: a waker is somebody else's code.
        let mut waker = Some(waker.clone());
        let deadline = self.deadline;
        let started = Handle::with(self.runtime, |handle| {
            // A clock that may jump is asked itself; the system's was read at the last turn.
            let now = if handle.clock().is_virtual() {
                handle.tick_now()
            } else {
                0
            };
            // Of more shards than a place can tell apart the first are used.
            let shard = handle.shard_here() as u16;
            let mut wheel = handle.shard(shard.into()).wheel.lock();
            let inserted = wheel.insert(handle.tick_of(deadline), now, &mut waker);
            drop(wheel);
            if let Inserted::At { unpark: true, .. } = inserted {
                handle.unpark(shard.into());
            }
            (inserted, shard)
        });
        drop(waker);
        match started {
            Some((Inserted::At { index, .. }, shard)) => {
                (self.shard, self.index) = (shard, index);
                Polled::Waiting
            }
            Some((Inserted::Due, _)) => Polled::Fired,
            Some((Inserted::ShutDown, _)) | None => Polled::ShutDown,
        }
    }

    fn poll_wheel(&self, place: Place, waker: &Waker) -> Polled {
        let look = |handle: &Handle| place.wheel(handle).poll(place.index, waker);
        let polled = Handle::with(self.runtime, look);
        if polled != Some(Polled::OtherWaker) {
            return polled.unwrap_or(Polled::ShutDown);
        }
        // Cloned and dropped outside of the lock, as in start().
        let mut waker = Some(waker.clone());
        let polled = Handle::with(self.runtime, |handle| {
            let mut wheel = place.wheel(handle);
            let polled = waker.as_ref().map(|waker| wheel.poll(place.index, waker));
            if polled == Some(Polled::OtherWaker) {
                let new = waker.take();
                waker = new.and_then(|new| wheel.set_waker(place.index, new));
            }
            polled
        });
        drop(waker);
        polled.flatten().unwrap_or(Polled::ShutDown)
    }

    /// Moves the deadline. Whoever was to be woken by the timer is woken at the new one.
    pub fn reset(&mut self, deadline: Instant) {
        self.deadline = deadline;
        self.stage = Stage::Moved;
        let Some(place) = self.place() else { return };
        let moved = Handle::with(self.runtime, |handle| place.move_to(handle, deadline));
        if let Some(Moved::Out(waker)) = moved {
            self.index = NOWHERE;
            // One that has fired has left its waker with the driver.
            waker.into_iter().for_each(Waker::wake);
        }
    }

    /// Leaves the wheel, if it is in one.
    fn give_back(&mut self) {
        if let Some(place) = self.place() {
            self.index = NOWHERE;
            let remove = |handle: &Handle| place.wheel(handle).remove(place.index);
            drop(Handle::with(self.runtime, remove));
        }
    }
}

impl Drop for Timer {
    #[inline]
    fn drop(&mut self) {
        if self.place().is_some() {
            self.give_back();
        }
    }
}
