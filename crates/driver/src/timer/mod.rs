//! One deadline: [`Timer`]. It enters a wheel when it is polled first and is not due yet.
//!
//! ```text
//!            poll: not due              the driver's turn
//!   UNSET ──────────────────▶ in a wheel ──────────────────▶ fired ── poll ──▶ elapsed
//!     ▲                           │ reset: moves, with its waker                  │
//!     └───────────────────────────┴───────────────── reset ───────────────────────┘
//! ```

pub(crate) mod wheel;

use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::SHUT_DOWN_MESSAGE;
use crate::handle::Handle;
use crate::shard::Shard;
use wheel::{Inserted, Polled};

/// A deadline on the clock of one runtime; may be polled, moved and dropped on any thread.
///
/// It fires at the first millisecond of the clock that is not before the deadline.
#[derive(Debug)]
pub struct Timer {
    handle: Handle,
    deadline: Instant,
    place: Option<Place>,
    elapsed: bool,
}

/// A place in the wheel of one shard; owned by the timer until it is given back.
#[derive(Clone, Copy, Debug)]
struct Place {
    shard: usize,
    index: u32,
}

impl Timer {
    /// A timer for `deadline`, which costs nothing until it is polled.
    #[must_use]
    pub fn new(handle: Handle, deadline: Instant) -> Self {
        Self {
            handle,
            deadline,
            place: None,
            elapsed: false,
        }
    }

    /// A timer for the time when `duration` has gone by on the clock of `handle`.
    ///
    /// What is beyond the clock's range is taken as 30 years, which no process sees.
    #[must_use]
    pub fn after(handle: Handle, duration: Duration) -> Self {
        const FAR: Duration = Duration::from_secs(86_400 * 365 * 30);
        let now = handle.clock().now();
        let deadline = now.checked_add(duration).unwrap_or_else(|| now + FAR);
        Self::new(handle, deadline)
    }

    /// The deadline.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The runtime that it belongs to.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Whether it was found to be over: by a poll, or by the driver after a first poll.
    #[must_use]
    pub fn is_elapsed(&self) -> bool {
        self.elapsed || self.is_fired()
    }

    fn is_fired(&self) -> bool {
        self.place
            .is_some_and(|place| self.shard(place).wheel.lock().is_fired(place.index))
    }

    /// Whether the deadline is over; if not, the task is woken when it is.
    ///
    /// # Panics
    /// When it is not over and the runtime is shut down.
    #[track_caller]
    pub fn poll_elapsed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.elapsed {
            return Poll::Ready(());
        }
        let polled = match self.place {
            None => self.start(cx.waker()),
            Some(place) => self.poll_wheel(place, cx.waker()),
        };
        match polled {
            Polled::Fired => {
                self.elapsed = true;
                self.give_back();
                Poll::Ready(())
            }
            Polled::Waiting | Polled::OtherWaker => Poll::Pending,
            Polled::ShutDown => panic!("{SHUT_DOWN_MESSAGE}"),
        }
    }

    /// Enters the wheel of the current thread's shard, unless it is due.
    fn start(&mut self, waker: &Waker) -> Polled {
        let tick = self.handle.tick_of(self.deadline);
        // A clock that may jump is asked itself; the system's was read at the last turn.
        let now = if self.handle.clock().is_virtual() {
            self.handle.tick_now()
        } else {
            0
        };
        let index = self.handle.shard_here();
        let shard = self.handle.shard(index);
        let mut waker = Some(waker.clone());
        let inserted = shard.wheel.lock().insert(tick, now, &mut waker);
        match inserted {
            Inserted::Due => Polled::Fired,
            Inserted::ShutDown => Polled::ShutDown,
            Inserted::At {
                index: place,
                unpark,
            } => {
                if unpark {
                    self.handle.unpark(index);
                }
                self.place = Some(Place {
                    shard: index,
                    index: place,
                });
                Polled::Waiting
            }
        }
    }

    fn poll_wheel(&self, place: Place, waker: &Waker) -> Polled {
        let wheel = &self.shard(place).wheel;
        let polled = wheel.lock().poll(place.index, waker);
        if polled != Polled::OtherWaker {
            return polled;
        }
        // Cloned and dropped outside of the lock: a waker is somebody else's code.
        let waker = waker.clone();
        let mut locked = wheel.lock();
        let polled = locked.poll(place.index, &waker);
        let unused = match polled {
            Polled::OtherWaker => locked.set_waker(place.index, waker),
            _ => Some(waker),
        };
        drop(locked);
        drop(unused);
        polled
    }

    /// Moves the deadline. Whoever was to be woken by the timer is woken at the new one.
    pub fn reset(&mut self, deadline: Instant) {
        self.deadline = deadline;
        self.elapsed = false;
        let Some(place) = self.place else { return };
        let tick = self.handle.tick_of(deadline);
        let shard = self.shard(place);
        let mut wheel = shard.wheel.lock();
        if wheel.is_fired(place.index) {
            drop(wheel);
            self.give_back();
            return;
        }
        match wheel.move_to(place.index, tick) {
            Inserted::At { unpark: true, .. } => {
                drop(wheel);
                self.handle.unpark(place.shard);
            }
            Inserted::At { unpark: false, .. } | Inserted::ShutDown => {}
            Inserted::Due => {
                // The next poll finds that it is over.
                let waker = wheel.remove(place.index);
                drop(wheel);
                self.place = None;
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }
    }

    /// Leaves the wheel, if it is in one.
    fn give_back(&mut self) {
        if let Some(place) = self.place.take() {
            let waker = self.shard(place).wheel.lock().remove(place.index);
            drop(waker);
        }
    }

    fn shard(&self, place: Place) -> &Shard {
        self.handle.shard(place.shard)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.give_back();
    }
}
