//! The way from one host to another: how long it takes, what it loses, whether it is barred.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use crate::choice::ChoiceKind;
use crate::host::HostId;
use crate::net::packet::Parcel;
use crate::trace::{Event, FaultKind};
use crate::world::{World, WorldState, nanos};

/// A way: from a host to a host.
pub type Way = (HostId, HostId);

/// Latency between hosts, unless a rule says otherwise.
const BETWEEN_HOSTS: Latency = Latency::uniform_ns(1_000_000, 9_000_001);
/// Latency within a host.
const WITHIN_HOST: Latency = Latency::uniform_ns(20_000, 30_001);
/// Into how many parts an exponential latency divides chance.
const FINE: u32 = 1 << 31;

/// How long packets travel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    least_ns: u64,
    spread: Spread,
}

/// How much longer than the least a packet may travel.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Spread {
    /// Each below this number of nanoseconds is as likely; 0 and 1 are no spread.
    Uniform(u64),
    /// So many nanoseconds on average, and rarely many times as many.
    Exponential(f64),
}

/// How likely something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chance {
    millionths: u32,
}

/// What a way does to what travels on it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct LinkRules {
    /// How long it takes.
    pub latency: Latency,
    /// How likely a packet is lost. A datagram is gone; a stream sends it again, which takes time.
    pub loss: Chance,
    /// How likely a datagram arrives twice.
    pub copies: Chance,
    /// How likely a datagram takes a detour of up to ten latencies, so that others overtake it.
    pub detours: Chance,
    /// Bytes a second; without it, any number.
    pub bandwidth: Option<NonZeroU64>,
}

/// A cut or a hold, until it is lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bar(u64);

/// What a bar does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarKind {
    /// Datagrams are lost; streams try again until they give up.
    Cut,
    /// What arrives waits, and travels on when the bar is lifted.
    Hold,
}

/// Every way that is not as usual.
#[derive(Debug, Default)]
pub(crate) struct Links {
    unusual: BTreeMap<Way, Link>,
    bars: u64,
}

#[derive(Debug)]
struct Link {
    rules: LinkRules,
    bars: Vec<(Bar, BarKind)>,
    /// What waits for a hold to end, in the order of arrival.
    held: Vec<Parcel>,
    /// When the last byte that was sent has left.
    free_at_ns: u64,
}

impl Latency {
    /// Always the same.
    #[must_use]
    pub fn fixed(latency: Duration) -> Self {
        Self::uniform_ns(nanos(latency), 0)
    }

    /// Anything from `least` to `most`.
    ///
    /// # Panics
    /// If `most` is less than `least`.
    #[must_use]
    #[track_caller]
    pub fn uniform(least: Duration, most: Duration) -> Self {
        assert!(least <= most, "a latency from {least:?} to {most:?}");
        Self::uniform_ns(nanos(least), nanos(most - least).saturating_add(1))
    }

    /// `least`, and `mean` more on average: most packets are near the least, a few are very late.
    #[must_use]
    pub fn exponential(least: Duration, mean: Duration) -> Self {
        Self {
            least_ns: nanos(least),
            spread: Spread::Exponential(mean.as_secs_f64() * 1e9),
        }
    }

    const fn uniform_ns(least_ns: u64, bound_ns: u64) -> Self {
        Self {
            least_ns,
            spread: Spread::Uniform(bound_ns),
        }
    }

    fn usual(way: Way) -> Self {
        if way.0 == way.1 {
            WITHIN_HOST
        } else {
            BETWEEN_HOSTS
        }
    }

    /// The number that is to be drawn below this.
    fn bound(self) -> u64 {
        match self.spread {
            Spread::Uniform(bound) => bound,
            Spread::Exponential(_) => u64::from(FINE),
        }
    }

    /// The latency that a number stands for; 0 stands for the least.
    fn of(self, drawn: u64) -> u64 {
        let more = match self.spread {
            Spread::Uniform(_) => drawn,
            Spread::Exponential(mean_ns) => {
                let drawn = u32::try_from(drawn).unwrap_or(FINE - 1).min(FINE - 1);
                let rest = 1.0 - f64::from(drawn) / f64::from(FINE);
                // A positive number below 2^64, as the logarithm is above -22.
                Duration::from_secs_f64((-rest.ln() * mean_ns / 1e9).clamp(0.0, 1e9)).as_nanos()
                    as u64
            }
        };
        self.least_ns.saturating_add(more)
    }
}

impl From<Duration> for Latency {
    fn from(latency: Duration) -> Self {
        Latency::fixed(latency)
    }
}

impl From<RangeInclusive<Duration>> for Latency {
    #[track_caller]
    fn from(range: RangeInclusive<Duration>) -> Self {
        Latency::uniform(*range.start(), *range.end())
    }
}

