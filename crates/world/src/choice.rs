//! Chance: five streams of typed choices, drawn lane by lane or taken from a recorded list.
//!
//! A lane is one kind of choice on one host, and has a generator of its own, seeded by their names.
//! So the n-th latency of a host is the same whatever else is drawn: taking a fault out of a run,
//! or changing the schedule, shifts nothing, and that makes a failing run shrinkable; and a seed
//! still finds what it found when there are more kinds, or hosts. What draws as often as it finds
//! reason to, a power loss, has a lane for each time, by its number.
//!
//! By convention 0 is the value that does nothing: no fault, the least delay, the first task.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::str::FromStr;

use yamanote_base::rng::Rng;

use crate::host::{HostId, Hosts};
use crate::trace::TraceHash;

/// Which group of lanes a choice is drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Who runs next.
    Schedule,
    /// How the network behaves.
    Net,
    /// How the disk behaves.
    Disk,
    /// What goes wrong, and when.
    Faults,
    /// What the program itself draws.
    Application,
}

/// Defines the kinds of choices, one a line: its stream, and what it decides.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $stream:ident,)*) => {
        /// What a choice decides.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum ChoiceKind {
            $($(#[$doc])* $kind,)*
        }

        impl ChoiceKind {
            /// Every kind.
            pub const ALL: &[ChoiceKind] = &[$(ChoiceKind::$kind),*];

            /// The stream that this kind of choice is drawn from.
            #[must_use]
            pub const fn stream(self) -> Stream {
                match self {
                    $(ChoiceKind::$kind => Stream::$stream,)*
                }
            }

            /// Its name, as traces have it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(ChoiceKind::$kind => stringify!($kind),)*
                }
            }
        }
    };
}

kinds! {
    /// Which of the runnable tasks is polled, by its place in the queue.
    NextTask: Schedule,
    /// How early a task is polled, where priorities decide: the higher, the earlier.
    Priority: Schedule,
    /// After how many polls the task that runs loses its priority; 0 is never.
    PriorityChange: Schedule,
    /// How long a packet travels, in nanoseconds above the minimum.
    Latency: Net,
    /// How much later a torn or slow disk operation is done, in nanoseconds.
    DiskDelay: Disk,
    /// In which order a directory lists its entries.
    EntryOrder: Disk,
    /// How long work that blocks keeps its thread, in nanoseconds.
    BlockingTime: Schedule,
    /// Whether and where a fault strikes.
    Fault: Faults,
    /// Whether a fault that was planned strikes; 0 spares.
    Strike: Faults,
    /// How long it is to the next fault that is planned, above the least.
    FaultGap: Faults,
    /// Which faults a run may have, whom and for how long they strike.
    FaultPlan: Faults,
    /// Whether a place in the program that may misbehave does.
    Buggify: Faults,
    /// Whether a packet is lost.
    PacketLoss: Faults,
    /// Whether a datagram arrives twice.
    PacketCopy: Faults,
    /// Whether a datagram is overtaken.
    PacketDetour: Faults,
    /// Whether a name is found.
    NameFault: Faults,
    /// Whether an operation on a disk fails.
    DiskFault: Faults,
    /// What a power loss leaves of what was not synced.
    PowerLoss: Faults,
    /// The seed of a generator that a program uses.
    Seed: Application,
    /// What a test draws.
    Draw: Application,
}

/// What has a generator of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// What its choices decide.
    pub kind: ChoiceKind,
    /// The host that they concern, if they concern one.
    pub host: Option<HostId>,
    /// Which of several of this kind on this host; 0 where there is one.
    pub number: u32,
}

/// One choice that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What it decided, and where.
    pub lane: Lane,
    /// What was drawn.
    pub value: u64,
}

/// What a run shall draw, in the order of an earlier run.
#[derive(Clone, Debug)]
pub struct Script {
    /// The choices of that run.
    pub choices: Vec<Choice>,
    /// What is drawn beyond them.
    pub rest: Rest,
}

/// What is drawn when a script has nothing more to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// What the lane's generator gives.
    Generator,
    /// Always 0: no fault, the least delay.
    Calm,
}

/// Where a run first drew something other than its script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// How many choices of the stream had been as in the script.
    pub position: usize,
    /// What the script has there; `None` at its end.
    pub expected: Option<Choice>,
    /// What was drawn instead.
    pub found: Choice,
}

