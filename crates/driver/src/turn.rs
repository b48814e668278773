//! One turn of a worker's driver: wait, then say what happened. It calls nobody.

use std::time::Duration;

use yamanote_base::linger::{self, Lingering};
use yamanote_base::simulated;
use yamanote_base::wake::WakeList;
use yamanote_world::World;

use crate::handle::{self, Handle};
use crate::shard::Shard;
use crate::unpark::Place;

/// What one worker waits with; owned by one thread at a time.
#[derive(Debug)]
pub struct Driver {
    handle: Handle,
    shard: usize,
    lingering: Lingering,
    /// How long it looks for something to do before it sleeps.
    spin: Duration,
}

/// What a turn found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turned {
    /// I/O events, or events of the world.
    pub events: usize,
    /// Timers that fired.
    pub timers: usize,
    /// Whether an [`unpark`](Handle::unpark) ended the wait. Turns that do not wait leave it.
    pub unparked: bool,
    /// In a simulated world: nothing is to come, neither events nor timers, now or ever.
    pub exhausted: bool,
    /// What had gone by on the clock, if the turn has looked for timers that are due.
    pub now: Option<Duration>,
}

/// How a turn will wait.
struct Wait {
    /// How long at most, on the system's clock.
    limit: Option<Duration>,
    /// If nothing happens, move the paused clock by this.
    jump: Option<Duration>,
}

impl Driver {
    pub(crate) fn new(handle: Handle, shard: usize, spin: Duration) -> Self {
        Self {
            handle,
            shard,
            lingering: Lingering::default(),
            spin,
        }
    }

    /// The handle of the runtime that it is part of.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The number of its shard.
    #[must_use]
    pub fn shard(&self) -> usize {
        self.shard
    }

    /// Waits until something happens, the next timer, an unpark, or `limit`; then collects.
    ///
    /// Sets the readiness of resources, fires timers, and leaves the wakers of all who waited
    /// for them in `wakes`. A `limit` of zero takes what is there, as much as a busy worker is
    /// to take, and leaves an unpark for later: so another worker may turn for one that is busy.
    ///
    /// # Panics
    /// When the system's selector fails, which means that its descriptor is not ours any more.
    pub fn turn(&mut self, limit: Option<Duration>, wakes: &mut WakeList) -> Turned {
        match self.handle.world().cloned() {
            Some(world) => self.turn_world(&world, limit, wakes),
            None => self.turn_system(limit, wakes),
        }
    }

    /// Waits for an unpark on the system's clock, at most for `limit`, and collects nothing: for
    /// what another thread may bring, also in a simulated world in which nothing is to come.
    /// Returns whether one came.
    pub fn await_unpark(&mut self, limit: Duration) -> bool {
        // What it waits with, and how long, is the system's.
        let _outside = simulated::leave();
        let shard = self.handle.shard(self.shard);
        if shard.token.begin_wait(Place::Thread) {
            shard.rest(limit);
            return shard.token.end_wait();
        }
        true
    }

    fn turn_system(&mut self, limit: Option<Duration>, wakes: &mut WakeList) -> Turned {
        if limit == Some(Duration::ZERO) {
            return look(&self.handle, self.shard, wakes);
        }
        let handle = &self.handle;
        let shard = handle.shard(self.shard);
        let mut turned = Turned::default();
        let reactor = handle.reactor_of(self.shard);
        let said = shard.sockets.turn(reactor, wakes);
        if said > 0 {
            // There is something to run.
            turned.events = said + collect(handle, self.shard, wakes);
            fire(handle, shard, wakes, &mut turned);
            return turned;
        }
        let plan = Wait::plan(handle, shard, limit);
        if plan.limit == Some(Duration::ZERO) {
            turned.unparked = shard.token.take();
            turned.events = collect(handle, self.shard, wakes);
        } else if !self.spin.is_zero() {
            turned.events = self.spin(plan.limit, wakes);
            if turned.events == 0 {
                let limit = plan.limit.map(|limit| limit.saturating_sub(self.spin));
                sleep(handle, self.shard, limit, wakes, &mut turned);
            }
        } else {
            let mut wait = self.lingering.begin();
            wait.linger(|| shard.token.is_left());
            sleep(handle, self.shard, plan.limit, wakes, &mut turned);
            let called = turned.unparked && turned.events == 0;
            self.lingering.end(&wait, called);
        }
        if turned.events == 0 && !turned.unparked {
            plan.jump(handle);
        }
        fire(handle, shard, wakes, &mut turned);
        turned
    }

    /// Waits awake, as long as the runtime was told to, and at most for `limit`; ends early when
    /// it is called. Returns how many events came.
    fn spin(&self, limit: Option<Duration>, wakes: &mut WakeList) -> usize {
        let time = limit.map_or(self.spin, |limit| limit.min(self.spin));
        let token = &self.handle.shard(self.shard).token;
        let mut events = 0;
        // Who is called finds that out when it is about to sleep.
        linger::spin(
            time,
            || token.is_left(),
            || {
                events = collect(&self.handle, self.shard, wakes);
                events > 0
            },
        );
        events
    }