impl From<Range<Duration>> for Latency {
    #[track_caller]
    fn from(range: Range<Duration>) -> Self {
        Latency::uniform(range.start, range.end)
    }
}

impl Chance {
    /// Never.
    pub const NEVER: Chance = Chance { millionths: 0 };
    /// Always.
    pub const ALWAYS: Chance = Chance {
        millionths: 1_000_000,
    };

    /// `probability` from 0 to 1, to the millionth.
    ///
    /// # Panics
    /// If it is no probability.
    #[must_use]
    #[track_caller]
    pub fn new(probability: f64) -> Self {
        assert!(
            (0.0..=1.0).contains(&probability),
            "a probability is from 0 to 1, not {probability}"
        );
        let millionths = (probability * 1e6).round();
        Self {
            millionths: millionths as u32,
        }
    }
}

impl BarKind {
    fn fault(self) -> FaultKind {
        match self {
            BarKind::Cut => FaultKind::Cut,
            BarKind::Hold => FaultKind::Hold,
        }
    }
}

impl LinkRules {
    /// What these rules do wrong.
    fn faults(&self, usual: &LinkRules) -> [(FaultKind, bool); 5] {
        [
            (FaultKind::Loss, self.loss != Chance::NEVER),
            (FaultKind::Copy, self.copies != Chance::NEVER),
            (FaultKind::Delay, self.latency != usual.latency),
            (FaultKind::Reorder, self.detours != Chance::NEVER),
            (FaultKind::Bandwidth, self.bandwidth.is_some()),
        ]
    }

    fn usual(way: Way) -> Self {
        Self {
            latency: Latency::usual(way),
            loss: Chance::NEVER,
            copies: Chance::NEVER,
            detours: Chance::NEVER,
            bandwidth: None,
        }
    }
}

impl Link {
    fn usual(way: Way) -> Self {
        Self {
            rules: LinkRules::usual(way),
            bars: Vec::new(),
            held: Vec::new(),
            free_at_ns: 0,
        }
    }

    fn has(&self, kind: BarKind) -> bool {
        self.bars.iter().any(|(_, known)| *known == kind)
    }
}

impl Links {
    fn get(&self, way: Way) -> Option<&Link> {
        if self.unusual.is_empty() {
            return None;
        }
        self.unusual.get(&way)
    }

    fn at(&mut self, way: Way) -> &mut Link {
        self.unusual.entry(way).or_insert_with(|| Link::usual(way))
    }

    pub(crate) fn is_cut(&self, way: Way) -> bool {
        self.get(way).is_some_and(|link| link.has(BarKind::Cut))
    }

    pub(crate) fn loss(&self, way: Way) -> Chance {
        self.get(way).map_or(Chance::NEVER, |link| link.rules.loss)
    }

    pub(crate) fn copies(&self, way: Way) -> Chance {
        self.get(way)
            .map_or(Chance::NEVER, |link| link.rules.copies)
    }
}

impl World {
    /// What the way does to what travels on it.
    #[must_use]
    pub fn link(&self, way: Way) -> LinkRules {
        let state = self.lock();
        let known = state.net.links.get(way).map(|link| link.rules);
        known.unwrap_or_else(|| LinkRules::usual(way))
    }

    /// Has the way follow other rules from now on.
    pub fn set_link(&self, way: Way, rules: LinkRules) {
        self.lock().set_link(way, rules);
    }

    /// Bars these ways until the bar is [lifted](Self::lift).
    pub fn bar(&self, kind: BarKind, ways: &[Way]) -> Bar {
        let mut state = self.lock();
        state.net.links.bars += 1;
        let bar = Bar(state.net.links.bars);
        for way in ways {
            state.fault(kind.fault(), *way);
            state.net.links.at(*way).bars.push((bar, kind));
        }
        state.begin_trouble();
        bar
    }

    /// Ends a bar; nothing happens if that was done already.
    ///
    /// What was held travels on at once. What was cut off is sent again when its sender's time
    /// for that has come, as after a real partition.
    pub fn lift(&self, bar: Bar) {
        self.lock().lift(|known| known == bar);
    }

    /// How many packets the holds of a way hold back.
    #[must_use]
    pub fn held(&self, way: Way) -> usize {
        let state = self.lock();
        state.net.links.get(way).map_or(0, |link| link.held.len())
    }

    /// Lifts every bar, and has every way follow the usual rules.
    pub fn lift_all(&self) {
        let mut state = self.lock();
        state.lift(|_| true);
        let ways: Vec<_> = state.net.links.unusual.keys().copied().collect();
        for way in ways {
            state.set_link(way, LinkRules::usual(way));
        }
    }
}

impl WorldState {
    /// Draws whether something strikes that has this chance; nothing is drawn if it has none.
    pub(crate) fn strikes(&mut self, kind: ChoiceKind, host: HostId, chance: Chance) -> bool {
        let all = Chance::ALWAYS.millionths;
        chance != Chance::NEVER
            && self.choose_on(kind, host, u64::from(all)) >= u64::from(all - chance.millionths)
    }

