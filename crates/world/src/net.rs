//! The network of a world: TCP, UDP and Unix sockets whose other ends are in the same memory.
//!
//! Sockets answer at once or with `WouldBlock`, as Linux's do. What travels takes 1 to 10 ms
//! between hosts and 20 to 50 us within one, unless [`link`] says otherwise; a stream keeps its
//! order, datagrams may not. `flow` is what loss does.
//! Not modelled: congestion, TIME_WAIT, out-of-band data, fragments.

//  write ─▶ credit of the sender ─▶ Data ─▶ incoming bytes of the receiver ─▶ read
//              ▲                                                                │
//              └──────────────── Window (what was read, in batches) ◀───────────┘

pub(crate) mod address;
pub(crate) mod connection;
pub(crate) mod packet;

pub mod link;

mod flow;
mod listener;
mod options;
mod socket;
mod stand_in;
mod stream;
mod udp;
mod unix;
mod waits;

pub use listener::TcpListener;
pub use options::SocketOptions;
pub use socket::TcpSocket;
pub(crate) use stand_in::StandIns;
pub use stream::TcpStream;
pub use udp::UdpSocket;
pub use unix::{UnixDatagram, UnixListener, UnixName, UnixSocket, UnixStream};

use std::collections::BTreeMap;
use std::io;

use yamanote_base::wake::WakeList;

use crate::host::HostId;
use crate::trace::Event;
use crate::world::WorldState;
use connection::{Close, Endpoint};
use flow::Flow;
use link::Links;
use listener::ListenerState;
use packet::{Packet, Parcel};
use udp::UdpState;
use unix::UnixSockets;
use yamanote_base::slab::{Key, Slab};

/// Emptied buffers that are kept for the next packets.
const SPARE_MAX: usize = 64;

/// Every socket of a world.
#[derive(Debug)]
pub(crate) struct NetState {
    pub(crate) ends: Slab<Endpoint>,
    pub(crate) listeners: Slab<ListenerState>,
    pub(crate) udp: Slab<UdpState>,
    pub(crate) unix: UnixSockets,
    /// Who listens on a port of a host, in the order of binding.
    pub(crate) listening: BTreeMap<(HostId, u16), Vec<Key<ListenerState>>>,
    /// Which datagram sockets have a port of a host, in the order of binding.
    pub(crate) receiving: BTreeMap<(HostId, u16), Vec<Key<UdpState>>>,
    pub(crate) links: Links,
    /// Directions of streams in which a packet did not get through, by the end they lead to.
    pub(crate) flows: BTreeMap<u64, Flow>,
    /// Whether a packet may be lost or held back; stays so.
    pub(crate) is_troubled: bool,
    spare: Vec<Vec<u8>>,
}

impl Default for NetState {
    fn default() -> Self {
        Self {
            ends: Slab::new(),
            listeners: Slab::new(),
            udp: Slab::new(),
            unix: UnixSockets::default(),
            listening: BTreeMap::new(),
            receiving: BTreeMap::new(),
            links: Links::default(),
            flows: BTreeMap::new(),
            is_troubled: false,
            spare: Vec::new(),
        }
    }
}

impl NetState {
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

impl WorldState {
    /// Sends `parcel` off; it arrives after a latency.
    pub(crate) fn dispatch(&mut self, parcel: Parcel) {
        let at_ns = self.arrival_ns((parcel.from, parcel.to), parcel.packet.len());
        self.events.push(at_ns, parcel);
    }

    /// What happens when `parcel` has travelled.
    pub(crate) fn deliver(&mut self, parcel: Parcel, wakes: &mut WakeList) {
        if self.net.is_troubled {
            self.deliver_in_trouble(parcel, wakes);
        } else {
            self.hand_over(parcel, wakes);
        }
    }

    /// Hands `parcel` to the socket that it is for.
    pub(crate) fn hand_over(&mut self, parcel: Parcel, wakes: &mut WakeList) {
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
            Packet::Refused { client, kind } => self.break_end(client, kind, wakes),
            Packet::Data { end, sender, bytes } => {
                self.record_payload(to, &bytes);
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
            Packet::Break { end } => {
                self.break_end(end, io::ErrorKind::ConnectionReset, wakes);
            }
            Packet::Resend { end } => self.resend(end, wakes),
            Packet::Probe { end } => self.probe(end, wakes),
            Packet::Datagram {
                sender,
                source,
                target,
                bytes,
            } => {
                self.record_payload(to, &bytes);
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

    /// Removes every socket of `host`; `close` is how its streams take their leave.
    pub(crate) fn drop_sockets(&mut self, host: HostId, close: Close) {
        let listeners = self
            .net
            .listeners
            .keys_where(|listener| listener.host == host);
        let ends = self.net.ends.keys_where(|end| end.host == host);
        let sockets = self.net.udp.keys_where(|udp| udp.host == host);
        for listener in listeners {
            self.close_listener(listener, close);
        }
        for end in ends {
            self.close_end(end, close);
        }
        for socket in sockets {
            self.close_udp(socket);
        }
        self.drop_unix_sockets(host);
        let host = self.hosts.get_mut(host);
        host.tcp.clear();
        host.udp.clear();
        host.stand_ins.clear();
    }
}

/// The error of a call on a socket whose host was killed.
fn gone() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotConnected,
        "the host of this simulated socket was killed",
    )
}
