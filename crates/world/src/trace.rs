//! The trace: every event and every choice, folded into a rolling hash of 128 bits.
//!
//! Beside the hash it keeps what a report needs: the hash at each 1,024th event, so that the
//! first difference between two runs can be found; the last events of each host; which faults
//! are in force. On demand it keeps every event.

mod hash;

use std::collections::{BTreeMap, VecDeque};
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;

use crate::choice::{Choice, Lane};
use crate::disk::DiskOp;
use crate::host::{HostId, Hosts};
use crate::net::packet;
pub use hash::TraceHash;

/// Events between two checkpoints.
pub const CHECKPOINT_EVENTS: u64 = 1024;
/// How many of the last events of a host are kept.
const RECENT_MAX: usize = 24;

/// Something that happened, told to the world by who made it happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A task was spawned, there in the source.
    Spawn(HostId, u64, &'static Location<'static>),
    /// A task is polled.
    Poll(HostId, u64),
    /// A task was woken.
    Wake(HostId, u64),
    /// A task is over.
    Finish(HostId, u64),
    /// A host's program was started; the number counts the starts.
    HostStart(HostId, u64),
    /// A host was killed.
    HostCrash(HostId),
    /// A packet arrived.
    Packet {
        /// Who sent it.
        from: HostId,
        /// Where it arrived.
        to: HostId,
        /// What sort of packet it is, by its tag.
        sort: u8,
        /// Which socket it is for.
        key: u64,
    },
    /// An operation on a disk, and the path by its [number](PathNumber).
    Disk(HostId, DiskOp, PathNumber),
    /// So many bytes reached a host, or its disk, and a digest of them.
    Bytes(HostId, u64, u64),
    /// A fault begins, or strikes once, between two hosts or on one (then both are the same).
    Fault(FaultKind, HostId, HostId),
    /// A fault is over.
    FaultEnd(FaultKind, HostId, HostId),
    /// The program passed a place that has a name.
    Note(HostId, &'static str, u64),
    /// Something of the application, of which only these two numbers matter.
    Mark(u64, u64),
}

/// Which of the paths of a trace, in the order of their first appearance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathNumber(u32);

/// Defines the kinds of faults, one a line, and how reports name them.
macro_rules! faults {
    ($($(#[$doc:meta])* $kind:ident = $text:literal,)*) => {
        /// What went wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FaultKind {
            $($(#[$doc])* $kind,)*
        }

        impl FaultKind {
            /// Its name in reports.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(FaultKind::$kind => $text,)*
                }
            }
        }
    };
}

faults! {
    /// The program was killed; it ends when it is started again.
    Crash = "crash",
    /// The host lost its power, and with it what was not synced.
    PowerLoss = "power loss",
    /// Nothing of the host runs.
    Pause = "pause",
    /// Two groups of hosts do not reach each other.
    Partition = "partition",
    /// One host does not reach another.
    Cut = "cut",
    /// Packets are lost.
    Loss = "packet loss",
    /// Datagrams arrive twice.
    Copy = "duplication",
    /// Datagrams overtake each other.
    Reorder = "reordering",
    /// Packets travel longer.
    Delay = "delay",
    /// Packets queue for a narrow link.
    Bandwidth = "narrow link",
    /// Packets are held back.
    Hold = "hold",
    /// One side of the connections is gone without a word.
    HalfOpen = "half-open connections",
    /// Connections are reset.
    Reset = "reset",
    /// The clock is wrong.
    ClockSkew = "clock skew",
    /// The clock goes too fast or too slow.
    ClockDrift = "clock drift",
    /// The clock jumps.
    ClockJump = "clock jump",
    /// The disk is full.
    DiskFull = "full disk",
    /// Operations on the disk fail.
    DiskError = "disk error",
    /// An fsync fails.
    FsyncFails = "failing fsync",
    /// What was written changes.
    BitRot = "bit rot",
    /// The disk is slow.
    DiskSlow = "slow disk",
    /// Names are not found.
    Names = "failing names",
}

/// An event or a choice, and when it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The virtual time since the beginning, in nanoseconds.
    pub at_ns: u64,
    /// What it was.
    pub entry: Entry,
}