    /// A fault begins, or strikes once.
    pub(crate) fn fault(&mut self, kind: FaultKind, way: Way) {
        self.record(Event::Fault(kind, way.0, way.1));
    }

    /// A fault strikes, and is over.
    pub(crate) fn fault_once(&mut self, kind: FaultKind, way: Way) {
        self.fault(kind, way);
        self.fault_end(kind, way);
    }

    /// A fault ends.
    pub(crate) fn fault_end(&mut self, kind: FaultKind, way: Way) {
        self.record(Event::FaultEnd(kind, way.0, way.1));
    }

    /// A fault of a host is there or not; nothing is told if it was so before.
    pub(crate) fn fault_is(&mut self, kind: FaultKind, host: HostId, is: bool) {
        let begun = Event::Fault(kind, host, host);
        match (self.is_in_force(begun), is) {
            (false, true) => self.fault(kind, (host, host)),
            (true, false) => self.fault_end(kind, (host, host)),
            _ => {}
        }
    }

    fn set_link(&mut self, way: Way, rules: LinkRules) {
        let usual = LinkRules::usual(way);
        let link = self.net.links.at(way);
        let before = link.rules.faults(&usual);
        link.rules = rules;
        for ((kind, was), (_, is)) in before.into_iter().zip(rules.faults(&usual)) {
            match (was, is) {
                (false, true) => self.fault(kind, way),
                (true, false) => self.fault_end(kind, way),
                _ => {}
            }
        }
        self.net.is_troubled |= rules.loss != Chance::NEVER;
    }

    /// When a packet of `len` bytes that is sent now arrives.
    pub(crate) fn arrival_ns(&mut self, way: Way, len: usize) -> u64 {
        let now_ns = self.now_ns();
        let (mut sent_ns, mut latency) = (now_ns, None);
        if !self.net.links.unusual.is_empty() {
            if let Some(link) = self.net.links.unusual.get_mut(&way) {
                latency = Some(link.rules.latency);
                if let Some(bandwidth) = link.rules.bandwidth {
                    let takes_ns = len as u128 * 1_000_000_000 / u128::from(bandwidth.get());
                    let takes_ns = u64::try_from(takes_ns).unwrap_or(u64::MAX);
                    sent_ns = link.free_at_ns.max(now_ns).saturating_add(takes_ns);
                    link.free_at_ns = sent_ns;
                }
            }
        }
        let latency = latency.unwrap_or_else(|| Latency::usual(way));
        let takes_ns = self.draw_latency(ChoiceKind::Latency, way.0, latency);
        sent_ns.saturating_add(takes_ns)
    }

    /// Draws how long something takes on `host`, in nanoseconds.
    pub(crate) fn draw_latency(&mut self, kind: ChoiceKind, host: HostId, latency: Latency) -> u64 {
        let drawn = match latency.bound() {
            0 | 1 => 0,
            bound => self.choose_on(kind, host, bound),
        };
        latency.of(drawn)
    }

    /// How much longer a datagram travels because of a detour.
    pub(crate) fn detour_ns(&mut self, way: Way) -> u64 {
        let Some(rules) = self.net.links.get(way).map(|link| link.rules) else {
            return 0;
        };
        if !self.strikes(ChoiceKind::PacketDetour, way.0, rules.detours) {
            return 0;
        }
        let most_ns = rules
            .latency
            .of(rules.latency.bound() / 2)
            .saturating_mul(10);
        1 + self.choose_on(ChoiceKind::Latency, way.0, most_ns)
    }

    /// Takes the parcel in if its way holds it back.
    pub(crate) fn hold_back(&mut self, parcel: Parcel) -> Option<Parcel> {
        let way = (parcel.from, parcel.to);
        match self.net.links.unusual.get_mut(&way) {
            Some(link) if link.has(BarKind::Hold) && !parcel.packet.is_note() => {
                link.held.push(parcel);
                None
            }
            _ => Some(parcel),
        }
    }

    /// Ends the bars that `ends` says.
    fn lift(&mut self, ends: impl Fn(Bar) -> bool) {
        let now_ns = self.now_ns();
        let mut lifted = Vec::new();
        for (way, link) in &mut self.net.links.unusual {
            link.bars.retain(|(bar, kind)| {
                let ended = ends(*bar);
                if ended {
                    lifted.push((*way, kind.fault()));
                }
                !ended
            });
            if !link.has(BarKind::Hold) {
                // Due before all that arrives later: the order of each stream is kept.
                for parcel in link.held.drain(..) {
                    self.events.push(now_ns, parcel);
                }
            }
        }
        for (way, kind) in lifted {
            self.fault_end(kind, way);
        }
    }
}