/// The generators, the script if there is one, and the list of choices if it is kept.
#[derive(Debug)]
pub(crate) struct Choices {
    seed: u64,
    /// One for each kind of each host, those of no host first; grows with the hosts.
    lanes: Vec<Rng>,
    /// Those with a number; grows with the power losses.
    numbered: BTreeMap<Lane, Rng>,
    script: Option<Reader>,
    /// Unbounded while kept: a run that is recorded is recorded whole.
    log: Option<Vec<Choice>>,
}

/// A script that is being followed.
#[derive(Debug)]
struct Reader {
    streams: [VecDeque<Choice>; 5],
    positions: [usize; 5],
    lanes: BTreeMap<Lane, VecDeque<u64>>,
    rest: Rest,
    divergence: Option<Divergence>,
}

impl Stream {
    /// Every stream.
    pub const ALL: [Stream; 5] = [
        Stream::Schedule,
        Stream::Net,
        Stream::Disk,
        Stream::Faults,
        Stream::Application,
    ];
}

impl Lane {
    /// The one lane of `kind` on `host`.
    #[must_use]
    pub const fn of(kind: ChoiceKind, host: Option<HostId>) -> Self {
        let number = 0;
        Self { kind, host, number }
    }
}

impl ChoiceKind {
    /// The kind called `name`.
    #[must_use]
    pub fn by_name(name: &str) -> Option<ChoiceKind> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether another value than 0 is something that went wrong.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        matches!(self.stream(), Stream::Faults)
            && !matches!(self, ChoiceKind::FaultPlan | ChoiceKind::FaultGap)
    }

    pub(crate) const fn tag(self) -> u8 {
        self as u8
    }
}

impl Choices {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            lanes: Vec::new(),
            numbered: BTreeMap::new(),
            script: None,
            log: None,
        }
    }

    /// A number below `bound`; 0 if `bound` is 0.
    pub(crate) fn draw(&mut self, hosts: &Hosts, lane: Lane, bound: u64) -> Choice {
        // The generator goes on with a script, too: past its end it is where it would have been.
        let random = self.generator(hosts, lane).next_u64();
        // Multiplication instead of division (Lemire 2019); the bias is below bound / 2^64.
        let scaled = (u128::from(random) * u128::from(bound)) >> 64;
        let mut value = u64::try_from(scaled).expect("a 128-bit number shifted by 64 fits");
        if let Some(script) = &mut self.script {
            value = script.next(Choice { lane, value }, bound);
        }
        let choice = Choice { lane, value };
        if let Some(log) = &mut self.log {
            log.push(choice);
        }
        choice
    }

    pub(crate) fn follow(&mut self, script: Script) {
        self.script = Some(Reader::new(script));
    }

    pub(crate) fn divergence(&self) -> Option<Divergence> {
        self.script.as_ref()?.divergence
    }

    pub(crate) fn keep_log(&mut self) {
        self.log.get_or_insert_with(Vec::new);
    }

    pub(crate) fn log(&self) -> &[Choice] {
        self.log.as_deref().unwrap_or_default()
    }

    fn generator(&mut self, hosts: &Hosts, lane: Lane) -> &mut Rng {
        let seed = self.seed;
        if lane.number > 0 {
            let rng = self.numbered.entry(lane);
            return rng.or_insert_with(|| Rng::new(lane_seed(seed, hosts, lane)));
        }
        let kinds = ChoiceKind::ALL.len();
        let row = lane.host.map_or(0, |host| host.index() + 1);
        for place in self.lanes.len()..(row + 1) * kinds {
            let host = (place / kinds).checked_sub(1);
            let lane = Lane {
                kind: ChoiceKind::ALL[place % kinds],
                host: host.map(HostId::of_index),
                number: 0,
            };
            self.lanes.push(Rng::new(lane_seed(seed, hosts, lane)));
        }
        &mut self.lanes[row * kinds + usize::from(lane.kind.tag())]
    }
}

/// What a lane begins with: the MurmurHash3 of [`TraceHash`] of the seed, the names and the number.
///
/// Nothing of it is a place in a table, so that a table may grow.
fn lane_seed(seed: u64, hosts: &Hosts, lane: Lane) -> u64 {
    let mut hash = TraceHash::new(seed);
    let host = lane.host.map(|host| hosts.name(host.index()));
    for name in host.into_iter().chain([lane.kind.name()]) {
        hash.fold(name.len() as u64, 0);
        hash.fold_bytes(name.as_bytes());
    }
    if lane.number > 0 {
        hash.fold(u64::from(lane.number), 0);
    }
    // A half of a hash is as good as the other.
    (hash.finish() >> 64) as u64
}

