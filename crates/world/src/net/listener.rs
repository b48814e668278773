//! A TCP listener, and what a wish to connect meets.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use yamanote_base::interest::Ready;
use yamanote_base::ready::ReadyCell;
use yamanote_base::wake::WakeList;

use crate::host::{Host, HostId};
use crate::net::address::{self, Lease, Sharing};
use crate::net::connection::{Close, Endpoint, Phase, Route};
use crate::net::packet::{Packet, Parcel, Syn};
use crate::net::{SocketOptions, TcpStream, gone};
use crate::world::WorldState;
use yamanote_base::slab::Key;

/// How long a wish to connect waits before it is sent again, the first time; doubles each time.
const RESEND_NS: u64 = 1_000_000_000;
/// How often a wish to connect is sent again.
const RESEND_MAX: u32 = 6;

/// A simulated TCP listener.
pub struct TcpListener {
    host: Host,
    key: Key<ListenerState>,
    ready: Arc<ReadyCell>,
}

/// What the world knows of a listener.
#[derive(Debug)]
pub(crate) struct ListenerState {
    pub(crate) host: HostId,
    lease: Lease,
    /// Connections that stand and wait to be accepted; at most `backlog`.
    queue: VecDeque<Key<Endpoint>>,
    backlog: usize,
    ready: Arc<ReadyCell>,
    options: SocketOptions,
}

impl ListenerState {
    pub(crate) fn ready(&self) -> &Arc<ReadyCell> {
        &self.ready
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.lease.addr
    }
}

impl TcpListener {
    /// A listener of `host` at `addr` (port 0: any that is free), with at most `backlog`
    /// connections waiting to be accepted.
    ///
    /// # Errors
    /// `AddrInUse`, `AddrNotAvailable`.
    pub fn bind(host: &Host, addr: SocketAddr, backlog: u32) -> io::Result<Self> {
        let mut state = host.world().lock();
        let own = state.hosts.get_mut(host.id());
        address::check_own(own, addr)?;
        let lease = own.tcp.take(addr, Sharing::default())?;
        Ok(Self::open(
            host,
            &mut state,
            lease,
            backlog,
            SocketOptions::default(),
        ))
    }

    /// A listener at a port that is held already.
    pub(crate) fn open(
        host: &Host,
        state: &mut WorldState,
        lease: Lease,
        backlog: u32,
        options: SocketOptions,
    ) -> Self {
        let ready = Arc::new(ReadyCell::new());
        let key = state.net.listeners.insert(ListenerState {
            host: host.id(),
            lease,
            queue: VecDeque::new(),
            backlog: usize::try_from(backlog.max(1)).unwrap_or(usize::MAX),
            ready: ready.clone(),
            options,
        });
        let place = (host.id(), lease.addr.port());
        state.net.listening.entry(place).or_default().push(key);
        Self {
            host: host.clone(),
            key,
            ready,
        }
    }

    /// The next connection that stands, and where it comes from.
    ///
    /// # Errors
    /// `WouldBlock` if there is none.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let mut state = self.host.world().lock();
        let listener = state.net.listeners.get_mut(self.key).ok_or_else(gone)?;
        let key = listener
            .queue
            .pop_front()
            .ok_or(io::ErrorKind::WouldBlock)?;
        // An end that was never accepted stays in the table until its listener closes.
        let end = state.net.ends.get(key).ok_or_else(gone)?;
        let (ready, remote) = (end.ready.clone(), end.remote);
        Ok((TcpStream::new(&self.host, key, ready), remote))
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    /// If its host was killed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let state = self.host.world().lock();
        Ok(state
            .net
            .listeners
            .get(self.key)
            .ok_or_else(gone)?
            .lease
            .addr)
    }

    /// The error that waits to be told: a listener has none.
    ///
    /// # Errors
    /// Never.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(None)
    }

    /// Its options.
    #[must_use]
    pub fn options(&self) -> SocketOptions {
        let state = self.host.world().lock();
        state
            .net
            .listeners
            .get(self.key)
            .map(|listener| listener.options)
            .unwrap_or_default()
    }

    /// Changes its options.
    pub fn set_options(&self, change: impl FnOnce(&mut SocketOptions)) {
        let mut options = self.options();
        change(&mut options);
        if let Some(listener) = self.host.world().lock().net.listeners.get_mut(self.key) {
            listener.options = options;
        }
    }

    /// When to try again.
    #[must_use]
    pub fn ready(&self) -> &Arc<ReadyCell> {
        &self.ready
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        let mut state = self.host.world().lock();
        state.close_listener(self.key, Close::Reset);
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener")
            .field("addr", &self.local_addr().ok())
            .finish_non_exhaustive()
    }
}

