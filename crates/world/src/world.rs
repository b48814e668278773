//! The world: one virtual clock, one heap of events, one trace; a cheap handle to all of it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use yamanote_base::lock::{Mutex, MutexGuard};
use yamanote_base::wake::WakeList;

use crate::alarm::Alarm;
use crate::choice::{Choice, ChoiceKind, Choices, Divergence, Lane, Script};
use crate::disk::DiskOp;
use crate::event::{Due, EventHeap};
use crate::host::{Host, HostId, Hosts};
use crate::net::NetState;
use crate::net::connection::Close;
use crate::trace::{Entry, Event, FaultKind, Record, Trace};

/// A simulated world; clones are the same world.
#[derive(Clone)]
pub struct World(Arc<WorldCell>);

struct WorldCell {
    seed: u64,
    state: Mutex<WorldState>,
}

/// Everything in a world; touched by whoever holds the lock, which is never held while waking.
pub(crate) struct WorldState {
    now_ns: u64,
    pub(crate) events: EventHeap,
    pub(crate) hosts: Hosts,
    pub(crate) net: NetState,
    choices: Choices,
    trace: Trace,
    /// Whether computing takes no time: the clock moves to events, and by hand.
    is_still: bool,
}

impl World {
    /// An empty world, of which everything follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let state = WorldState {
            now_ns: 0,
            events: EventHeap::default(),
            hosts: Hosts::default(),
            net: NetState::default(),
            choices: Choices::new(seed),
            trace: Trace::new(seed),
            is_still: false,
        };
        Self(Arc::new(WorldCell {
            seed,
            state: Mutex::new(state),
        }))
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.0.seed
    }

    /// Whether both are the same world.
    #[must_use]
    pub fn is_same(&self, other: &World) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The virtual time since the world's beginning.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.lock().now_ns)
    }

    /// When the next event is due, in virtual time since the beginning; may be past already.
    #[must_use]
    pub fn next_event_at(&self) -> Option<Duration> {
        self.lock().events.next_at_ns().map(Duration::from_nanos)
    }

    /// How many events are still to come.
    #[must_use]
    pub fn events_pending(&self) -> usize {
        self.lock().events.len()
    }

    /// Lets all happen that is due until `until`, and sets the clock to it; it never goes back.
    ///
    /// The wakers of who waited for it go to `wakes`. Returns how many events there were.
    pub fn advance_to(&self, until: Duration, wakes: &mut WakeList) -> usize {
        let until_ns = nanos(until);
        let mut state = self.lock();
        let mut count = 0;
        // Bounded: what a delivery causes is due later than itself, by a latency of its own.
        while let Some((at_ns, due)) = state.events.pop_due(until_ns) {
            state.now_ns = state.now_ns.max(at_ns);
            match due {
                Due::Parcel(parcel) => state.deliver(parcel, wakes),
                Due::Alarm(alarm) => alarm.ring(wakes),
                Due::Nudge(nudge) => state.deliver_nudge(&nudge, wakes),
            }
            count += 1;
        }
        state.now_ns = state.now_ns.max(until_ns);
        count
    }

    /// Moves the clock by `step` and lets nothing happen: what a computation takes.
    ///
    /// Returns what the clock shows then, and whether an event is due.
    pub fn spend(&self, step: Duration) -> (Duration, bool) {
        let mut state = self.lock();
        state.pass_ns(nanos(step));
        let is_due = state
            .events
            .next_at_ns()
            .is_some_and(|at_ns| at_ns <= state.now_ns);
        (Duration::from_nanos(state.now_ns), is_due)
    }

    /// Moves the clock by `step`, even where computing takes no time, and lets nothing happen.
    pub fn skip(&self, step: Duration) {
        let mut state = self.lock();
        state.now_ns = state.now_ns.saturating_add(nanos(step));
    }

    /// Says whether computing, and reading a clock, takes no time; returns what was so before.
    pub fn stand_still(&self, is_still: bool) -> bool {
        std::mem::replace(&mut self.lock().is_still, is_still)
    }

    /// Whether computing takes no time.
    #[must_use]
    pub fn is_still(&self) -> bool {
        self.lock().is_still
    }

    /// The host `name` (letters of either case are the same), which is made if there is none.
    ///
    /// # Panics
    /// With more than 65,534 hosts.
    pub fn add_host(&self, name: &str) -> Host {
        let id = self.lock().hosts.add(name);
        self.host(id)
    }

    /// The handle of host `id`.
    ///
    /// # Panics
    /// If it is of another world with more hosts.
    #[must_use]
    pub fn host(&self, id: HostId) -> Host {
        assert!(
            self.lock().hosts.ids().any(|known| known == id),
            "a host of another world"
        );
        Host::new(self.clone(), id)
    }

    /// Every host, in the order of their making.
    #[must_use]
    pub fn hosts(&self) -> Vec<Host> {
        let ids = self.lock().hosts.ids();
        ids.map(|id| Host::new(self.clone(), id)).collect()
    }

    /// Kills all sockets of `host`; the other ends see a reset after the usual latency.
    pub fn crash(&self, host: HostId) {
        let mut state = self.lock();
        state.record(Event::HostCrash(host));
        state.drop_sockets(host, Close::Reset);
        state.hosts.get_mut(host).ears.clear();
    }

    /// Takes the power of `host` away: its sockets are gone, and nobody is told.
    ///
    /// What is left of its disk is drawn from lanes of this loss alone: the n-th of the host, or
    /// the `planned` one, whether those that were planned before it have struck or not.
    pub fn power_off(&self, host: HostId, planned: Option<u32>) {
        let mut state = self.lock();
        state.fault(FaultKind::PowerLoss, (host, host));
        state.drop_sockets(host, Close::Silent);
        state.disk_loses_power(host, planned);
        state.hosts.get_mut(host).is_off = true;
        state.begin_trouble();
    }

    /// Gives `host` its power back: what arrives is answered.
    pub fn power_on(&self, host: HostId) {
        let mut state = self.lock();
        if std::mem::take(&mut state.hosts.get_mut(host).is_off) {
            state.fault_end(FaultKind::PowerLoss, (host, host));
        }
    }

    /// A fault of `host` is over, if it was there.
    pub fn end_fault(&self, kind: FaultKind, host: HostId) {
        self.lock().fault_is(kind, host, false);
    }

    /// An alarm that rings after so much virtual time; reports say `what` it is for.
    pub fn alarm(&self, what: &'static str, after: Duration) -> Alarm {
        let (alarm, cell) = Alarm::new(what);
        let mut state = self.lock();
        let at_ns = state.now_ns.saturating_add(nanos(after));
        state.events.push_alarm(at_ns, cell);
        alarm
    }

    /// When the disk of `host` is done with what it was asked for since the last call; `None` if
    /// it was asked for nothing.
    pub fn settle_disk(&self, host: HostId) -> Option<Alarm> {
        let owed_ns = std::mem::take(&mut self.lock().hosts.get_mut(host).disk.owed_ns);
        (owed_ns > 0).then(|| self.alarm("the disk", Duration::from_nanos(owed_ns)))
    }

    /// Draws a number below `bound` (0 if that is 0) from the stream of `kind`.
    pub fn choose(&self, kind: ChoiceKind, bound: u64) -> u64 {
        self.lock().choose(kind, bound)
    }

    /// [`choose`](Self::choose) of something that concerns `host`.
    pub fn choose_on(&self, kind: ChoiceKind, host: HostId, bound: u64) -> u64 {
        self.lock().choose_on(kind, host, bound)
    }

    /// Has all be drawn as `script` says, as far as it goes.
    pub fn follow(&self, script: Script) {
        self.lock().choices.follow(script);
    }

    /// Where something else was drawn than the script says.
    #[must_use]
    pub fn divergence(&self) -> Option<Divergence> {
        self.lock().choices.divergence()
    }

    /// Keeps a list of all choices from now on.
    pub fn keep_choices(&self) {
        self.lock().choices.keep_log();
    }

    /// The choices made since [`keep_choices`](Self::keep_choices).
    #[must_use]
    pub fn choices(&self) -> Vec<Choice> {
        self.lock().choices.log().to_vec()
    }

    /// Folds `event` into the trace.
    pub fn record(&self, event: Event) {
        self.lock().record(event);
    }

    /// Has no hash be made of what happens from now on: to see what the hash costs.
    pub fn forget_hash(&self) {
        self.lock().trace.forget_hash();
    }

    /// The hash of all that has happened so far.
    #[must_use]
    pub fn trace_hash(&self) -> u128 {
        self.lock().trace.hash()
    }

    /// How many events and choices there were so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.lock().trace.len()
    }

    /// The hash at each [`CHECKPOINT_EVENTS`](crate::trace::CHECKPOINT_EVENTS)th event.
    #[must_use]
    pub fn checkpoints(&self) -> Vec<u128> {
        self.lock().trace.checkpoints().to_vec()
    }

    /// Keeps all events and choices from now on.
    pub fn keep_records(&self) {
        self.lock().trace.keep_log();
    }

    /// The events and choices since [`keep_records`](Self::keep_records).
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        self.lock().trace.log().to_vec()
    }

    /// The last events of `host`, without polls and wakes.
    #[must_use]
    pub fn recent(&self, host: HostId) -> Vec<Record> {
        self.lock().trace.recent(host).collect()
    }

    /// The faults that have begun and not ended.
    #[must_use]
    pub fn faults_in_force(&self) -> Vec<Record> {
        self.lock().trace.in_force().to_vec()
    }

    /// Every fault, as it began and ended.
    #[must_use]
    pub fn faults(&self) -> Vec<Record> {
        self.lock().trace.faults().to_vec()
    }

    /// A record in words, without its time.
    #[must_use]
    pub fn text_of(&self, record: &Record) -> String {
        let state = self.lock();
        match record.entry {
            Entry::Event(event) => event.text(&state.hosts, &state.trace),
            Entry::Choice(choice) => choice.to_string(),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, WorldState> {
        self.0.state.lock()
    }
}

impl WorldState {
    pub(crate) fn now_ns(&self) -> u64 {
        self.now_ns
    }

    /// Lets so much time go by, unless computing takes none, and nothing happen.
    pub(crate) fn pass_ns(&mut self, step_ns: u64) {
        if !self.is_still {
            self.now_ns = self.now_ns.saturating_add(step_ns);
        }
    }

    /// Whether a fault that began with this event has not ended.
    pub(crate) fn is_in_force(&self, begun: Event) -> bool {
        let begun = Entry::Event(begun);
        self.trace
            .in_force()
            .iter()
            .any(|fault| fault.entry == begun)
    }

    pub(crate) fn choose(&mut self, kind: ChoiceKind, bound: u64) -> u64 {
        self.draw(Lane::of(kind, None), bound)
    }

    pub(crate) fn choose_on(&mut self, kind: ChoiceKind, host: HostId, bound: u64) -> u64 {
        self.draw(Lane::of(kind, Some(host)), bound)
    }

    pub(crate) fn draw(&mut self, lane: Lane, bound: u64) -> u64 {
        let choice = self.choices.draw(&self.hosts, lane, bound);
        self.trace.choice(self.now_ns, choice);
        choice.value
    }

    pub(crate) fn record_payload(&mut self, host: HostId, bytes: &[u8]) {
        self.trace.payload(self.now_ns, host, bytes);
    }

    /// Records an operation on the disk of `host`.
    pub(crate) fn record_disk(&mut self, host: HostId, op: DiskOp, path: &Path) {
        let path = self.trace.path_number(path);
        self.record(Event::Disk(host, op, path));
    }

    pub(crate) fn record(&mut self, event: Event) {
        self.trace.event(self.now_ns, event);
    }
}

/// Nanoseconds of virtual time; a world ends after 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("seed", &self.0.seed)
            .finish_non_exhaustive()
    }
}