impl Reader {
    fn new(script: Script) -> Self {
        let mut reader = Self {
            streams: Default::default(),
            positions: [0; 5],
            lanes: BTreeMap::new(),
            rest: script.rest,
            divergence: None,
        };
        for choice in script.choices {
            reader.streams[choice.lane.kind.stream() as usize].push_back(choice);
            let lane = reader.lanes.entry(choice.lane);
            lane.or_default().push_back(choice.value);
        }
        reader
    }

    /// What the script has for this draw, of which `drawn` is what a generator gave.
    fn next(&mut self, drawn: Choice, bound: u64) -> u64 {
        let lane = self.lanes.get_mut(&drawn.lane);
        let scripted = lane.and_then(VecDeque::pop_front);
        let value = match scripted.filter(|value| *value < bound.max(1)) {
            Some(value) => value,
            None if self.rest == Rest::Calm => 0,
            None => drawn.value,
        };
        let found = Choice { value, ..drawn };
        let stream = drawn.lane.kind.stream() as usize;
        let expected = self.streams[stream].pop_front();
        if expected != Some(found) && self.divergence.is_none() {
            self.divergence = Some(Divergence {
                position: self.positions[stream],
                expected,
                found,
            });
        }
        self.positions[stream] += 1;
        value
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stream = self.found.lane.kind.stream();
        write!(f, "choice {} of {stream:?}: {}", self.position, self.found)?;
        match self.expected {
            Some(expected) => write!(f, " instead of {expected}"),
            None => f.write_str(" beyond the end of the list"),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.lane, self.value)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if let Some(host) = self.host {
            write!(f, "@{}", host.number())?;
        }
        if self.number > 0 {
            write!(f, "#{}", self.number)?;
        }
        Ok(())
    }
}

impl FromStr for Lane {
    type Err = ();

