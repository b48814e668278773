//! What is still to come: a heap of events ordered by time, then by the order of their making.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::net::packet::Parcel;

/// The events to come.
///
/// Unbounded by itself: each open connection has at most a window and a few signs in flight.
#[derive(Debug, Default)]
pub(crate) struct EventHeap {
    heap: BinaryHeap<Scheduled>,
    sequence: u64,
}

#[derive(Debug)]
struct Scheduled {
    at_ns: u64,
    sequence: u64,
    parcel: Parcel,
}

impl EventHeap {
    pub(crate) fn push(&mut self, at_ns: u64, parcel: Parcel) {
        self.sequence += 1;
        self.heap.push(Scheduled {
            at_ns,
            sequence: self.sequence,
            parcel,
        });
    }

    pub(crate) fn next_at_ns(&self) -> Option<u64> {
        self.heap.peek().map(|scheduled| scheduled.at_ns)
    }

    /// The first event, if it is due at `now_ns`.
    pub(crate) fn pop_due(&mut self, now_ns: u64) -> Option<(u64, Parcel)> {
        if self.next_at_ns()? > now_ns {
            return None;
        }
        self.heap
            .pop()
            .map(|scheduled| (scheduled.at_ns, scheduled.parcel))
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
