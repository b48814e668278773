//! The network of a simulation, from above: [`Net`], its [`Link`]s, and guards that end a fault.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use yamanote_base::hooks;
pub use yamanote_world::net::link::Latency;
use yamanote_world::net::link::{Bar, BarKind, Chance, LinkRules, Way};
use yamanote_world::{ChoiceKind, HostId, NameRules, World};

use super::Host;

/// The network of a world; clones are the same one.
///
/// ```no_run
/// # use std::time::Duration;
/// # use yamanote_runtime::sim::Sim;
/// # let sim = Sim::new(1);
/// # let (a, b, c) = (&sim.find("a").unwrap(), &sim.find("b").unwrap(), &sim.find("c").unwrap());
/// sim.net().link(a, [b, c]).latency(Duration::from_millis(80)).loss(0.01);
/// let _until_dropped = sim.net().partition(a, [b, c]);
/// ```
#[derive(Clone)]
pub struct Net {
    world: World,
}

/// The ways between some hosts and some others, in both directions unless it is [`oneway`].
///
/// [`oneway`]: Link::oneway
#[derive(Clone)]
pub struct Link {
    world: World,
    ways: Vec<Way>,
    back: Vec<Way>,
}

/// Hosts that a link begins or ends at: one, several, or the names of some.
pub trait Select {
    /// Which ones, in this world.
    fn select(self, world: &World) -> Vec<HostId>;
}

/// What becomes of questions for a name; made by [`Net::dns`].
#[derive(Clone)]
pub struct Dns {
    world: World,
    name: String,
}

/// Something is amiss on some ways of the network, until this is dropped.
#[must_use = "the fault ends at once when this is dropped"]
pub struct Fault {
    world: World,
    bar: Option<Bar>,
    ways: Vec<Way>,
}

impl Net {
    pub(super) fn new(world: World) -> Self {
        Self { world }
    }

    /// The link between `some` hosts and `others`.
    #[must_use]
    pub fn link(&self, some: impl Select, others: impl Select) -> Link {
        let (some, others) = (some.select(&self.world), others.select(&self.world));
        let pairs = |from: &[HostId], to: &[HostId]| {
            let pairs = from.iter().flat_map(|a| to.iter().map(|b| (*a, *b)));
            pairs.filter(|(a, b)| a != b).collect::<Vec<_>>()
        };
        Link {
            world: self.world.clone(),
            ways: pairs(&some, &others),
            back: pairs(&others, &some),
        }
    }

    /// Cuts `some` hosts off from `others` until the guard is dropped.
    ///
    /// Datagrams are lost. A stream tries again, after 200 ms at first and twice as long each
    /// time, and goes on if the partition ends within about 15 minutes.
    pub fn partition(&self, some: impl Select, others: impl Select) -> Fault {
        self.link(some, others).cut()
    }

    /// Cuts a host (or several) off from all hosts that there are now and that it is not.
    pub fn isolate(&self, some: impl Select) -> Fault {
        let some = some.select(&self.world);
        let others: Vec<_> = self.world.hosts().iter().map(|host| host.id()).collect();
        let others: Vec<_> = others.into_iter().filter(|id| !some.contains(id)).collect();
        self.link(some, others).cut()
    }

    /// Isolates these hosts one after the other in some order, then lets them back one after the
    /// other in another, all within `over`.
    pub async fn swizzle(&self, some: impl Select, over: Duration) {
        let mut hosts = some.select(&self.world);
        let steps = u32::try_from(2 * hosts.len()).unwrap_or(u32::MAX).max(1);
        let mut faults = Vec::new();
        self.shuffle(&mut hosts);
        for host in hosts {
            faults.push(self.isolate(host));
            hooks::sleep(over / steps).await;
        }
        self.shuffle(&mut faults);
        for fault in faults {
            drop(fault);
            hooks::sleep(over / steps).await;
        }
    }

    /// What becomes of questions for a name.
    #[must_use]
    pub fn dns(&self, name: &str) -> Dns {
        Dns {
            world: self.world.clone(),
            name: name.to_owned(),
        }
    }

    /// Gives a host another address, of either version.
    ///
    /// # Errors
    /// `AddrInUse` if a host has it, `InvalidInput` if no host can have it.
    pub fn add_address(&self, host: &Host, ip: IpAddr) -> io::Result<()> {
        host.world_host().add_address(ip)
    }

    /// Ends every fault of the network: all is as at the beginning. What the remaining guards do
    /// is nothing.
    pub fn heal(&self) {
        self.world.lift_all();
        self.world.forget_name_rules();
    }

    fn shuffle<T>(&self, list: &mut [T]) {
        for end in (2..=list.len()).rev() {
            let drawn = self.world.choose(ChoiceKind::Fault, end as u64);
            // 0 leaves everything where it is.
            let drawn = usize::try_from(drawn).expect("drawn below a length");
            list.swap(end - 1, end - 1 - drawn);
        }
    }
}

impl Dns {
    /// How long the answer takes; 0.1 to 1 ms at first.
    pub fn delay(&self, delay: impl Into<Latency>) -> &Self {
        let delay = delay.into();
        self.change(|rules| rules.delay = delay)
    }

    /// How likely there is no answer, from 0 to 1.
    ///
    /// # Panics
    /// If it is no probability.
    #[track_caller]
    pub fn fail(&self, probability: f64) -> &Self {
        let failure = Chance::new(probability);
        self.change(|rules| rules.failure = failure)
    }