/// What a trace consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Something happened.
    Event(Event),
    /// Something was drawn.
    Choice(Choice),
}

/// Everything that is kept of a run.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: TraceHash,
    is_hashed: bool,
    count: u64,
    /// One for each 1,024 events.
    checkpoints: Vec<u128>,
    /// Where each task was spawned, by its number; a word a task.
    places: Vec<Option<&'static Location<'static>>>,
    /// The paths of disks, each once, and the number of each.
    paths: Vec<Arc<Path>>,
    path_numbers: BTreeMap<Arc<Path>, PathNumber>,
    /// The last events of each host that say more than that a task was polled.
    recent: Vec<VecDeque<Record>>,
    /// What begun faults have not ended.
    in_force: Vec<Record>,
    /// Every fault, begun and ended: a test has few.
    faults: Vec<Record>,
    /// Unbounded while kept: a run that is recorded is recorded whole.
    log: Option<Vec<Record>>,
}

impl Trace {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            hash: TraceHash::new(seed),
            is_hashed: true,
            count: 0,
            checkpoints: Vec::new(),
            places: Vec::new(),
            paths: Vec::new(),
            path_numbers: BTreeMap::new(),
            recent: Vec::new(),
            in_force: Vec::new(),
            faults: Vec::new(),
            log: None,
        }
    }

    pub(crate) fn event(&mut self, at_ns: u64, event: Event) {
        if self.is_hashed {
            event.fold_into(&mut self.hash, at_ns);
        }
        let record = Record {
            at_ns,
            entry: Entry::Event(event),
        };
        if !matches!(event, Event::Poll(..) | Event::Wake(..)) {
            self.keep(record, event);
        }
        self.count(record);
    }

    pub(crate) fn choice(&mut self, at_ns: u64, choice: Choice) {
        if self.is_hashed {
            let Lane { kind, host, number } = choice.lane;
            let host = host.map_or(u32::MAX, HostId::number);
            let which = u64::from(number) << 8 | u64::from(kind.tag());
            let first = head(16, host, which);
            self.hash.fold(first, choice.value);
        }
        let entry = Entry::Choice(choice);
        self.count(Record { at_ns, entry });
    }

    /// Folds bytes that reached `host`: what a packet carried, or what is written to its disk.
    pub(crate) fn payload(&mut self, at_ns: u64, host: HostId, bytes: &[u8]) {
        let len = bytes.len() as u64;
        if self.is_hashed {
            self.hash.fold(len, 0);
            self.hash.fold_bytes(bytes);
        }
        if let Some(log) = &mut self.log {
            // Only what is read needs a digest of these bytes alone.
            let mut digest = TraceHash::new(0);
            digest.fold_bytes(bytes);
            let entry = Entry::Event(Event::Bytes(host, len, digest.finish() as u64));
            log.push(Record { at_ns, entry });
        }
    }

    /// The number of `path`, which is folded when it appears for the first time.
    pub(crate) fn path_number(&mut self, path: &Path) -> PathNumber {
        if let Some(number) = self.path_numbers.get(path) {
            return *number;
        }
        let number = u32::try_from(self.paths.len()).expect("a run has fewer paths");
        let (number, path) = (PathNumber(number), Arc::<Path>::from(path));
        let bytes = path.as_os_str().as_encoded_bytes();
        self.hash.fold(bytes.len() as u64, 0);
        self.hash.fold_bytes(bytes);
        self.paths.push(path.clone());
        self.path_numbers.insert(path, number);
        number
    }

    pub(crate) fn forget_hash(&mut self) {
        self.is_hashed = false;
    }

    pub(crate) fn hash(&self) -> u128 {
        self.hash.finish()
    }

    pub(crate) fn len(&self) -> u64 {
        self.count
    }

    pub(crate) fn checkpoints(&self) -> &[u128] {
        &self.checkpoints
    }

    pub(crate) fn keep_log(&mut self) {
        self.log.get_or_insert_with(Vec::new);
    }

    pub(crate) fn log(&self) -> &[Record] {
        self.log.as_deref().unwrap_or_default()
    }

    pub(crate) fn recent(&self, host: HostId) -> impl Iterator<Item = Record> + '_ {
        let kept = self.recent.get(host.index());
        kept.into_iter().flatten().copied()
    }

    pub(crate) fn in_force(&self) -> &[Record] {
        &self.in_force
    }

    pub(crate) fn faults(&self) -> &[Record] {
        &self.faults
    }

    /// Where task `number` was spawned.
    pub(crate) fn place(&self, number: u64) -> Option<&'static Location<'static>> {
        *self.places.get(usize::try_from(number).ok()?)?
    }

    fn count(&mut self, record: Record) {
        self.count += 1;
        if self.count % CHECKPOINT_EVENTS == 0 {
            self.checkpoints.push(self.hash.finish());
        }
        if let Some(log) = &mut self.log {
            log.push(record);
        }
    }

    /// Keeps what a report may need of an event.
    fn keep(&mut self, record: Record, event: Event) {
        match event {
            Event::Spawn(_, task, place) => self.keep_place(task, place),
            Event::Fault(..) => {
                self.faults.push(record);
                self.in_force.push(record);
            }
            Event::FaultEnd(kind, one, other) => {
                self.faults.push(record);
                let begun = Entry::Event(Event::Fault(kind, one, other));
                let place = self.in_force.iter().position(|fault| fault.entry == begun);
                place.map(|place| self.in_force.remove(place));
            }
            _ => {}
        }
        let (one, other) = event.hosts();
        for host in [one, other.filter(|other| one != Some(*other))] {
            host.into_iter()
                .for_each(|host| self.keep_recent(host, record));
        }
    }

    fn keep_place(&mut self, task: u64, place: &'static Location<'static>) {
        let index = usize::try_from(task).expect("tasks are counted from 0");
        if self.places.len() <= index {
            self.places.resize(index + 1, None);
        }
        self.places[index] = Some(place);
    }

    fn keep_recent(&mut self, host: HostId, record: Record) {
        if self.recent.len() <= host.index() {
            self.recent.resize_with(host.index() + 1, VecDeque::new);
        }
        let recent = &mut self.recent[host.index()];
        if recent.len() == RECENT_MAX {
            recent.pop_front();
        }
        recent.push_back(record);
    }
}

