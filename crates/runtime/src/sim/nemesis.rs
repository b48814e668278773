//! What makes a run hard: [`Nemesis`], which injects faults as a [`Swarm`] and the seed say.
//!
//! Each action is planned by four draws, whether it strikes or not, and struck by a fifth of its
//! own kind: a shrinker that sets it to 0 takes this one action out and shifts no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use yamanote_base::hooks;
use yamanote_base::lock::Mutex;
use yamanote_task::{Id, JoinHandle, SpawnMeta};
use yamanote_world::{ChoiceKind, HostId, World};

use super::{Clock, Disk, DiskOp, Host, Net, Sim, SimParts};

/// What an action strikes with; the only draw of an action that counts as a fault.
const STRIKE: u64 = 1 << 32;

/// A sort of fault that a [`Swarm`] may inject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SwarmFault {
    /// A host is killed, and started again after a while.
    Crash,
    /// The hosts fall into two groups that do not reach each other.
    Partition,
    /// One group of hosts does not reach the other, which does reach it.
    OneWay,
    /// What travels between two groups of hosts waits.
    Hold,
    /// The streams between two groups of hosts are reset.
    Reset,
    /// The streams between two groups of hosts are dead, and nobody is told.
    HalfOpen,
    /// A part of what travels between two groups of hosts is lost.
    Loss,
    /// A host stands still, and goes on after a while.
    Pause,
    /// A host loses its power and what it had not synced; it is started again after a while.
    PowerLoss,
    /// The wall clock of a host is wrong by a second to an hour.
    ClockSkew,
    /// The clocks of a host go too fast or too slow, by a hundred to 400,000 millionths.
    ClockDrift,
    /// A part of a host's reads, writes or syncs fails, or finds the disk full.
    DiskErrors,
}

/// Which faults a [`Nemesis`] may inject, and how hard.
///
/// Of the faults that are allowed a seed picks some, and how often they come: a run in which only
/// partitions happen, but many, finds other bugs than one in which a bit of everything happens.
///
/// ```
/// use std::time::Duration;
/// use yamanote_runtime::sim::{Swarm, SwarmFault};
///
/// let swarm = Swarm::default()
///     .only([SwarmFault::Crash])
///     .max_down(1)
///     .every(Duration::from_secs(2));
/// ```
#[derive(Clone, Debug)]
pub struct Swarm {
    faults: BTreeSet<SwarmFault>,
    max_down: Option<usize>,
    every: Duration,
    longest: Duration,
    at_points: f64,
}

/// A nemesis at work; what it has broken is mended when this is dropped.
#[must_use = "the nemesis stops at once when this is dropped"]
pub struct Nemesis {
    parts: Weak<SimParts>,
    task: JoinHandle<()>,
}

type Remedy = Box<dyn FnOnce() + Send>;

/// What mends each fault that is in force, in the order of their beginnings.
#[derive(Default)]
pub(super) struct Remedies(Mutex<RemedyList>);

#[derive(Default)]
struct RemedyList {
    next: u64,
    waiting: BTreeMap<u64, Remedy>,
    /// Actions that were planned, of all nemeses.
    planned: u32,
    down: usize,
    max_down: usize,
}

/// One action, as it was drawn.
struct Action {
    /// Which one: counts also those that do not strike.
    number: u32,
    gap: Duration,
    sort: u64,
    target: u64,
    length: Duration,
    strikes: bool,
}

impl SwarmFault {
    /// Every one.
    pub const ALL: [SwarmFault; 12] = [
        SwarmFault::Crash,
        SwarmFault::Partition,
        SwarmFault::OneWay,
        SwarmFault::Hold,
        SwarmFault::Reset,
        SwarmFault::HalfOpen,
        SwarmFault::Loss,
        SwarmFault::Pause,
        SwarmFault::PowerLoss,
        SwarmFault::ClockSkew,
        SwarmFault::ClockDrift,
        SwarmFault::DiskErrors,
    ];

    /// Kills, and what goes wrong on a network: what every program on several hosts has to bear.
    pub const USUAL: [SwarmFault; 7] = [
        SwarmFault::Crash,
        SwarmFault::Partition,
        SwarmFault::OneWay,
        SwarmFault::Hold,
        SwarmFault::Reset,
        SwarmFault::HalfOpen,
        SwarmFault::Loss,
    ];
}

