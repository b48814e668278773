//! One end of a TCP connection: what it holds, and what each packet does to it.
//!
//! ```text
//!  CONNECTING ──SynAck──▶ OPEN ──Reset──▶ DEAD      (an accepted end begins OPEN)
//!       └────Refused / gave up────────────▲
//! ```
//! An end is removed when its stream is dropped; what arrives later is answered with a reset.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use yamanote_base::interest::Ready;
use yamanote_base::ready::ReadyCell;
use yamanote_base::wake::WakeList;

use crate::host::HostId;
use crate::net::address::{self, Lease, Sharing};
use crate::net::packet::{Packet, Parcel, Syn};
use crate::net::{SocketOptions, gone};
use crate::world::WorldState;
use yamanote_base::slab::Key;

/// Bytes in flight and unread, in one direction.
pub(crate) const WINDOW: usize = 64 * 1024;
/// Bytes that are read before the sender is told.
const WINDOW_STEP: usize = WINDOW / 4;

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) host: HostId,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) phase: Phase,
    pub(crate) ready: Arc<ReadyCell>,
    pub(crate) options: SocketOptions,
    /// The host of the other end, and the other end itself once it is known.
    pub(crate) peer_host: HostId,
    pub(crate) peer: Option<Key<Endpoint>>,
    /// The port that goes back with this end; an accepted end has its listener's.
    pub(crate) lease: Option<Lease>,
    /// Bytes that have arrived and are unread; at most a window.
    pub(crate) incoming: VecDeque<u8>,
    /// Bytes read of which the sender has not been told.
    pub(crate) unannounced: usize,
    /// Bytes that may be sent before the other end reads.
    pub(crate) credit: usize,
    /// The other end sends no more.
    pub(crate) ended: bool,
    pub(crate) read_shut: bool,
    pub(crate) write_shut: bool,
    /// What the next call is to be told.
    pub(crate) error: Option<io::ErrorKind>,
    /// When the last packet that was sent from here arrives; none arrives before it.
    last_arrival_ns: u64,
    /// Nothing gets through to it any more.
    pub(crate) is_silent: bool,
    /// Whether it will ask if its other end is there, and how often it has asked in vain.
    pub(crate) is_probed: bool,
    pub(crate) probes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Connecting,
    Open,
    Dead,
}

/// How an end takes its leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    /// By the rules: in order, or with a reset if there is unread data.
    Orderly,
    /// With a reset.
    Reset,
    /// Without a word: power has failed.
    Silent,
}

/// The two sides of a new end.
pub(crate) struct Route {
    pub(crate) host: HostId,
    pub(crate) local: SocketAddr,
    pub(crate) peer_host: HostId,
    pub(crate) remote: SocketAddr,
}

impl Endpoint {
    pub(crate) fn new(route: Route, phase: Phase) -> Self {
        Self {
            host: route.host,
            local: route.local,
            remote: route.remote,
            phase,
            ready: Arc::new(ReadyCell::new()),
            options: SocketOptions::default(),
            peer_host: route.peer_host,
            peer: None,
            lease: None,
            incoming: VecDeque::new(),
            unannounced: 0,
            credit: WINDOW,
            ended: false,
            read_shut: false,
            write_shut: false,
            error: None,
            last_arrival_ns: 0,
            is_silent: false,
            is_probed: false,
            probes: 0,
        }
    }

