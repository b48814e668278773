//! The network of a world: TCP and UDP sockets whose other ends are in the same memory.
//!
//! Sockets answer at once or with `WouldBlock`, as Linux's do. What travels takes 1 to 10 ms
//! between hosts and 20 to 50 us within one; a stream keeps its order, datagrams may not.
//! Not modelled: loss and resending, TIME_WAIT, out-of-band data, fragments.

//  write ─▶ credit of the sender ─▶ Data ─▶ incoming bytes of the receiver ─▶ read
//              ▲                                                                │
//              └──────────────── Window (what was read, in batches) ◀───────────┘

pub(crate) mod address;
pub(crate) mod connection;
pub(crate) mod packet;

mod listener;
mod options;
mod socket;
mod stream;
mod udp;

pub use listener::TcpListener;
pub use options::SocketOptions;
pub use socket::TcpSocket;
pub use stream::TcpStream;
pub use udp::UdpSocket;

use std::collections::BTreeMap;
use std::io;

use yamanote_base::wake::WakeList;

use crate::choice::ChoiceKind;
use crate::host::HostId;
use crate::trace::Event;
use crate::world::WorldState;
use connection::Endpoint;
use listener::ListenerState;
use packet::{Packet, Parcel};
use udp::UdpState;
use yamanote_base::slab::{Key, Slab};

/// Latency between hosts, in nanoseconds: the least, and how much more it may be.
const BETWEEN_HOSTS_NS: (u64, u64) = (1_000_000, 9_000_001);
/// Latency within a host, likewise.
const WITHIN_HOST_NS: (u64, u64) = (20_000, 30_001);
/// Emptied buffers that are kept for the next packets.
const SPARE_MAX: usize = 64;

/// Every socket of a world.
#[derive(Debug)]
pub(crate) struct NetState {
    pub(crate) ends: Slab<Endpoint>,
    pub(crate) listeners: Slab<ListenerState>,
    pub(crate) udp: Slab<UdpState>,
    /// Who listens on a port of a host, in the order of binding.
    pub(crate) listening: BTreeMap<(HostId, u16), Vec<Key<ListenerState>>>,
    /// Which datagram sockets have a port of a host, in the order of binding.
    pub(crate) receiving: BTreeMap<(HostId, u16), Vec<Key<UdpState>>>,
    /// What waits on each pair of hosts that is cut; the smaller number comes first.
    cuts: BTreeMap<(HostId, HostId), Vec<Parcel>>,
    spare: Vec<Vec<u8>>,
}

impl Default for NetState {
    fn default() -> Self {
        Self {
            ends: Slab::new(),
            listeners: Slab::new(),
            udp: Slab::new(),
            listening: BTreeMap::new(),
            receiving: BTreeMap::new(),
            cuts: BTreeMap::new(),
            spare: Vec::new(),
        }
    }
}

impl NetState {
    pub(crate) fn cut(&mut self, one: HostId, other: HostId) {
        self.cuts.entry(pair(one, other)).or_default();
    }

    /// A buffer that holds `bytes`.
    pub(crate) fn buffer(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.extend_from_slice(bytes);
        buffer
    }

    pub(crate) fn recycle(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARE_MAX {
            buffer.clear();
            self.spare.push(buffer);
        }
    }
}

fn pair(one: HostId, other: HostId) -> (HostId, HostId) {
    (one.min(other), one.max(other))
}

impl WorldState {
    /// How long the next packet from `from` to `to` travels, in nanoseconds.
    pub(crate) fn latency_ns(&mut self, from: HostId, to: HostId) -> u64 {
        let (least, spread) = if from == to {
            WITHIN_HOST_NS
        } else {
            BETWEEN_HOSTS_NS
        };
        least + self.choose_on(ChoiceKind::Latency, from, spread)
    }

    /// Sends `parcel` off; it arrives after a latency.
    pub(crate) fn dispatch(&mut self, parcel: Parcel) {
        let at_ns = self.now_ns() + self.latency_ns(parcel.from, parcel.to);
        self.events.push(at_ns, parcel);
    }

    /// Hands `parcel` to the socket that it is for.
    pub(crate) fn deliver(&mut self, parcel: Parcel, wakes: &mut WakeList) {
        if let Some(held) = self.net.cuts.get_mut(&pair(parcel.from, parcel.to)) {
            if !matches!(
                parcel.packet,
                Packet::Datagram { .. } | Packet::Unreachable { .. }
            ) {
                held.push(parcel);
            }
            return;
        }
        let Parcel { from, to, packet } = parcel;
        self.record(Event::Packet {
            from,
            to,
            sort: packet.tag(),
            key: packet.key(),
        });
        match packet {
            Packet::Syn(syn) => self.deliver_syn(from, to, syn, wakes),
            Packet::SynAck { client, server } => self.deliver_syn_ack(client, server, wakes),
            Packet::Refused { client, kind } => self.deliver_refused(client, kind, wakes),
            Packet::Data { end, sender, bytes } => {
                self.record_payload(&bytes);
                if self.deliver_data(end, bytes, wakes).is_none() {
                    // Nobody is there any more.
                    let packet = Packet::Reset { end: sender };
                    self.dispatch(Parcel {
                        from: to,
                        to: from,
                        packet,
                    });
                }
            }
            Packet::Window { end, bytes } => self.deliver_window(end, bytes, wakes),
            Packet::Fin { end } => self.deliver_fin(end, wakes),
            Packet::Reset { end } => self.deliver_reset(end, wakes),
            Packet::Shut { end } => self.deliver_shut(end, wakes),
            Packet::Datagram {
                sender,
                source,
                target,
                bytes,
            } => {
                self.record_payload(&bytes);
                let arrived = udp::Arrived {
                    sender,
                    source,
                    target,
                    bytes,
                };
                self.deliver_datagram(from, to, arrived, wakes);
            }
            Packet::Unreachable { sender } => self.deliver_unreachable(sender, wakes),
        }
    }

    /// Lets what waits between two hosts travel on.
    pub(crate) fn heal(&mut self, one: HostId, other: HostId) {
        let Some(held) = self.net.cuts.remove(&pair(one, other)) else {
            return;
        };
        // One moment for all, after every latency: the order of each stream is kept.
        let (least, spread) = BETWEEN_HOSTS_NS;
        let at_ns = self.now_ns() + least + spread;
        for parcel in held {
            self.events.push(at_ns, parcel);
        }
        self.hold_back_until(one, other, at_ns);
    }

    /// Removes every socket of `host`, as if its process were killed.
    pub(crate) fn drop_sockets(&mut self, host: HostId) {
        let listeners = self
            .net
            .listeners
            .keys_where(|listener| listener.host == host);
        let ends = self.net.ends.keys_where(|end| end.host == host);
        let sockets = self.net.udp.keys_where(|udp| udp.host == host);
        for listener in listeners {
            self.close_listener(listener);
        }
        for end in ends {
            self.close_end(end, connection::Close::Reset);
        }
        for socket in sockets {
            self.close_udp(socket);
        }
        let host = self.hosts.get_mut(host);
        host.tcp.clear();
        host.udp.clear();
    }
}

/// The error of a call on a socket whose host was killed.
fn gone() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "the host of this simulated socket was killed",
    )
}