impl Default for Swarm {
    /// The [usual](SwarmFault::USUAL) faults, at most a minority of the hosts down, a fault each
    /// second or so.
    fn default() -> Self {
        Self {
            faults: SwarmFault::USUAL.into(),
            max_down: None,
            every: Duration::from_secs(1),
            longest: Duration::from_secs(3),
            at_points: 0.0,
        }
    }
}

impl Swarm {
    /// Allows these faults only.
    #[must_use]
    pub fn only(mut self, faults: impl IntoIterator<Item = SwarmFault>) -> Self {
        self.faults = faults.into_iter().collect();
        self
    }

    /// Does not allow this fault.
    #[must_use]
    pub fn without(mut self, fault: SwarmFault) -> Self {
        self.faults.remove(&fault);
        self
    }

    /// At most so many hosts are down, or paused, at a time; a minority unless set, and one of one
    /// or two.
    #[must_use]
    pub fn max_down(mut self, hosts: usize) -> Self {
        self.max_down = Some(hosts);
        self
    }

    /// How long it is from one fault to the next, about: a seed makes it up to four times as much
    /// or as little.
    #[must_use]
    pub fn every(mut self, gap: Duration) -> Self {
        self.every = gap;
        self
    }

    /// How long a fault lasts at most.
    #[must_use]
    pub fn longest(mut self, length: Duration) -> Self {
        self.longest = length;
        self
    }

    /// How likely a host is killed at each `point!` that it passes.
    #[must_use]
    pub fn crash_at_points(mut self, chance: f64) -> Self {
        self.at_points = chance;
        self
    }
}

impl Sim {
    /// Injects faults, as `swarm` allows and the seed says, until the guard is dropped.
    ///
    /// Strikes hosts that have a program; those of [`client`](Self::client)s are not killed, but
    /// may be cut off.
    pub fn nemesis(&self, swarm: Swarm) -> Nemesis {
        let programs = self.parts.programs.names().len();
        let minority = (programs.saturating_sub(1) / 2).max(1);
        self.parts.remedies.0.lock().max_down = swarm.max_down.unwrap_or(minority);
        self.parts.points.set_crash_chance(swarm.at_points);
        let work = work(Arc::downgrade(&self.parts), swarm);
        let task = self.parts.home.spawn(work, Id::next(), SpawnMeta::caller());
        Nemesis {
            parts: Arc::downgrade(&self.parts),
            task,
        }
    }

    /// Ends every fault: hosts that a nemesis has killed or paused go on, and the network, all
    /// disks and all clocks are as at the beginning.
    pub fn heal(&self) {
        self.parts.heal();
    }
}

impl Drop for Nemesis {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(parts) = self.parts.upgrade() {
            parts.points.set_crash_chance(0.0);
            parts.heal();
        }
    }
}

/// Plans and strikes, for ever.
async fn work(parts: Weak<SimParts>, swarm: Swarm) {
    let Some((faults, every)) = parts.upgrade().map(|parts| swarm.pick(parts.world())) else {
        return;
    };
    // Bounded by the task's abort, or the end of the simulation.
    while let Some(action) = parts.upgrade().map(|parts| parts.plan(every, &swarm)) {
        hooks::sleep(action.gap).await;
        let Some(parts) = parts.upgrade() else {
            return;
        };
        let count = faults.len() as u64;
        let fault = usize::try_from(action.sort % count.max(1)).unwrap_or(0);
        if let (Some(fault), true) = (faults.get(fault), action.strikes) {
            parts.strike(*fault, &action);
        }
    }
}