impl Event {
    fn fold_into(self, hash: &mut TraceHash, at_ns: u64) {
        let (tag, host, value) = match self {
            Event::Spawn(host, task, _) => (1, host.number(), task),
            Event::Poll(host, task) => (2, host.number(), task),
            Event::Wake(host, task) => (3, host.number(), task),
            Event::Finish(host, task) => (4, host.number(), task),
            Event::HostStart(host, count) => (6, host.number(), count),
            Event::HostCrash(host) => (7, host.number(), 0),
            Event::Mark(one, two) => {
                hash.fold(8, one);
                (8, 0, two)
            }
            Event::Fault(kind, one, other) => (9, one.number(), pair(kind, other)),
            Event::FaultEnd(kind, one, other) => (10, one.number(), pair(kind, other)),
            Event::Note(host, name, value) => {
                hash.fold_bytes(name.as_bytes());
                (11, host.number(), value)
            }
            Event::Disk(host, op, path) => {
                (12, host.number(), (op as u64) << 32 | u64::from(path.0))
            }
            Event::Bytes(host, len, digest) => {
                hash.fold(13, len);
                (13, host.number(), digest)
            }
            Event::Packet { to, sort, key, .. } => (sort, to.number(), key),
        };
        hash.fold(head(tag, host, at_ns), value);
    }

    /// The hosts that it concerns.
    #[must_use]
    pub fn hosts(self) -> (Option<HostId>, Option<HostId>) {
        match self {
            Event::Spawn(host, ..)
            | Event::Poll(host, _)
            | Event::Wake(host, _)
            | Event::Finish(host, _)
            | Event::HostStart(host, _)
            | Event::HostCrash(host)
            | Event::Disk(host, ..)
            | Event::Bytes(host, ..)
            | Event::Note(host, ..) => (Some(host), None),
            Event::Packet { from, to, .. } => (Some(to), Some(from)),
            Event::Fault(_, one, other) | Event::FaultEnd(_, one, other) => {
                (Some(one), Some(other))
            }
            Event::Mark(..) => (None, None),
        }
    }

