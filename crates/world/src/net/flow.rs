//! What happens to packets in trouble: lost datagrams, streams that are sent again, silent peers.
//!
//! A stream never loses a byte. A packet of it that does not get through waits, and all that
//! follows in its direction waits behind it; it is tried again after 200 ms, and after twice as
//! long each time, up to two minutes (Linux's timers). After about 15 minutes its sender gives
//! up; while the connection is not made yet, after two.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use yamanote_base::slab::Key;
use yamanote_base::wake::WakeList;

use crate::choice::ChoiceKind;
use crate::host::HostId;
use crate::net::connection::{Endpoint, Phase};
use crate::net::packet::{Packet, Parcel};
use crate::trace::{Event, FaultKind};
use crate::world::{World, WorldState, nanos};

/// When a packet of a stream is sent again, the first time; doubles each time.
const RESEND_NS: u64 = 200_000_000;
/// The longest wait between two tries.
const RESEND_MOST_NS: u64 = 120_000_000_000;
/// Tries after the first, until the sender gives up.
const RESENDS_MAX: u32 = 15;
/// The same for what answers a wish to connect.
const HANDSHAKE_NS: u64 = 1_000_000_000;
const HANDSHAKES_MAX: u32 = 6;

/// One direction of a stream of which a packet did not get through.
#[derive(Debug)]
pub(crate) struct Flow {
    /// That packet, and what has arrived behind it; at most a window, and a few signs.
    waiting: VecDeque<Parcel>,
    attempt: u32,
}

impl Flow {
    fn is_handshake(&self) -> bool {
        let first = self.waiting.front().map(|parcel| &parcel.packet);
        matches!(first, Some(Packet::SynAck { .. } | Packet::Refused { .. }))
    }

    /// When to try again; `None` to give up.
    fn next_try_ns(&self) -> Option<u64> {
        let (first_ns, most) = match self.is_handshake() {
            true => (HANDSHAKE_NS, HANDSHAKES_MAX),
            false => (RESEND_NS, RESENDS_MAX),
        };
        (self.attempt <= most).then(|| (first_ns << self.attempt).min(RESEND_MOST_NS))
    }
}

impl World {
    /// Breaks every stream between the two hosts: both sides see a reset.
    pub fn reset_streams(&self, one: HostId, other: HostId) {
        let mut state = self.lock();
        state.fault_once(FaultKind::Reset, (one, other));
        let now_ns = state.now_ns();
        for end in state.ends_between(one, other) {
            let (from, to) = (one, other);
            let packet = Packet::Break { end };
            state.events.push(now_ns, Parcel { from, to, packet });
        }
    }

    /// Has every stream between the two hosts go silent for good: nothing gets through, and
    /// neither side is told, as when a router forgets them. New streams are not concerned. The
    /// fault is over when the last of these streams is closed on both sides.
    pub fn silence_streams(&self, one: HostId, other: HostId) {
        let mut state = self.lock();
        let ends = state.ends_between(one, other);
        for end in &ends {
            if let Some(end) = state.net.ends.get_mut(*end) {
                end.is_silent = true;
            }
        }
        match (ends.is_empty(), state.silence_in_force(one, other)) {
            (true, _) => state.fault_once(FaultKind::HalfOpen, (one, other)),
            (false, None) => state.fault(FaultKind::HalfOpen, (one, other)),
            (false, Some(_)) => {}
        }
        state.begin_trouble();
    }
}

impl WorldState {
    fn ends_between(&self, one: HostId, other: HostId) -> Vec<Key<Endpoint>> {
        let between = |end: &Endpoint| {
            let pair = (end.host, end.peer_host);
            pair == (one, other) || pair == (other, one)
        };
        self.net.ends.keys_where(between)
    }

    /// Between which hosts, in this order, silenced streams are a fault that is not over.
    fn silence_in_force(&self, one: HostId, other: HostId) -> Option<(HostId, HostId)> {
        let mut ways = [(one, other), (other, one)].into_iter();
        ways.find(|way| self.is_in_force(Event::Fault(FaultKind::HalfOpen, way.0, way.1)))
    }

    /// An end of a silenced stream between the two hosts is gone; the last one ends the fault.
    pub(crate) fn note_silent_end_gone(&mut self, one: HostId, other: HostId) {
        let ends = self.ends_between(one, other).into_iter();
        let mut ends = ends.filter_map(|end| self.net.ends.get(end));
        if !ends.any(|end| end.is_silent) {
            let begun = self.silence_in_force(one, other);
            begun
                .into_iter()
                .for_each(|way| self.fault_end(FaultKind::HalfOpen, way));
        }
    }

    /// From now on packets may be lost.
    pub(crate) fn begin_trouble(&mut self) {
        self.net.is_troubled = true;
        for end in self.net.ends.keys_where(|end| end.options.keepalive) {
            if let Some(end) = self.net.ends.get_mut(end) {
                end.probes = 0;
            }
            self.begin_probes(end);
        }
    }

    /// [`deliver`](Self::deliver) where a packet may be lost.
    pub(crate) fn deliver_in_trouble(&mut self, parcel: Parcel, wakes: &mut WakeList) {
        if parcel.packet.is_note() {
            return self.hand_over(parcel, wakes);
        }
        let Some(parcel) = self.hold_back(parcel) else {
            return;
        };
        if let Some(end) = parcel.packet.stream() {
            if let Some(flow) = self.net.flows.get_mut(&end.as_u64()) {
                return flow.waiting.push_back(parcel);
            }
            if self.is_lost(&parcel) {
                return self.stall(end, parcel);
            }
        } else if self.is_lost(&parcel) {
            // Otherwise it is a datagram, or a word about one.
            if let Packet::Syn(syn) = parcel.packet {
                self.resend_syn(parcel.from, parcel.to, syn);
            }
            return;
        }
        self.hand_over(parcel, wakes);
    }

