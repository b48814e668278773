//! One [`Handle`] per runtime: what every thread may do with its shards, and how they are made.

use std::fmt;
use std::io;
use std::ops::Range;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};
use yamanote_base::atomic::plain::{AtomicBool, AtomicUsize, Ordering};

use yamanote_base::wake::WakeList;
use yamanote_pool::Pool;
use yamanote_sys::request::Request;
use yamanote_world::{Host, World};

use crate::clock::Clock;
use crate::context;
use crate::op::FileRoute;
use crate::reactor::Reactor;
use crate::registry;
use crate::ring::{ShardRing, Tag};
use crate::shard::Shard;
use crate::sockets::ShardSockets;
use crate::turn::{self, Driver, Turned};

/// How many workers share one selector: few enough that they do not wait for each other in the
/// kernel, and enough that a worker is found for an event while others are busy.
const GROUP: usize = 8;

/// How a runtime's drivers are made.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many drivers: one for each worker, at least one.
    pub shards: usize,
    /// Whether sockets may be opened. The selector is there in any case, to wait in.
    pub io: bool,
    /// Whether timers may be set.
    pub time: bool,
    /// Whether the shutdown ends all timers, instead of a panic of whoever polls one later.
    pub shutdown_ends_timers: bool,
    /// The most I/O events that one turn takes that may wait.
    pub events_max: usize,
    /// The most I/O events that a turn takes which does not wait, because its worker is busy.
    pub events_busy_max: usize,
    /// The clock of the runtime. A simulated runtime needs [`Clock::world`].
    pub clock: Clock,
    /// The threads for operations that block.
    pub pool: Pool,
    /// Which way operations on files go.
    pub file_route: FileRoute,
    /// How long a worker looks for something to do before it sleeps.
    pub spin: Duration,
    /// The simulated host that the main function runs on; `None` is the real system.
    pub host: Option<Host>,
}

/// What asks a worker for a turn, for one that looks before each poll.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The clock was moved by hand: timers may be due.
    stepped: Option<&'a AtomicBool>,
    /// Somebody may want readiness that a turn may find: a program that tries, yields and tries
    /// again should see what came meanwhile.
    reactor: &'a Reactor,
}

/// What all threads share of a runtime's drivers; clones are the same.
#[derive(Clone)]
pub struct Handle(Arc<HandleParts>);

pub(crate) struct HandleParts {
    /// What tells it from all other runtimes of the process.
    id: usize,
    shards: Box<[Shard]>,
    /// One for [`GROUP`] shards each.
    reactors: Box<[Reactor]>,
    io: bool,
    time: bool,
    shutdown_ends_timers: bool,
    clock: Clock,
    pool: Pool,
    file_route: FileRoute,
    host: Option<Host>,
    /// Set once by `shut_down`, under no lock; each shard repeats it under its own.
    shut_down: AtomicBool,
    /// Where the next registration from a foreign thread goes.
    next_shard: AtomicUsize,
}

// What a panicking task leaves behind here is whole: user code runs under none of the locks.
impl UnwindSafe for HandleParts {}
impl RefUnwindSafe for HandleParts {}

/// What [`Handle::turn_stamp`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TurnStamp {
    runtime: usize,
    turns: usize,
}

/// The drivers of a runtime, one for each worker, and their common handle.
///
/// # Errors
/// When the system has no descriptors left for the selectors.
pub fn new(config: Config) -> io::Result<(Vec<Driver>, Handle)> {
    let count = config.shards.max(1);
    let reactors: io::Result<Box<[_]>> = (0..count.div_ceil(GROUP))
        .map(|_| Reactor::new(config.events_max, config.events_busy_max))
        .collect();
    let id = registry::next_id();
    let handle = Handle(Arc::new(HandleParts {
        id,
        shards: (0..count).map(|_| Shard::new(count == 1)).collect(),
        reactors: reactors?,
        io: config.io,
        time: config.time,
        shutdown_ends_timers: config.shutdown_ends_timers,
        clock: config.clock,
        pool: config.pool,
        file_route: config.file_route,
        host: config.host,
        shut_down: AtomicBool::new(false),
        next_shard: AtomicUsize::new(0),
    }));
    registry::enter(id, Arc::downgrade(&handle.0));
    let drivers = (0..count)
        .map(|shard| Driver::new(handle.clone(), shard, config.spin))
        .collect();
    Ok((drivers, handle))
}