    /// What it leads to, in this order, whatever host has the name; to nothing if it is empty.
    pub fn addresses(&self, addresses: impl IntoIterator<Item = IpAddr>) -> &Self {
        let addresses: Vec<_> = addresses.into_iter().collect();
        self.change(|rules| rules.addresses = Some(addresses))
    }

    fn change(&self, change: impl FnOnce(&mut NameRules)) -> &Self {
        let mut rules = self.world.name_rules(&self.name);
        change(&mut rules);
        self.world.set_name_rules(&self.name, rules);
        self
    }
}

impl Link {
    /// Only the direction from the first to the second.
    #[must_use]
    pub fn oneway(mut self) -> Self {
        self.back.clear();
        self
    }

    /// How long packets travel: always the same, anything in a range of durations, or another
    /// [`Latency`]. At first it is 1 to 10 ms.
    pub fn latency(&self, latency: impl Into<Latency>) -> &Self {
        let latency = latency.into();
        self.change(|rules| rules.latency = latency)
    }

    /// How likely a packet is lost, from 0 to 1. A stream sends it again, which takes its time.
    ///
    /// # Panics
    /// If it is no probability.
    #[track_caller]
    pub fn loss(&self, probability: f64) -> &Self {
        let chance = Chance::new(probability);
        self.change(|rules| rules.loss = chance)
    }

    /// How likely a datagram arrives twice, from 0 to 1.
    ///
    /// # Panics
    /// If it is no probability.
    #[track_caller]
    pub fn dup(&self, probability: f64) -> &Self {
        let chance = Chance::new(probability);
        self.change(|rules| rules.copies = chance)
    }

    /// How likely a datagram takes a detour of up to ten latencies, from 0 to 1.
    ///
    /// # Panics
    /// If it is no probability.
    #[track_caller]
    pub fn reorder(&self, probability: f64) -> &Self {
        let chance = Chance::new(probability);
        self.change(|rules| rules.detours = chance)
    }

    /// How many bytes get through in a second, each way; 0 is any number, as at first.
    pub fn bandwidth(&self, bytes_per_second: u64) -> &Self {
        self.change(|rules| rules.bandwidth = NonZeroU64::new(bytes_per_second))
    }

    /// Nothing gets through until the guard is dropped; see [`Net::partition`].
    pub fn cut(&self) -> Fault {
        self.bar(BarKind::Cut)
    }

    /// All that arrives waits until the guard is dropped, and then arrives in its order.
    pub fn hold(&self) -> Fault {
        self.bar(BarKind::Hold)
    }

    /// Nothing gets through any more on the streams that there are; neither side is told, as when
    /// a router has forgotten them. New streams work.
    pub fn half_open(&self) {
        for (one, other) in self.pairs() {
            self.world.silence_streams(one, other);
        }
    }

    /// Resets the streams that there are, on both sides.
    pub fn reset(&self) {
        for (one, other) in self.pairs() {
            self.world.reset_streams(one, other);
        }
    }

    fn bar(&self, kind: BarKind) -> Fault {
        let ways: Vec<_> = self.all().collect();
        Fault {
            bar: Some(self.world.bar(kind, &ways)),
            world: self.world.clone(),
            ways,
        }
    }

    fn change(&self, change: impl Fn(&mut LinkRules)) -> &Self {
        for way in self.all() {
            let mut rules = self.world.link(way);
            change(&mut rules);
            self.world.set_link(way, rules);
        }
        self
    }

    fn all(&self) -> impl Iterator<Item = Way> + '_ {
        self.ways.iter().chain(&self.back).copied()
    }

    /// Each two hosts once.
    fn pairs(&self) -> Vec<Way> {
        let mut pairs: Vec<_> = self.all().map(|(a, b)| (a.min(b), a.max(b))).collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

impl Fault {
    /// Lets the fault last, whatever becomes of the guard.
    pub fn forget(mut self) {
        self.bar = None;
    }

    /// Ends it now.
    pub fn heal(self) {}

    /// How many packets it holds back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.ways.iter().map(|way| self.world.held(*way)).sum()
    }
}

impl Drop for Fault {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            self.world.lift(bar);
        }
    }
}

impl Select for &Host {
    fn select(self, _: &World) -> Vec<HostId> {
        vec![self.world_host().id()]
    }
}

impl Select for HostId {
    fn select(self, _: &World) -> Vec<HostId> {
        vec![self]
    }
}

impl Select for Vec<HostId> {
    fn select(self, _: &World) -> Vec<HostId> {
        self
    }
}

/// The host of this name, which is made if there is none.
impl Select for &str {
    fn select(self, world: &World) -> Vec<HostId> {
        vec![world.add_host(self).id()]
    }
}

impl Select for &[Host] {
    fn select(self, world: &World) -> Vec<HostId> {
        self.iter().flat_map(|host| host.select(world)).collect()
    }
}

impl<const N: usize> Select for &[Host; N] {
    fn select(self, world: &World) -> Vec<HostId> {
        self.as_slice().select(world)
    }
}

impl Select for &Vec<Host> {
    fn select(self, world: &World) -> Vec<HostId> {
        self.as_slice().select(world)
    }
}

impl<S: Select, const N: usize> Select for [S; N] {
    fn select(self, world: &World) -> Vec<HostId> {
        self.into_iter().flat_map(|one| one.select(world)).collect()
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").finish_non_exhaustive()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("ways", &self.ways)
            .field("back", &self.back)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dns")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fault")
            .field("ways", &self.ways)
            .finish_non_exhaustive()
    }
}