    /// Whether a read would say something, and if so, what besides data.
    pub(crate) fn check_read(&mut self) -> io::Result<ReadState> {
        if !self.incoming.is_empty() {
            return Ok(ReadState::Data);
        }
        if self.ended || self.read_shut {
            return Ok(ReadState::End);
        }
        match (self.error.take(), self.phase) {
            (Some(kind), _) => Err(kind.into()),
            (None, Phase::Dead) => Ok(ReadState::End),
            (None, _) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// How many bytes may be written now; never 0.
    pub(crate) fn check_write(&mut self) -> io::Result<usize> {
        if let Some(kind) = self.error.take() {
            return Err(kind.into());
        }
        if self.write_shut || self.phase == Phase::Dead {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if self.phase == Phase::Connecting || self.credit == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(self.credit)
    }

    fn die(&mut self, error: io::ErrorKind, wakes: &mut WakeList) {
        self.phase = Phase::Dead;
        self.peer = None;
        self.error = Some(error);
        self.ready.set(Ready::ALL - Ready::PRIORITY, wakes);
    }
}

/// What a read finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadState {
    /// At least one byte.
    Data,
    /// The end of the stream.
    End,
}

impl WorldState {
    /// Begins a connection from `host` to `target`; `bound` is the local end, if it has one yet.
    pub(crate) fn connect(
        &mut self,
        host: HostId,
        bound: Option<Lease>,
        target: SocketAddr,
    ) -> io::Result<(Key<Endpoint>, Arc<ReadyCell>)> {
        let goal = address::destination(target);
        let own = self.hosts.get_mut(host);
        let ip = address::source(own, bound.map(|bound| bound.addr.ip()), goal.ip());
        let lease = match bound {
            Some(lease) => lease,
            None => own.tcp.take(SocketAddr::new(ip, 0), Sharing::default())?,
        };
        let local = SocketAddr::new(ip, lease.addr.port());
        let peer_host = self.hosts.by_ip(host, goal.ip());
        let route = Route {
            host,
            local,
            peer_host: peer_host.unwrap_or(host),
            remote: goal,
        };
        let mut end = Endpoint::new(route, Phase::Connecting);
        end.lease = Some(lease);
        let ready = end.ready.clone();
        let client = self.net.ends.insert(end);
        match peer_host {
            Some(_) => {
                let syn = Syn {
                    client,
                    source: local,
                    target: goal,
                    attempt: 0,
                };
                self.send(client, Packet::Syn(syn));
            }
            None => {
                let kind = io::ErrorKind::HostUnreachable;
                self.dispatch(Parcel {
                    from: host,
                    to: host,
                    packet: Packet::Refused { client, kind },
                });
            }
        }
        Ok((client, ready))
    }

    /// Sends `packet` from `end` to its other end, behind all that was sent before.
    pub(crate) fn send(&mut self, end: Key<Endpoint>, packet: Packet) {
        let Some(endpoint) = self.net.ends.get(end) else {
            return;
        };
        let (from, to) = (endpoint.host, endpoint.peer_host);
        let not_before = endpoint.last_arrival_ns;
        let at_ns = not_before.max(self.arrival_ns((from, to), packet.len()));
        if let Some(endpoint) = self.net.ends.get_mut(end) {
            endpoint.last_arrival_ns = at_ns;
        }
        self.events.push(at_ns, Parcel { from, to, packet });
    }

    /// Tells the sender how much room there is, once it is worth a packet.
    pub(crate) fn announce_room(&mut self, end: Key<Endpoint>) {
        let Some(endpoint) = self.net.ends.get_mut(end) else {
            return;
        };
        if endpoint.unannounced < WINDOW_STEP {
            return;
        }
        let bytes = std::mem::take(&mut endpoint.unannounced);
        if let Some(peer) = endpoint.peer {
            self.send(end, Packet::Window { end: peer, bytes });
        }
    }

    /// Has `end` follow these options from now on, if it is there.
    pub(crate) fn set_end_options(&mut self, end: Key<Endpoint>, options: SocketOptions) {
        if let Some(endpoint) = self.net.ends.get_mut(end) {
            endpoint.options = options;
            self.begin_probes(end);
        }
    }

    /// Ends the sending half of `end`.
    pub(crate) fn shut_write(&mut self, end: Key<Endpoint>) -> io::Result<()> {
        let endpoint = self.net.ends.get_mut(end).ok_or_else(gone)?;
        if endpoint.phase != Phase::Open {
            return Err(io::ErrorKind::NotConnected.into());
        }
        if std::mem::replace(&mut endpoint.write_shut, true) {
            return Ok(());
        }
        if let Some(peer) = endpoint.peer {
            self.send(end, Packet::Fin { end: peer });
        }
        let host = self.net.ends.get(end).ok_or_else(gone)?.host;
        let packet = Packet::Shut { end };
        self.events.push(
            self.now_ns(),
            Parcel {
                from: host,
                to: host,
                packet,
            },
        );
        Ok(())
    }

    /// Ends the receiving half of `end`; who waits to read is told by an event.
    pub(crate) fn shut_read(&mut self, end: Key<Endpoint>) -> io::Result<()> {
        let endpoint = self.net.ends.get_mut(end).ok_or_else(gone)?;
        if endpoint.phase != Phase::Open {
            return Err(io::ErrorKind::NotConnected.into());
        }
        endpoint.read_shut = true;
        let (host, packet) = (endpoint.host, Packet::Shut { end });
        self.events.push(
            self.now_ns(),
            Parcel {
                from: host,
                to: host,
                packet,
            },
        );
        Ok(())
    }

    /// Removes `end`; the other end learns it by the last packet.
    pub(crate) fn close_end(&mut self, end: Key<Endpoint>, close: Close) {
        let Some(endpoint) = self.net.ends.get(end) else {
            return;
        };
        let abort = close == Close::Reset
            || !endpoint.incoming.is_empty()
            || endpoint.options.linger == Some(Duration::ZERO);
        let open = endpoint.phase == Phase::Open;
        let tells = open && close != Close::Silent;
        if let Some(peer) = endpoint.peer.filter(|_| tells) {
            if abort {
                self.send(end, Packet::Reset { end: peer });
            } else if !endpoint.write_shut {
                self.send(end, Packet::Fin { end: peer });
            }
        }
        let Some(endpoint) = self.net.ends.remove(end) else {
            return;
        };
        if let Some(lease) = endpoint.lease {
            self.hosts.get_mut(endpoint.host).tcp.release(lease);
        }
        if endpoint.is_silent {
            self.note_silent_end_gone(endpoint.host, endpoint.peer_host);
        }
    }

    pub(crate) fn deliver_syn_ack(
        &mut self,
        client: Key<Endpoint>,
        server: Key<Endpoint>,
        wakes: &mut WakeList,
    ) {
        let Some(end) = self.net.ends.get_mut(client) else {
            // The client has given up meanwhile.
            if let Some(end) = self.net.ends.get(server) {
                let (from, to) = (end.peer_host, end.host);
                self.dispatch(Parcel {
                    from,
                    to,
                    packet: Packet::Reset { end: server },
                });
            }
            return;
        };
        end.phase = Phase::Open;
        end.peer = Some(server);
        end.ready.set(Ready::WRITABLE, wakes);
    }

    /// Ends the connection of `end`, if there is one, with an error.
    pub(crate) fn break_end(
        &mut self,
        end: Key<Endpoint>,
        kind: io::ErrorKind,
        wakes: &mut WakeList,
    ) {
        let end = self.net.ends.get_mut(end);
        if let Some(end) = end.filter(|end| end.phase != Phase::Dead) {
            end.die(kind, wakes);
        }
    }

    /// `None` if there is no such end any more, or its connection is broken.
    pub(crate) fn deliver_data(
        &mut self,
        end: Key<Endpoint>,
        bytes: Vec<u8>,
        wakes: &mut WakeList,
    ) -> Option<()> {
        let end = self.net.ends.get_mut(end);
        let found = end.filter(|end| end.phase != Phase::Dead).map(|end| {
            end.incoming.extend(&bytes);
            debug_assert!(
                end.incoming.len() <= WINDOW,
                "the sender kept to its credit"
            );
            end.ready.set(Ready::READABLE, wakes);
        });
        self.net.recycle(bytes);
        found
    }

    pub(crate) fn deliver_window(
        &mut self,
        end: Key<Endpoint>,
        bytes: usize,
        wakes: &mut WakeList,
    ) {
        if let Some(end) = self.net.ends.get_mut(end) {
            end.credit += bytes;
            debug_assert!(end.credit <= WINDOW, "no more is read than was sent");
            end.ready.set(Ready::WRITABLE, wakes);
        }
    }

    pub(crate) fn deliver_fin(&mut self, end: Key<Endpoint>, wakes: &mut WakeList) {
        if let Some(end) = self.net.ends.get_mut(end) {
            end.ended = true;
            let mut ready = Ready::READABLE | Ready::READ_CLOSED;
            if end.write_shut {
                ready |= Ready::WRITE_CLOSED;
            }
            end.ready.set(ready, wakes);
        }
    }

    pub(crate) fn deliver_reset(&mut self, end: Key<Endpoint>, wakes: &mut WakeList) {
        if let Some(end) = self.net.ends.get_mut(end) {
            // After the end of the stream, only a writer has something to learn.
            let error = match end.ended {
                true => io::ErrorKind::BrokenPipe,
                false => io::ErrorKind::ConnectionReset,
            };
            end.die(error, wakes);
        }
    }

    pub(crate) fn deliver_shut(&mut self, end: Key<Endpoint>, wakes: &mut WakeList) {
        if let Some(end) = self.net.ends.get_mut(end) {
            let mut ready = Ready::EMPTY;
            if end.read_shut {
                ready |= Ready::READABLE | Ready::READ_CLOSED;
            }
            if end.write_shut {
                ready |= Ready::WRITABLE;
            }
            if end.write_shut && (end.read_shut || end.ended) {
                ready |= Ready::WRITE_CLOSED;
            }
            end.ready.set(ready, wakes);
        }
    }
}