    fn turn_world(
        &mut self,
        world: &World,
        limit: Option<Duration>,
        wakes: &mut WakeList,
    ) -> Turned {
        let shard = self.handle.shard(self.shard);
        let mut turned = Turned::default();
        let now = world.now();
        let mut target = now;
        if limit != Some(Duration::ZERO) {
            let next = [world.next_event_at(), next_timer(shard)];
            let next = next.into_iter().flatten().min();
            turned.exhausted = next.is_none();
            if shard.token.begin_wait(Place::Thread) {
                let until = limit.map(|limit| now + limit);
                let next = next.map(|next| until.map_or(next, |until| next.min(until)));
                target = next.unwrap_or(now).max(now);
                turned.unparked = shard.token.end_wait();
            } else {
                turned.unparked = true;
            }
        }
        turned.events = world.advance_to(target, wakes);
        fire(&self.handle, shard, wakes, &mut turned);
        turned
    }
}

impl Wait {
    /// Until the next timer of `shard`, at most for `limit`. The turn must end with [`fire`].
    fn plan(handle: &Handle, shard: &Shard, limit: Option<Duration>) -> Wait {
        let Some(next) = shard.wheel.lock().begin_sleep() else {
            return Wait { limit, jump: None };
        };
        let clock = handle.clock();
        if clock.may_jump() {
            let step = Duration::from_millis(next.saturating_sub(handle.tick_now()));
            return Wait {
                limit: Some(Duration::ZERO),
                jump: Some(step),
            };
        }
        let until = Duration::from_millis(next).saturating_sub(clock.elapsed());
        Wait {
            limit: Some(limit.map_or(until, |limit| limit.min(until))),
            jump: None,
        }
    }

    /// Moves the paused clock as planned.
    fn jump(&self, handle: &Handle) {
        if let Some(step) = self.jump {
            // Another thread may have resumed it meanwhile; then time goes by of itself.
            let _ = handle.clock().advance(step);
        }
    }
}

/// Sleeps in the selector of the group, or beside it if somebody is there.
fn sleep(
    handle: &Handle,
    shard: usize,
    limit: Option<Duration>,
    wakes: &mut WakeList,
    turned: &mut Turned,
) {
    let (reactor, index) = (handle.reactor_of(shard), shard);
    let shard = handle.shard(index);
    if let Some(mut attendant) = reactor.attend() {
        let limit = handle
            .rings_beside(index)
            .fold(limit, |limit, ring| ring.limit(limit));
        let waits = shard.token.begin_wait(Place::Selector);
        attendant.sleep(if waits { limit } else { Some(Duration::ZERO) });
        turned.unparked = !waits || shard.end_wait();
        turned.events = attendant.collect(wakes);
        drop(attendant);
        turned.events += collect_rings(handle, index, wakes);
    } else if shard.token.begin_wait(Place::Thread) {
        shard.sleep(limit, reactor);
        turned.unparked = shard.end_wait();
    } else {
        turned.unparked = true;
    }
}

/// A turn of the driver of `shard` that does not wait; any thread may do it.
pub(crate) fn look(handle: &Handle, shard: usize, wakes: &mut WakeList) -> Turned {
    let mut turned = Turned {
        events: collect(handle, shard, wakes),
        ..Turned::default()
    };
    fire(handle, handle.shard(shard), wakes, &mut turned);
    turned
}

/// Collects what is there, without waiting; returns how many events that were. Beside a ring of
/// sockets the selector is not asked if nothing else is registered. (Elsewhere it may have to hear
/// of the end of what was: Windows ends the operations of a named pipe that was dropped there.)
fn collect(handle: &Handle, shard: usize, wakes: &mut WakeList) -> usize {
    let reactor = handle.reactor_of(shard);
    if reactor.len() == 0 && handle.shard(shard).sockets.is_made() {
        return collect_rings(handle, shard, wakes);
    }
    match reactor.look(wakes) {
        Some(events) => events + collect_rings(handle, shard, wakes),
        // Who is in the selector sees to the other rings.
        None => {
            let shard = handle.shard(shard);
            shard.ring.collect(reactor, wakes) + shard.sockets.advance(reactor, wakes)
        }
    }
}

/// Collects what the selector of `reactor` tells now, for who has just registered something there.
/// `false`: it was not asked, somebody else is in it.
pub(crate) fn look_beside(handle: &Handle, reactor: usize, wakes: &mut WakeList) -> bool {
    let is_asked = handle.reactor(reactor).look(wakes).is_some();
    if is_asked {
        collect_rings(handle, handle.first_of(reactor), wakes);
    }
    is_asked
}

/// Collects what has ended in the rings of the group, one of which the selector may have named.
fn collect_rings(handle: &Handle, shard: usize, wakes: &mut WakeList) -> usize {
    let reactor = handle.reactor_of(shard);
    let rings = handle.rings_beside(shard);
    let ended: usize = rings.map(|ring| ring.collect(reactor, wakes)).sum();
    let sockets = handle.sockets_beside(shard);
    let said: usize = sockets.map(|ring| ring.advance(reactor, wakes)).sum();
    ended + said
}

/// Ends a turn: fires the timers that are due.
fn fire(handle: &Handle, shard: &Shard, wakes: &mut WakeList, turned: &mut Turned) {
    shard.note_turn();
    if handle.time_enabled() {
        let now = handle.clock().elapsed();
        turned.now = Some(now);
        turned.timers = shard.wheel.lock().fire(handle::millis(now), wakes);
    }
}

/// When the next timer of `shard` is due on the clock.
fn next_timer(shard: &Shard) -> Option<Duration> {
    shard.wheel.lock().next_tick().map(Duration::from_millis)
}