    /// It in words.
    pub(crate) fn text(self, hosts: &Hosts, trace: &Trace) -> String {
        let name = |host: HostId| hosts.get(host).name.as_str();
        let between = |kind: FaultKind, one: HostId, other: HostId| {
            if one == other {
                format!("{} on {}", kind.text(), name(one))
            } else {
                format!("{} of {} and {}", kind.text(), name(one), name(other))
            }
        };
        let task = |host: HostId, task: u64| trace.task_text(name(host), task);
        match self {
            Event::Spawn(host, number, _) => format!("spawn of {}", task(host, number)),
            Event::Poll(host, number) => format!("poll of {}", task(host, number)),
            Event::Wake(host, number) => format!("wake of {}", task(host, number)),
            Event::Finish(host, number) => format!("end of {}", task(host, number)),
            Event::HostStart(host, _) => format!("start of {}", name(host)),
            Event::HostCrash(host) => format!("kill of {}", name(host)),
            Event::Disk(host, op, PathNumber(path)) => {
                let path = trace.paths[path as usize].display();
                format!("{} of {path} on {}", op.name(), name(host))
            }
            Event::Bytes(host, len, digest) => {
                format!("{len} bytes for {}, digest {digest:016x}", name(host))
            }
            Event::Packet {
                from,
                to,
                sort,
                key,
            } => {
                let sort = packet::sort_name(sort);
                format!("{sort} from {} to {}, socket {key:x}", name(from), name(to))
            }
            Event::Fault(kind, one, other) => between(kind, one, other),
            Event::FaultEnd(kind, one, other) => format!("end of {}", between(kind, one, other)),
            Event::Note(host, note, 0) => format!("{} passes {note}", name(host)),
            Event::Note(host, note, value) => format!("{} passes {note}: {value}", name(host)),
            Event::Mark(one, two) => format!("mark {one} {two}"),
        }
    }
}

impl Trace {
    /// A task in words: its host, its number, its place of spawn.
    fn task_text(&self, host: &str, number: u64) -> String {
        if number == u64::MAX {
            return format!("the main future on {host}");
        }
        match self.place(number) {
            Some(place) => format!("task {number} on {host}, spawned at {place}"),
            None => format!("task {number} on {host}"),
        }
    }
}

/// The first word of a block: the sort of event, its host, and a part of the time.
fn head(tag: u8, host: u32, now_ns: u64) -> u64 {
    u64::from(tag) << 56 ^ u64::from(host) << 40 ^ now_ns
}

fn pair(kind: FaultKind, other: HostId) -> u64 {
    (kind as u64) << 32 | u64::from(other.number())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_taken_each_1024_events() {
        let mut trace = Trace::new(1);
        for number in 0..3000 {
            trace.event(number, Event::Mark(number, 0));
        }
        assert_eq!((trace.len(), trace.checkpoints().len()), (3000, 2));
    }

    #[test]
    fn the_last_events_of_a_host_are_kept_but_no_polls() {
        let mut trace = Trace::new(1);
        for number in 0..100 {
            trace.event(number, Event::Poll(HostId(1), number));
            trace.event(number, Event::Finish(HostId(1), number));
        }
        let recent = trace.recent(HostId(1)).collect::<Vec<_>>();
        assert_eq!(recent.len(), RECENT_MAX);
        let last = Entry::Event(Event::Finish(HostId(1), 99));
        assert_eq!(recent.last().map(|record| record.entry), Some(last));
        assert_eq!(trace.recent(HostId(0)).count(), 0);
    }

    #[test]
    fn a_fault_is_in_force_until_its_end() {
        let mut trace = Trace::new(1);
        let (one, other) = (HostId(0), HostId(1));
        trace.event(1, Event::Fault(FaultKind::Cut, one, other));
        trace.event(2, Event::Fault(FaultKind::Pause, one, one));
        assert_eq!(trace.in_force().len(), 2);
        trace.event(3, Event::FaultEnd(FaultKind::Cut, one, other));
        assert_eq!(trace.in_force().len(), 1);
        assert_eq!(trace.faults().len(), 3);
    }
}