impl Config {
    /// One driver with I/O and timers on the real system.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        let clock = Clock::system(false);
        Self {
            shards: 1,
            io: true,
            time: true,
            shutdown_ends_timers: false,
            events_max: 1024,
            events_busy_max: 1024,
            clock,
            pool,
            file_route: FileRoute::default(),
            spin: Duration::ZERO,
            host: None,
        }
    }
}

impl Asked<'_> {
    /// Whether somebody has asked since the last call.
    #[must_use]
    #[inline]
    pub fn take(&self) -> bool {
        // Relaxed: hints to the thread that drives, on which they are given nearly always. The
        // loads alone in the usual case.
        let take = |asked: &AtomicBool| {
            asked.load(Ordering::Relaxed) && asked.swap(false, Ordering::Relaxed)
        };
        take(self.reactor.asked()) || self.stepped.is_some_and(take)
    }

    /// How many resources were registered so far.
    #[must_use]
    #[inline]
    pub fn registered_count(&self) -> u64 {
        self.reactor.registered_count()
    }
}

impl Handle {
    /// How many shards there are, and hence drivers.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.0.shards.len()
    }

    /// Ends the current wait of the driver of `shard`, or its next one.
    pub fn unpark(&self, shard: usize) {
        self.0.shards[shard].unpark(self.reactor_of(shard));
    }

    /// Turns the driver of `shard` without waiting: for a worker that does not come to do so.
    pub fn look(&self, shard: usize, wakes: &mut WakeList) -> Turned {
        turn::look(self, shard, wakes)
    }

    /// Unparks a worker that sleeps beside the selector of `shard`, so that it sleeps in there, if
    /// nobody does and there is something to wait for: for a worker that does not come to do so.
    pub fn call_attendant(&self, shard: usize) {
        if self.has_work(shard) {
            self.have_attended_beside(shard);
        }
    }

    /// What asks the worker of `shard` for a turn.
    #[must_use]
    pub fn asked(&self, shard: usize) -> Asked<'_> {
        Asked {
            stepped: self.clock().stepped(),
            reactor: self.reactor_of(shard),
        }
    }

    /// Whether something is registered that the worker of `shard` may have events of.
    #[must_use]
    pub fn has_work(&self, shard: usize) -> bool {
        self.reactor_of(shard).has_work()
    }

    /// Tells whether the drivers have turned: equal stamps say that none has, in this runtime.
    #[must_use]
    pub fn turn_stamp(&self) -> TurnStamp {
        let turns = self.0.shards.iter().map(Shard::turns);
        TurnStamp {
            runtime: self.id(),
            turns: turns.fold(0, usize::wrapping_add),
        }
    }

    /// What tells two turns apart on this thread; that of another thread is another, nearly always.
    /// The low half is enough: that it is right by chance costs a turn.
    pub(crate) fn turns_here(&self) -> u32 {
        self.shard(self.shard_here()).turns() as u32
    }

    /// The runtime's clock.
    #[must_use]
    #[inline]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Whether sockets may be opened.
    #[must_use]
    pub fn io_enabled(&self) -> bool {
        self.0.io
    }

    /// Whether timers may be set.
    #[must_use]
    pub fn time_enabled(&self) -> bool {
        self.0.time
    }

    pub(crate) fn shutdown_ends_timers(&self) -> bool {
        self.0.shutdown_ends_timers
    }

    /// The simulated host that the main function runs on; `None` on the real system.
    ///
    /// Sockets ask [`context::host`] instead, which knows on which host the caller stands.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        self.0.host.as_ref()
    }

    /// The simulated world; `None` on the real system.
    #[must_use]
    pub fn world(&self) -> Option<&World> {
        self.0.host.as_ref().map(Host::world)
    }

    /// The threads for operations that block.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// Which way operations on files go.
    #[must_use]
    pub fn file_route(&self) -> FileRoute {
        self.0.file_route
    }

    /// Whether [`shut_down`](Self::shut_down) was called.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        // Acquire: pairs with the Release in shut_down(); publishes nothing but itself.
        self.0.shut_down.load(Ordering::Acquire)
    }

    /// Checks that it is not shut down.
    ///
    /// # Errors
    /// When it is; see [`is_shutdown_error`](crate::is_shutdown_error).
    pub fn ensure_alive(&self) -> io::Result<()> {
        if self.is_shut_down() {
            Err(crate::shut_down_error())
        } else {
            Ok(())
        }
    }

    /// Ends all waiting: pending operations fail, pending timers panic when polled.
    ///
    /// Their wakers go to `wakes`, and whoever waits in a driver is unparked.
    pub fn shut_down(&self, wakes: &mut WakeList) {
        // Release: pairs with is_shut_down().
        self.0.shut_down.store(true, Ordering::Release);
        for reactor in &self.0.reactors {
            reactor.shut_down(wakes);
        }
        for (index, shard) in self.0.shards.iter().enumerate() {
            shard.shut_down(wakes);
            shard.ring.shut_down(self.reactor_of(index), wakes);
            shard.sockets.shut_down(self.reactor_of(index), wakes);
            self.unpark(index);
        }
    }

    /// How many I/O resources are registered now.
    #[must_use]
    pub fn registrations(&self) -> usize {
        self.0.reactors.iter().map(Reactor::len).sum()
    }

    /// How many I/O resources were registered so far.
    #[must_use]
    pub fn registered_count(&self) -> u64 {
        let reactors = self.0.reactors.iter();
        reactors.map(Reactor::registered_count).sum()
    }

    /// How many I/O resources were registered so far and are not any more.
    #[must_use]
    pub fn deregistered_count(&self) -> u64 {
        let reactors = self.0.reactors.iter();
        reactors.map(Reactor::deregistered_count).sum()
    }

    /// How many I/O events came so far.
    #[must_use]
    pub fn ready_count(&self) -> u64 {
        self.0.reactors.iter().map(Reactor::ready_count).sum()
    }

    /// How many timers are in the wheels now.
    #[must_use]
    pub fn timers(&self) -> usize {
        self.0
            .shards
            .iter()
            .map(|shard| shard.wheel.lock().len())
            .sum()
    }

    /// What tells one runtime of the process from all others; never 0.
    #[inline]
    #[must_use]
    pub fn id(&self) -> usize {
        self.0.id
    }

    pub(crate) fn of(parts: Arc<HandleParts>) -> Self {
        Self(parts)
    }

    /// Calls `f` with the runtime `id`, if it is not gone. That is nearly always the one that the
    /// thread stands in, of which then no reference is counted. `f` must not call user code.
    #[inline]
    pub(crate) fn with<R>(id: usize, f: impl FnOnce(&Handle) -> R) -> Option<R> {
        let mut f = Some(f);
        let here = context::try_with(|handle| match handle.id() == id {
            true => f.take().map(|f| f(handle)),
            false => None,
        });
        match (here.flatten(), f) {
            (None, Some(f)) => registry::find(id).map(|handle| f(&handle)),
            (result, _) => result,
        }
    }

    pub(crate) fn shard(&self, index: usize) -> &Shard {
        &self.0.shards[index]
    }

    pub(crate) fn reactor(&self, index: usize) -> &Reactor {
        &self.0.reactors[index]
    }

    /// The reactor of the group that `shard` belongs to.
    pub(crate) fn reactor_of(&self, shard: usize) -> &Reactor {
        self.reactor(shard / GROUP)
    }

    /// The reactor for what the current thread registers.
    pub(crate) fn reactor_here(&self) -> usize {
        self.shard_here() / GROUP
    }

    /// After a registration with `reactor`: sees to it that somebody attends it. A worker of the
    /// group that is awake does so before it sleeps; that of this thread is let do it. (That a
    /// poll goes on for long afterwards is the monitor's to find, as with any other.)
    pub(crate) fn have_attended(&self, reactor: usize) {
        if self.reactor(reactor).is_attended() {
            return;
        }
        let group = self.group(reactor);
        let is_asleep = |shard: &usize| self.shard(*shard).token.is_sleeping();
        // Its worker may be asleep on another thread, if this one is in `block_in_place`.
        if context::shard_of(self).is_some_and(|own| group.contains(&own) && !is_asleep(&own)) {
            return;
        }
        if let Some(sleeper) = group.clone().find(is_asleep) {
            self.unpark(sleeper);
        }
    }

    /// After something was begun on `shard`: sees to it that somebody attends its reactor.
    pub(crate) fn have_attended_beside(&self, shard: usize) {
        self.have_attended(shard / GROUP);
    }

    /// The rings of the group that `shard` belongs to.
    pub(crate) fn rings_beside(&self, shard: usize) -> impl Iterator<Item = &ShardRing> {
        let group = self.group(shard / GROUP);
        group.map(|index| &self.shard(index).ring)
    }

    /// The socket rings of the group that `shard` belongs to.
    pub(crate) fn sockets_beside(&self, shard: usize) -> impl Iterator<Item = &ShardSockets> {
        let group = self.group(shard / GROUP);
        group.map(|index| &self.shard(index).sockets)
    }

    /// The first shard of the group of `reactor`.
    pub(crate) fn first_of(&self, reactor: usize) -> usize {
        reactor * GROUP
    }

    /// The shards of the group of `reactor`.
    fn group(&self, reactor: usize) -> Range<usize> {
        let first = self.first_of(reactor);
        first..self.shards().min(first + GROUP)
    }

    /// Hands `request` to the ring of `shard`.
    pub(crate) fn submit(&self, shard: usize, request: Request, tag: Tag) {
        let reactor = self.reactor_of(shard);
        self.shard(shard).ring.submit(request, tag, reactor);
        self.have_attended(shard / GROUP);
    }

    /// The shard for what the current thread registers: its own, else each in its turn.
    pub(crate) fn shard_here(&self) -> usize {
        context::shard_of(self).unwrap_or_else(|| {
            // Relaxed: any fair distribution will do.
            self.0.next_shard.fetch_add(1, Ordering::Relaxed) % self.shards()
        })
    }

    /// The first tick (millisecond of the clock) at or after `deadline`.
    pub(crate) fn tick_of(&self, deadline: Instant) -> u64 {
        let since = self.clock().elapsed_at(deadline);
        millis(since.saturating_add(Duration::from_nanos(999_999)))
    }

    /// Whether a worker has fired all that was due at `deadline`.
    pub(crate) fn has_fired_all(&self, deadline: Instant) -> bool {
        let tick = self.tick_of(deadline);
        (0..self.shards()).any(|shard| self.shard(shard).wheel.lock().has_fired_all(tick))
    }

    /// The last tick that has passed.
    pub(crate) fn tick_now(&self) -> u64 {
        millis(self.clock().elapsed())
    }
}

/// Whole milliseconds, which are ticks; half a billion years are never reached.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Drop for HandleParts {
    fn drop(&mut self) {
        registry::leave(self.id);
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("shards", &self.shards())
            .finish_non_exhaustive()
    }
}