impl WorldState {
    /// Removes a listener; connections that nobody accepted are closed like `close`.
    pub(crate) fn close_listener(&mut self, key: Key<ListenerState>, close: Close) {
        let Some(listener) = self.net.listeners.remove(key) else {
            return;
        };
        let place = (listener.host, listener.lease.addr.port());
        if let Some(keys) = self.net.listening.get_mut(&place) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.net.listening.remove(&place);
            }
        }
        self.hosts
            .get_mut(listener.host)
            .tcp
            .release(listener.lease);
        for end in listener.queue {
            self.close_end(end, close);
        }
    }

    pub(crate) fn deliver_syn(&mut self, from: HostId, to: HostId, syn: Syn, wakes: &mut WakeList) {
        if self.net.ends.get(syn.client).is_none() {
            // The client has given up.
            return;
        }
        let Some(key) = self.listener_at(to, syn.target) else {
            let kind = io::ErrorKind::ConnectionRefused;
            let packet = Packet::Refused {
                client: syn.client,
                kind,
            };
            return self.dispatch(Parcel {
                from: to,
                to: from,
                packet,
            });
        };
        let Some(listener) = self.net.listeners.get_mut(key) else {
            return;
        };
        if listener.queue.len() >= listener.backlog {
            return self.resend_syn(from, to, syn);
        }
        let bound = listener.lease.addr;
        let local = address::in_family(syn.target, bound);
        let remote = address::in_family(syn.source, bound);
        let route = Route {
            host: to,
            local,
            peer_host: from,
            remote,
        };
        let mut end = Endpoint::new(route, Phase::Open);
        end.peer = Some(syn.client);
        let options = listener.options;
        end.ready.set(Ready::WRITABLE, wakes);
        let server = self.net.ends.insert(end);
        listener.queue.push_back(server);
        listener.ready.set(Ready::READABLE, wakes);
        // As on Linux, it has those of its listener.
        self.set_end_options(server, options);
        self.send(
            server,
            Packet::SynAck {
                client: syn.client,
                server,
            },
        );
    }

    /// The backlog was full, or nothing gets through: the client tries again later, and gives up
    /// at some time.
    pub(crate) fn resend_syn(&mut self, from: HostId, to: HostId, syn: Syn) {
        if syn.attempt == RESEND_MAX {
            let (client, kind) = (syn.client, io::ErrorKind::TimedOut);
            // The client itself finds out: nothing travels.
            let packet = Packet::Refused { client, kind };
            let (to, at_ns) = (from, self.now_ns() + (RESEND_NS << syn.attempt));
            return self.events.push(at_ns, Parcel { from, to, packet });
        }
        let way_ns = self.arrival_ns((from, to), Packet::Syn(syn).len());
        let at_ns = way_ns + (RESEND_NS << syn.attempt);
        let syn = Syn {
            attempt: syn.attempt + 1,
            ..syn
        };
        self.events.push(
            at_ns,
            Parcel {
                from,
                to,
                packet: Packet::Syn(syn),
            },
        );
    }

    fn listener_at(&self, host: HostId, target: SocketAddr) -> Option<Key<ListenerState>> {
        let keys = self.net.listening.get(&(host, target.port()))?;
        let bound = |key: &Key<ListenerState>| {
            let listener = self.net.listeners.get(*key)?;
            Some((listener.lease.affinity(target.ip())?, *key))
        };
        // The first of the best, so that the order of binding decides.
        let ranked = keys.iter().rev().filter_map(bound);
        ranked
            .max_by_key(|(affinity, _)| *affinity)
            .map(|(_, key)| key)
    }
}