    fn is_lost(&mut self, parcel: &Parcel) -> bool {
        let way = (parcel.from, parcel.to);
        if self.hosts.get(parcel.to).is_off || self.net.links.is_cut(way) {
            return true;
        }
        let end = parcel.packet.stream();
        let end = end.and_then(|end| self.net.ends.get(end));
        if end.is_some_and(|end| end.is_silent) {
            return true;
        }
        let loss = self.net.links.loss(way);
        self.strikes(ChoiceKind::PacketLoss, parcel.from, loss)
    }

    /// A packet to `end` did not get through: it is sent again, and what follows waits.
    fn stall(&mut self, end: Key<Endpoint>, parcel: Parcel) {
        let (from, to) = (parcel.from, parcel.to);
        let flow = Flow {
            waiting: VecDeque::from([parcel]),
            attempt: 0,
        };
        self.net.flows.insert(end.as_u64(), flow);
        self.try_again_later(end, from, to);
    }

    fn try_again_later(&mut self, end: Key<Endpoint>, from: HostId, to: HostId) {
        let Some(flow) = self.net.flows.get(&end.as_u64()) else {
            return;
        };
        // Giving up is an event, too.
        let after_ns = flow.next_try_ns().unwrap_or(RESEND_MOST_NS);
        let packet = Packet::Resend { end };
        let at_ns = self.now_ns() + after_ns;
        self.events.push(at_ns, Parcel { from, to, packet });
    }

    pub(crate) fn resend(&mut self, end: Key<Endpoint>, wakes: &mut WakeList) {
        let Some(mut flow) = self.net.flows.remove(&end.as_u64()) else {
            return;
        };
        let Some(first) = flow.waiting.front() else {
            return;
        };
        let (from, to) = (first.from, first.to);
        if flow.next_try_ns().is_none() {
            return self.give_up(flow, wakes);
        }
        if self.is_lost(first) {
            flow.attempt += 1;
            self.net.flows.insert(end.as_u64(), flow);
            return self.try_again_later(end, from, to);
        }
        for parcel in flow.waiting {
            self.hand_over(parcel, wakes);
        }
    }

    /// Tells the senders that nothing gets through.
    fn give_up(&mut self, flow: Flow, wakes: &mut WakeList) {
        for parcel in flow.waiting {
            match parcel.packet {
                Packet::SynAck { client, server } => {
                    self.break_end(client, io::ErrorKind::TimedOut, wakes);
                    self.break_end(server, io::ErrorKind::TimedOut, wakes);
                }
                Packet::Refused { client: end, .. } | Packet::Data { sender: end, .. } => {
                    self.break_end(end, io::ErrorKind::TimedOut, wakes);
                }
                _ => {}
            }
        }
    }

    /// Has `end` be probed when nothing was heard for long, if it wants that.
    pub(crate) fn begin_probes(&mut self, end: Key<Endpoint>) {
        let is_troubled = self.net.is_troubled;
        let Some(endpoint) = self.net.ends.get_mut(end) else {
            return;
        };
        // As long as nothing can be lost, a probe would be answered.
        if is_troubled && endpoint.options.keepalive && !endpoint.is_probed {
            endpoint.is_probed = true;
            let idle = endpoint.options.keepalive_idle;
            self.probe_after(end, idle);
        }
    }

    fn probe_after(&mut self, end: Key<Endpoint>, after: Duration) {
        let Some(endpoint) = self.net.ends.get(end) else {
            return;
        };
        let (from, to) = (endpoint.host, endpoint.peer_host);
        let packet = Packet::Probe { end };
        let at_ns = self.now_ns().saturating_add(nanos(after));
        self.events.push(at_ns, Parcel { from, to, packet });
    }

    /// Asks whether the other end of `end` is there.
    pub(crate) fn probe(&mut self, end: Key<Endpoint>, wakes: &mut WakeList) {
        let Some(endpoint) = self.net.ends.get(end) else {
            return;
        };
        let (way, back) = (
            (endpoint.host, endpoint.peer_host),
            (endpoint.peer_host, endpoint.host),
        );
        let peer = endpoint.peer.and_then(|peer| self.net.ends.get(peer));
        let is_there = peer.is_some_and(|peer| peer.phase != Phase::Dead);
        let is_mute = endpoint.is_silent
            || self.hosts.get(way.1).is_off
            || self.net.links.is_cut(way)
            || self.net.links.is_cut(back);
        let Some(endpoint) = self.net.ends.get_mut(end) else {
            return;
        };
        if !endpoint.options.keepalive {
            endpoint.is_probed = false;
        } else if is_mute {
            endpoint.probes += 1;
            if endpoint.probes > endpoint.options.keepalive_probes {
                return self.break_end(end, io::ErrorKind::TimedOut, wakes);
            }
            let step = endpoint.options.keepalive_step;
            self.probe_after(end, step);
        } else if is_there {
            // It has answered, and will until there is trouble anew.
            endpoint.is_probed = false;
        } else {
            self.break_end(end, io::ErrorKind::ConnectionReset, wakes);
        }
    }
}