impl Swarm {
    /// The faults of this run, and the time from one to the next.
    fn pick(&self, world: &World) -> (Vec<SwarmFault>, Duration) {
        let draw = |bound| world.choose(ChoiceKind::FaultPlan, bound);
        let spare = draw(self.faults.len() as u64);
        let drawn = self.faults.iter().map(|fault| (*fault, draw(2) == 1));
        let drawn = drawn.collect::<Vec<_>>();
        let mut faults = drawn.iter().filter(|(_, picked)| *picked);
        let mut faults = faults.by_ref().map(|(fault, _)| *fault).collect::<Vec<_>>();
        if faults.is_empty() {
            let spare = usize::try_from(spare).unwrap_or(0);
            faults.extend(drawn.get(spare).map(|(fault, _)| *fault));
        }
        let every = self.every * (1 << draw(5)) / 4;
        (faults, every)
    }
}

impl Action {
    fn draw(number: u32, world: &World, every: Duration, swarm: &Swarm) -> Self {
        let draw = |bound| world.choose(ChoiceKind::FaultPlan, bound);
        let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let wait = world.choose(ChoiceKind::FaultGap, ns(every * 2));
        Self {
            number,
            // Never nought: a calm script draws zeros, and time has to go on.
            gap: every / 8 + Duration::from_nanos(wait) + Duration::from_millis(1),
            sort: draw(u64::from(u32::MAX)),
            target: draw(u64::MAX),
            length: Duration::from_nanos(draw(ns(swarm.longest))),
            strikes: world.choose(ChoiceKind::Strike, STRIKE) > 0,
        }
    }
}

impl SimParts {
    fn plan(&self, every: Duration, swarm: &Swarm) -> Action {
        let mut remedies = self.remedies.0.lock();
        remedies.planned += 1;
        let number = remedies.planned;
        drop(remedies);
        Action::draw(number, self.world(), every, swarm)
    }

    fn strike(self: &Arc<Self>, fault: SwarmFault, action: &Action) {
        match fault {
            SwarmFault::Crash
            | SwarmFault::Pause
            | SwarmFault::PowerLoss
            | SwarmFault::ClockSkew
            | SwarmFault::ClockDrift
            | SwarmFault::DiskErrors => {
                let host = self.target(action.target).into_iter();
                host.for_each(|host| self.strike_host(fault, &host, action));
            }
            _ => self.strike_links(fault, action),
        }
    }

    fn strike_host(self: &Arc<Self>, fault: SwarmFault, host: &Host, action: &Action) {
        // By bits that choose neither the host nor the sort.
        let [sign, size, part] = [16, 17, 21].map(|bit| action.sort >> bit);
        let size = (size % 12) as u32;
        match fault {
            SwarmFault::Pause => {
                self.take_down(host, action.length, Host::pause, Host::resume);
            }
            SwarmFault::PowerLoss => {
                let number = Some(action.number);
                let down = |host: &Host| host.lose_power(number);
                self.take_down(host, action.length, down, start_again);
            }
            SwarmFault::ClockSkew => {
                let by = Duration::from_secs(1 << size);
                let clock = host.clock();
                match sign & 1 {
                    0 => clock.ahead(by),
                    _ => clock.behind(by),
                };
                self.mend_after(action.length, Box::new(move || clock.set_right()));
            }
            SwarmFault::ClockDrift => {
                let ppm = 100 << size;
                let clock = host.clock();
                clock.drift(if sign & 1 == 0 { ppm } else { -ppm });
                let end = move || {
                    clock.drift(0);
                };
                self.mend_after(action.length, Box::new(end));
            }
            SwarmFault::DiskErrors => {
                let ops = [DiskOp::Write, DiskOp::Sync, DiskOp::Read];
                let op = ops[size as usize % ops.len()];
                let error = match (op, sign & 1) {
                    (DiskOp::Write, 0) => io::ErrorKind::StorageFull,
                    _ => io::ErrorKind::Other,
                };
                let end = host.disk().fail_for_a_while(op, error, percent(part));
                self.mend_after(action.length, Box::new(end));
            }
            _ => self.take_down(host, action.length, Host::crash, start_again),
        }
    }

    fn strike_links(self: &Arc<Self>, fault: SwarmFault, action: &Action) {
        let Some((some, others)) = self.groups(action.target) else {
            return;
        };
        let link = Net::new(self.world().clone()).link(some, others);
        let guard = match fault {
            SwarmFault::OneWay => link.oneway().cut(),
            SwarmFault::Hold => link.hold(),
            SwarmFault::Reset => return link.reset(),
            SwarmFault::HalfOpen => return link.half_open(),
            SwarmFault::Loss => {
                // By bits that choose no group.
                link.loss(percent(action.sort >> 16));
                let end = move || {
                    link.loss(0.0);
                };
                return self.mend_after(action.length, Box::new(end));
            }
            _ => link.cut(),
        };
        self.mend_after(action.length, Box::new(move || drop(guard)));
    }

