//! What travels between sockets: one value for each kind of packet.

use std::io;
use std::net::SocketAddr;

use crate::host::HostId;
use crate::net::connection::Endpoint;
use crate::net::udp::UdpState;
use yamanote_base::slab::Key;

/// A packet and the hosts it travels between.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) from: HostId,
    pub(crate) to: HostId,
    pub(crate) packet: Packet,
}

/// What arrives at a socket.
#[derive(Clone, Debug)]
pub(crate) enum Packet {
    /// Somebody wants to connect.
    Syn(Syn),
    /// The connection stands; the client learns its other end.
    SynAck {
        client: Key<Endpoint>,
        server: Key<Endpoint>,
    },
    /// The connection does not come about.
    Refused {
        client: Key<Endpoint>,
        kind: io::ErrorKind,
    },
    /// Bytes of a stream.
    Data {
        end: Key<Endpoint>,
        sender: Key<Endpoint>,
        bytes: Vec<u8>,
    },
    /// The other end has read so many bytes: as many more may be sent.
    Window { end: Key<Endpoint>, bytes: usize },
    /// The other end sends no more.
    Fin { end: Key<Endpoint> },
    /// The other end knows nothing of this connection, or has given it up.
    Reset { end: Key<Endpoint> },
    /// A note of this end to itself: its reading half was shut down.
    Shut { end: Key<Endpoint> },
    /// A note: this end breaks.
    Break { end: Key<Endpoint> },
    /// A note: what waits to be sent again to an end is tried now.
    Resend { end: Key<Endpoint> },
    /// A note: an end that hears nothing asks whether its other end is there.
    Probe { end: Key<Endpoint> },
    /// A datagram.
    Datagram {
        sender: Key<UdpState>,
        source: SocketAddr,
        target: SocketAddr,
        bytes: Vec<u8>,
    },
    /// A datagram met no socket.
    Unreachable { sender: Key<UdpState> },
}

/// A wish to connect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syn {
    pub(crate) client: Key<Endpoint>,
    pub(crate) source: SocketAddr,
    pub(crate) target: SocketAddr,
    /// How often it was sent before.
    pub(crate) attempt: u32,
}

impl Packet {
    /// What sort of packet it is, for the trace.
    pub(crate) fn tag(&self) -> u8 {
        match self {
            Packet::Syn { .. } => 32,
            Packet::SynAck { .. } => 33,
            Packet::Refused { .. } => 34,
            Packet::Data { .. } => 35,
            Packet::Window { .. } => 36,
            Packet::Fin { .. } => 37,
            Packet::Reset { .. } => 38,
            Packet::Shut { .. } => 39,
            Packet::Datagram { .. } => 40,
            Packet::Unreachable { .. } => 41,
            Packet::Break { .. } => 42,
            Packet::Resend { .. } => 43,
            Packet::Probe { .. } => 44,
        }
    }

    /// Whom it concerns, for the trace.
    pub(crate) fn key(&self) -> u64 {
        match self {
            Packet::Syn(syn) => syn.client.as_u64(),
            Packet::SynAck { client: end, .. }
            | Packet::Refused { client: end, .. }
            | Packet::Data { end, .. }
            | Packet::Window { end, .. }
            | Packet::Fin { end }
            | Packet::Reset { end }
            | Packet::Shut { end }
            | Packet::Break { end }
            | Packet::Resend { end }
            | Packet::Probe { end } => end.as_u64(),
            Packet::Datagram { sender, .. } | Packet::Unreachable { sender } => sender.as_u64(),
        }
    }

    /// Whether it does not travel at all: something that a host says to itself.
    pub(crate) fn is_note(&self) -> bool {
        matches!(
            self,
            Packet::Shut { .. }
                | Packet::Break { .. }
                | Packet::Resend { .. }
                | Packet::Probe { .. }
        )
    }

    /// The end that it is for, if it is a part of a stream: those arrive in order, or not at all.
    pub(crate) fn stream(&self) -> Option<Key<Endpoint>> {
        match self {
            Packet::SynAck { client: end, .. }
            | Packet::Refused { client: end, .. }
            | Packet::Data { end, .. }
            | Packet::Window { end, .. }
            | Packet::Fin { end }
            | Packet::Reset { end } => Some(*end),
            _ => None,
        }
    }

    /// How many bytes it takes of a link.
    pub(crate) fn len(&self) -> usize {
        /// About what the headers of an Ethernet frame, of IP and of TCP take.
        const HEADERS: usize = 54;
        HEADERS
            + match self {
                Packet::Data { bytes, .. } | Packet::Datagram { bytes, .. } => bytes.len(),
                _ => 0,
            }
    }
}

/// What a Unix socket that becomes ready has in the trace in the place of a packet's tag.
pub(crate) const NUDGE_TAG: u8 = 45;

/// What reports call a packet of this [`tag`](Packet::tag).
pub(crate) fn sort_name(tag: u8) -> &'static str {
    match tag {
        32 => "wish to connect",
        33 => "consent to connect",
        34 => "refusal to connect",
        35 => "data",
        36 => "credit",
        37 => "end of stream",
        38 => "reset",
        39 => "shutdown",
        40 => "datagram",
        41 => "unreachable",
        42 => "break",
        43 => "resend",
        44 => "probe",
        NUDGE_TAG => "readiness",
        _ => "packet",
    }
}
