//! What one worker's driver shares with all threads: [`Shard`].

use std::time::Duration;

use yamanote_base::atomic::plain::{AtomicUsize, Ordering};
use yamanote_base::atomic::{ListLock, RawCondvar};
use yamanote_base::linger::CallTime;
use yamanote_base::lock::Mutex;
use yamanote_base::wake::WakeList;

use crate::reactor::Reactor;
use crate::ring::ShardRing;
use crate::sockets::ShardSockets;
use crate::timer::wheel::Wheel;
use crate::unpark::{Place, UnparkToken};

/// One worker's wheel of timers, its rings, and where the worker sleeps.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) wheel: ListLock<Wheel>,
    pub(crate) token: UnparkToken,
    pub(crate) ring: ShardRing,
    pub(crate) sockets: ShardSockets,
    /// When the worker was called, if it slept.
    call_time: CallTime,
    /// Counts the turns, of whatever thread; a few may be missing.
    turns: AtomicUsize,
    /// Where the worker sleeps when it does not attend its reactor.
    bed: Bed,
}

/// A condition variable to sleep on.
#[derive(Debug, Default)]
struct Bed {
    lock: Mutex<()>,
    call: RawCondvar,
}

impl Bed {
    /// Sleeps if `asleep` says so, at most for `limit`. May end early: then the turn finds
    /// nothing, and its caller turns again.
    fn sleep(&self, limit: Option<Duration>, asleep: impl Fn() -> bool) {
        let guard = self.lock.lock();
        if !asleep() {
            return;
        }
        let raw = guard.into_raw();
        // A poisoned lock is as good as any: it protects nothing.
        match limit {
            None => drop(self.call.wait(raw)),
            Some(limit) => drop(self.call.wait_timeout(raw, limit)),
        }
    }

    /// Wakes the sleeper, after `asleep` has changed.
    fn wake(&self) {
        // Taken so that the call cannot fall between the sleeper's look and its wait.
        drop(self.lock.lock());
        self.call.notify_one();
    }
}

impl Shard {
    /// That of a worker that `is_alone`, or of one of several.
    pub(crate) fn new(is_alone: bool) -> Self {
        Self {
            wheel: ListLock::new(Wheel::new()),
            token: UnparkToken::new(),
            ring: ShardRing::new(),
            sockets: ShardSockets::new(is_alone),
            call_time: CallTime::default(),
            turns: AtomicUsize::new(0),
            bed: Bed::default(),
        }
    }

    /// How many turns there were, roughly: two calls differ if there was one between them.
    pub(crate) fn turns(&self) -> usize {
        // Acquire: pairs with the Release in note_turn().
        self.turns.load(Ordering::Acquire)
    }

    /// A turn has looked at what the selector found.
    pub(crate) fn note_turn(&self) {
        // Relaxed load: of two threads that turn at once either may count.
        let turns = self.turns.load(Ordering::Relaxed);
        // Release: pairs with turns().
        self.turns.store(turns.wrapping_add(1), Ordering::Release);
    }

    /// Ends the current or the next wait, which may be in `reactor`.
    pub(crate) fn unpark(&self, reactor: &Reactor) {
        let Some(place) = self.token.unpark() else {
            return;
        };
        self.call_time.note();
        match place {
            Place::Selector => reactor.wake(),
            Place::Thread => self.bed.wake(),
        }
    }

    /// Ends a wait that was begun at the token; whether it was unparked meanwhile.
    pub(crate) fn end_wait(&self) -> bool {
        let was_called = self.token.end_wait();
        if was_called {
            self.call_time.arrive();
        }
        was_called
    }

    /// Sleeps on the bed until unparked, at most for `limit`, after `begin_wait(Place::Thread)`.
    /// Returns at once if the worker should attend `reactor` instead.
    pub(crate) fn sleep(&self, limit: Option<Duration>, reactor: &Reactor) {
        if !reactor.wants_attendant() {
            self.bed.sleep(limit, || self.token.is_sleeping());
        }
    }

    /// [`sleep`](Self::sleep) of one whose reactor has nothing to tell, whatever is in it.
    pub(crate) fn rest(&self, limit: Duration) {
        self.bed.sleep(Some(limit), || self.token.is_sleeping());
    }

    pub(crate) fn shut_down(&self, wakes: &mut WakeList) {
        self.wheel.lock().shut_down(wakes);
    }
}