    /// Reads what is written by [`Display`](fmt::Display).
    fn from_str(text: &str) -> Result<Self, ()> {
        let (text, number) = match text.split_once('#') {
            Some((text, number)) => (text, number.parse().map_err(drop)?),
            None => (text, 0),
        };
        let (kind, host) = match text.split_once('@') {
            Some((kind, host)) => (kind, Some(host.parse().map_err(drop)?)),
            None => (text, None),
        };
        Ok(Self {
            kind: ChoiceKind::by_name(kind).ok_or(())?,
            host: host.map(HostId::from_number),
            number,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Option<HostId> = Some(HostId(3));

    impl Choices {
        /// Draws in a world of ten hosts.
        fn pick(&mut self, kind: ChoiceKind, host: Option<HostId>, bound: u64) -> Choice {
            let mut hosts = Hosts::default();
            for number in 0..10 {
                hosts.add(&format!("host{number}"));
            }
            self.draw(&hosts, Lane::of(kind, host), bound)
        }
    }

    fn draws(choices: &mut Choices, count: usize) -> Vec<Choice> {
        let draw = |_| choices.pick(ChoiceKind::Latency, HOST, 1000);
        (0..count).map(draw).collect()
    }

    #[test]
    fn no_lane_shifts_another() {
        let mut plain = Choices::new(7);
        let mut disturbed = Choices::new(7);
        for _ in 0..100 {
            disturbed.pick(ChoiceKind::Fault, HOST, 10);
            disturbed.pick(ChoiceKind::Latency, Some(HostId(9)), 10);
            disturbed.pick(ChoiceKind::Latency, None, 10);
            let expected = plain.pick(ChoiceKind::Latency, HOST, 1000);
            assert_eq!(disturbed.pick(ChoiceKind::Latency, HOST, 1000), expected);
            assert!(expected.value < 1000);
        }
    }

    #[test]
    fn a_lane_is_known_by_its_names_and_not_by_its_place() {
        let mut few = Hosts::default();
        few.add("north");
        let mut many = Hosts::default();
        many.add("south");
        many.add("north");
        for kind in ChoiceKind::ALL {
            let [alone, second] = [(&few, 0), (&many, 1)].map(|(hosts, index)| {
                let lane = Lane::of(*kind, Some(HostId(index)));
                Choices::new(7).draw(hosts, lane, u64::MAX)
            });
            assert_eq!(alone.value, second.value);
        }
        // These numbers stay as they are, whatever kinds come: kept seeds rest on them.
        let north = Some(HostId(0));
        let drawn = [
            (ChoiceKind::Latency, north),
            (ChoiceKind::PowerLoss, north),
            (ChoiceKind::Draw, north),
            (ChoiceKind::NextTask, None),
        ]
        .map(|(kind, host)| {
            let lane = Lane::of(kind, host);
            Choices::new(7).draw(&few, lane, 1_000_000).value
        });
        assert_eq!(drawn, [641_333, 57_068, 208_101, 402_910]);
    }

    #[test]
    fn lanes_and_seeds_draw_different_numbers() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..20 {
            let mut choices = Choices::new(seed);
            for kind in ChoiceKind::ALL {
                for host in [None, Some(HostId(0)), HOST] {
                    seen.insert(choices.pick(*kind, host, u64::MAX).value);
                }
            }
        }
        assert_eq!(seen.len(), 20 * 3 * ChoiceKind::ALL.len());
    }

    #[test]
    fn a_lane_with_a_number_is_one_of_its_own() {
        let lane = |number| Lane {
            number,
            ..Lane::of(ChoiceKind::PowerLoss, None)
        };
        let hosts = Hosts::default();
        let mut choices = Choices::new(7);
        let mut first = |number| choices.draw(&hosts, lane(number), u64::MAX).value;
        let drawn = [0, 1, 2, 1 << 31].map(&mut first);
        for (index, value) in drawn.iter().enumerate() {
            assert!(!drawn[..index].contains(value), "{drawn:?}");
        }
        // Whatever others have drawn.
        let alone = Choices::new(7).draw(&hosts, lane(2), u64::MAX).value;
        assert_eq!(drawn[2], alone);
    }

    #[test]
    fn a_lane_is_read_as_it_is_written() {
        for host in [None, HOST] {
            for number in [0, 7] {
                let lane = Lane {
                    number,
                    ..Lane::of(ChoiceKind::PowerLoss, host)
                };
                assert_eq!(lane.to_string().parse(), Ok(lane));
            }
        }
        for text in ["", "Nothing", "Latency@x", "Latency@1#x", "Latency#1@1"] {
            assert_eq!(text.parse::<Lane>(), Err(()), "{text}");
        }
    }

    #[test]
    fn the_log_holds_every_choice_once_it_is_kept() {
        let mut choices = Choices::new(1);
        choices.pick(ChoiceKind::Seed, None, 2);
        assert!(choices.log().is_empty());
        choices.keep_log();
        let choice = choices.pick(ChoiceKind::NextTask, None, 5);
        assert_eq!(choices.log(), [choice]);
    }

    #[test]
    fn a_script_is_followed_and_its_end_is_noticed() {
        let recorded = draws(&mut Choices::new(1), 10);
        let mut follower = Choices::new(1);
        follower.follow(Script {
            choices: recorded[..8].to_vec(),
            rest: Rest::Generator,
        });
        assert_eq!(draws(&mut follower, 8), recorded[..8]);
        assert_eq!(follower.divergence(), None);
        // The generator has not stood still meanwhile.
        assert_eq!(draws(&mut follower, 2), recorded[8..]);
        let divergence = follower.divergence().expect("two more were drawn");
        assert_eq!((divergence.position, divergence.expected), (8, None));
    }

    #[test]
    fn a_script_of_another_run_is_followed_lane_by_lane() {
        let mut follower = Choices::new(2);
        let script = draws(&mut Choices::new(1), 3);
        follower.follow(Script {
            choices: script.clone(),
            rest: Rest::Calm,
        });
        let other = follower.pick(ChoiceKind::PacketLoss, HOST, 9);
        assert_eq!(other.value, 0, "the script has none of this kind");
        let strange = follower.pick(ChoiceKind::Latency, None, 9);
        assert_eq!(strange.value, 0, "nor of this host");
        assert_eq!(draws(&mut follower, 3), script);
        let divergence = follower.divergence().expect("it began otherwise");
        assert_eq!(divergence.position, 0);
    }

    #[test]
    fn a_scripted_value_that_is_too_large_is_not_drawn() {
        let mut follower = Choices::new(2);
        follower.follow(Script {
            choices: vec![Choice {
                lane: Lane::of(ChoiceKind::Latency, HOST),
                value: 5,
            }],
            rest: Rest::Calm,
        });
        assert_eq!(follower.pick(ChoiceKind::Latency, HOST, 5).value, 0);
        assert!(follower.divergence().is_some());
    }
}