    /// Two groups of hosts, by the bits of what was drawn; `None` if one is empty.
    fn groups(&self, drawn: u64) -> Option<(Vec<HostId>, Vec<HostId>)> {
        let hosts = self.world().hosts().into_iter().map(|host| host.id());
        // The first is the one that the test itself stands on.
        let (some, others): (Vec<_>, Vec<_>) = hosts
            .skip(1)
            .partition(|host| drawn >> (host.number() % 64) & 1 == 1);
        (!some.is_empty() && !others.is_empty()).then_some((some, others))
    }

    /// A host with a program, by what was drawn.
    fn target(self: &Arc<Self>, drawn: u64) -> Option<Host> {
        let names = self.programs.names();
        let index = drawn.checked_rem(names.len() as u64)?;
        let name = names.get(usize::try_from(index).ok()?)?;
        Some(Host {
            sim: self.clone(),
            name: name.as_str().into(),
        })
    }

    /// Kills `host` for a while that is drawn.
    pub(super) fn crash_for_a_while(self: &Arc<Self>, host: &Host) {
        let drawn = self.world().choose(ChoiceKind::FaultPlan, 1_000_000_000);
        let length = Duration::from_nanos(drawn);
        self.take_down(host, length, Host::crash, start_again);
    }

    /// Does `down` to a host that is up, and `up` after `length`, if not too many are down.
    fn take_down(
        self: &Arc<Self>,
        host: &Host,
        length: Duration,
        down: impl FnOnce(&Host),
        up: fn(&Host),
    ) {
        let mut remedies = self.remedies.0.lock();
        if !host.is_up() || remedies.down >= remedies.max_down {
            return;
        }
        remedies.down += 1;
        drop(remedies);
        down(host);
        let (parts, name) = (Arc::downgrade(self), host.name.clone());
        let mend = move || {
            let Some(sim) = parts.upgrade() else {
                return;
            };
            sim.remedies.0.lock().down -= 1;
            up(&Host { sim, name });
        };
        self.mend_after(length, Box::new(mend));
    }

    /// Has `remedy` called after `length`, or by [`heal`](Sim::heal).
    fn mend_after(self: &Arc<Self>, length: Duration, remedy: Remedy) {
        let mut remedies = self.remedies.0.lock();
        let number = remedies.next;
        remedies.next += 1;
        remedies.waiting.insert(number, remedy);
        drop(remedies);
        let parts = Arc::downgrade(self);
        let mend = async move {
            hooks::sleep(length).await;
            let parts = parts.upgrade();
            let remedy = parts.and_then(|parts| parts.remedies.take(number));
            if let Some(remedy) = remedy {
                remedy();
            }
        };
        drop(self.home.spawn(mend, Id::next(), SpawnMeta::caller()));
    }

    fn heal(&self) {
        // Bounded: a remedy begins no fault.
        while let Some((_, remedy)) = self.remedies.take_first() {
            remedy();
        }
        Net::new(self.world().clone()).heal();
        for host in self.world().hosts() {
            Disk::new(host.disk()).heal();
            Clock::new(host).heal();
        }
    }
}

/// Starts a host that is down.
fn start_again(host: &Host) {
    if !host.is_up() {
        host.restart();
    }
}

/// A probability of 1 to 32 of a hundred, by the last bits of what was drawn.
fn percent(drawn: u64) -> f64 {
    f64::from((drawn & 31) as u32 + 1) / 100.0
}

impl Remedies {
    fn take(&self, number: u64) -> Option<Remedy> {
        self.0.lock().waiting.remove(&number)
    }

    fn take_first(&self) -> Option<(u64, Remedy)> {
        self.0.lock().waiting.pop_first()
    }
}

impl fmt::Debug for Nemesis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nemesis").finish_non_exhaustive()
    }
}
