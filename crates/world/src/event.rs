//! What is still to come: a heap of events ordered by time, then by the order of their making.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use yamanote_base::interest::Ready;
use yamanote_base::ready::ReadyCell;
use yamanote_base::slab::{Key, Slab};

use crate::alarm::AlarmCell;
use crate::host::HostId;
use crate::net::packet::Parcel;

/// What happens at some time.
#[derive(Debug)]
pub(crate) enum Due {
    /// A parcel has travelled.
    Parcel(Parcel),
    /// An alarm rings.
    Alarm(Arc<AlarmCell>),
    /// A Unix socket becomes ready.
    Nudge(Nudge),
}

/// What a Unix socket becomes ready for.
#[derive(Debug)]
pub(crate) struct Nudge {
    pub(crate) host: HostId,
    /// The key of the socket, for the trace.
    pub(crate) socket: u64,
    pub(crate) cell: Arc<ReadyCell>,
    pub(crate) ready: Ready,
}

/// The events to come.
///
/// Unbounded by itself: each open connection has at most a window and a few signs in flight.
#[derive(Debug)]
pub(crate) struct EventHeap {
    heap: BinaryHeap<Scheduled>,
    /// What the heap orders: apart from it, because its entries move about.
    dues: Slab<Due>,
    sequence: u64,
}

#[derive(Clone, Copy, Debug)]
struct Scheduled {
    at_ns: u64,
    sequence: u64,
    due: Key<Due>,
}

impl Default for EventHeap {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            dues: Slab::new(),
            sequence: 0,
        }
    }
}

impl EventHeap {
    pub(crate) fn push(&mut self, at_ns: u64, parcel: Parcel) {
        self.push_due(at_ns, Due::Parcel(parcel));
    }

    pub(crate) fn push_alarm(&mut self, at_ns: u64, alarm: Arc<AlarmCell>) {
        self.push_due(at_ns, Due::Alarm(alarm));
    }

    pub(crate) fn push_nudge(&mut self, at_ns: u64, nudge: Nudge) {
        self.push_due(at_ns, Due::Nudge(nudge));
    }

    fn push_due(&mut self, at_ns: u64, due: Due) {
        self.sequence += 1;
        let due = self.dues.insert(due);
        self.heap.push(Scheduled {
            at_ns,
            sequence: self.sequence,
            due,
        });
    }

    pub(crate) fn next_at_ns(&self) -> Option<u64> {
        self.heap.peek().map(|scheduled| scheduled.at_ns)
    }

    /// The first event, if it is due at `now_ns`.
    pub(crate) fn pop_due(&mut self, now_ns: u64) -> Option<(u64, Due)> {
        if self.next_at_ns()? > now_ns {
            return None;
        }
        let scheduled = self.heap.pop()?;
        let due = self.dues.remove(scheduled.due);
        Some((scheduled.at_ns, due.expect("it is taken out once")))
    }

    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}

impl Ord for Scheduled {
    /// The earlier is the greater, because the heap gives out its greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_ns, other.sequence).cmp(&(self.at_ns, self.sequence))
    }
}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scheduled {}
