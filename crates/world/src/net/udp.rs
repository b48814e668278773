//! A UDP socket: whole datagrams, in no certain order, lost when nobody has room for them.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use yamanote_base::interest::Ready;
use yamanote_base::ready::ReadyCell;
use yamanote_base::wake::WakeList;

use crate::choice::ChoiceKind;
use crate::host::{Host, HostId};
use crate::net::address::{self, Lease};
use crate::net::packet::{Packet, Parcel};
use crate::net::{SocketOptions, gone};
use crate::world::WorldState;
use yamanote_base::slab::Key;

/// The longest datagram: what IPv4 leaves of 64 KiB.
const LENGTH_MAX: usize = 65_507;
/// Bytes that wait to be received; what comes then is lost (Linux's default).
const QUEUE_MAX: usize = 212_992;
/// What a datagram costs of the queue besides its bytes.
const OVERHEAD: usize = 256;

/// A simulated UDP socket; never blocks.
pub struct UdpSocket {
    host: Host,
    key: Key<UdpState>,
    ready: Arc<ReadyCell>,
}

/// What the world knows of a UDP socket.
#[derive(Debug)]
pub(crate) struct UdpState {
    pub(crate) host: HostId,
    lease: Lease,
    peer: Option<SocketAddr>,
    /// Datagrams and where they came from; bounded by `QUEUE_MAX`.
    queue: VecDeque<(SocketAddr, Vec<u8>)>,
    queued_bytes: usize,
    error: Option<io::ErrorKind>,
    ready: Arc<ReadyCell>,
    options: SocketOptions,
    /// When the last datagram to this host itself arrives; none overtakes another there.
    last_arrival_ns: u64,
    /// The multicast groups that it is in.
    groups: Vec<IpAddr>,
}

/// A datagram at its goal.
pub(crate) struct Arrived {
    pub(crate) sender: Key<UdpState>,
    pub(crate) source: SocketAddr,
    pub(crate) target: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

impl UdpState {
    pub(crate) fn ready(&self) -> &Arc<ReadyCell> {
        &self.ready
    }

    /// Where it receives.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.lease.addr
    }

    /// The one that it talks to, if it is connected.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }
}

impl UdpSocket {
    /// A socket of `host` at `addr`; port 0 is any that is free.
    ///
    /// # Errors
    /// `AddrInUse`, `AddrNotAvailable`.
    pub fn bind(host: &Host, addr: SocketAddr) -> io::Result<Self> {
        Self::bind_with(host, addr, SocketOptions::default())
    }

    /// [`bind`](Self::bind) of a socket that has `options` already.
    ///
    /// # Errors
    /// As there.
    pub fn bind_with(host: &Host, addr: SocketAddr, options: SocketOptions) -> io::Result<Self> {
        let mut state = host.world().lock();
        let own = state.hosts.get_mut(host.id());
        address::check_own(own, addr)?;
        let lease = own.udp.take(addr, options.sharing())?;
        let ready = Arc::new(ReadyCell::new());
        // Nobody waits yet: no waker comes out of this.
        ready.set(Ready::WRITABLE, &mut WakeList::new());
        let key = state.net.udp.insert(UdpState {
            host: host.id(),
            lease,
            peer: None,
            queue: VecDeque::new(),
            queued_bytes: 0,
            error: None,
            ready: ready.clone(),
            options,
            last_arrival_ns: 0,
            groups: Vec::new(),
        });
        let place = (host.id(), lease.addr.port());
        state.net.receiving.entry(place).or_default().push(key);
        Ok(Self {
            host: host.clone(),
            key,
            ready,
        })
    }

    /// Sends to `remote` from now on, and receives from there only.
    ///
    /// # Errors
    /// `InvalidInput` if it cannot reach that family.
    pub fn connect(&self, remote: SocketAddr) -> io::Result<()> {
        let mut state = self.host.world().lock();
        let state: &mut WorldState = &mut state;
        let udp = state.net.udp.get_mut(self.key).ok_or_else(gone)?;
        let goal = address::destination(remote);
        udp.lease.check_reach(goal)?;
        udp.peer = Some(goal);
        Ok(())
    }

    /// Sends `buf` to where it is connected.
    ///
    /// # Errors
    /// `NotConnected` (as an error of destination); as [`send_to`](Self::send_to).
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        let peer = self
            .with(|udp| udp.peer)?
            .ok_or(io::ErrorKind::NotConnected)?;
        self.send_to(buf, peer)
    }

    /// Sends `buf` to `target`; whether it arrives is another matter.
    ///
    /// # Errors
    /// `InvalidInput` if it is too long or of a family that cannot be reached;
    /// `ConnectionRefused`, once, if an earlier one met no socket.
    pub fn send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        if buf.len() > LENGTH_MAX {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "message too long",
            ));
        }
        let mut state = self.host.world().lock();
        let udp = state.net.udp.get_mut(self.key).ok_or_else(gone)?;
        if let Some(kind) = udp.error.take() {
            return Err(kind.into());
        }
        let bound = udp.lease.addr;
        let target = address::destination(target);
        udp.lease.check_reach(target)?;
        let from = self.host.id();
        let own = state.hosts.get(from);
        let ip = address::source(own, Some(bound.ip()), target.ip());
        let source = SocketAddr::new(ip, bound.port());
        // To an address that nobody has it is lost, as any datagram may be.
        for to in state.destinations(self.key, from, target) {
            let bytes = state.net.buffer(buf);
            let packet = Packet::Datagram {
                sender: self.key,
                source,
                target,
                bytes,
            };
            state.send_datagram(self.key, Parcel { from, to, packet });
        }
        Ok(buf.len())
    }

    /// Receives from now on what is sent to the multicast group, too.
    ///
    /// # Errors
    /// `InvalidInput` if it is no such group, `AddrInUse` if it is in it already.
    pub fn join(&self, group: IpAddr) -> io::Result<()> {
        if !group.is_multicast() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.with(|udp| match udp.groups.contains(&group) {
            true => Err(io::ErrorKind::AddrInUse.into()),
            false => {
                udp.groups.push(group);
                Ok(())
            }
        })?
    }

    /// Leaves a multicast group.
    ///
    /// # Errors
    /// `AddrNotAvailable` if it is not in it.
    pub fn leave(&self, group: IpAddr) -> io::Result<()> {
        self.with(|udp| {
            let place = udp.groups.iter().position(|known| *known == group);
            let place = place.ok_or(io::ErrorKind::AddrNotAvailable)?;
            udp.groups.remove(place);
            Ok(())
        })?
    }

    /// Receives a datagram; what does not fit into `buf` is lost.
    ///
    /// # Errors
    /// `WouldBlock`; `ConnectionRefused`, once, if one that was sent met no socket.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let mut state = self.host.world().lock();
        let udp = state.net.udp.get_mut(self.key).ok_or_else(gone)?;
        udp.check_receive()?;
        let (source, bytes) = udp.queue.pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        udp.queued_bytes -= bytes.len() + OVERHEAD;
        let count = copy(&bytes, buf);
        state.net.recycle(bytes);
        Ok((count, source))
    }

    /// [`recv_from`](Self::recv_from), but the datagram stays to be received again.
    ///
    /// # Errors
    /// As there.
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.with(|udp| {
            udp.check_receive()?;
            let (source, bytes) = udp.queue.front().ok_or(io::ErrorKind::WouldBlock)?;
            Ok((copy(bytes, buf), *source))
        })?
    }

    /// [`recv_from`](Self::recv_from) without the address.
    ///
    /// # Errors
    /// As there.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_from(buf).map(|(count, _)| count)
    }

    /// [`peek_from`](Self::peek_from) without the address.
    ///
    /// # Errors
    /// As there.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.peek_from(buf).map(|(count, _)| count)
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    /// If its host was killed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let (bound, peer) = self.with(|udp| (udp.lease.addr, udp.peer))?;
        let Some(peer) = peer else { return Ok(bound) };
        let state = self.host.world().lock();
        let own = state.hosts.get(self.host.id());
        let ip = address::source(own, Some(bound.ip()), peer.ip());
        Ok(SocketAddr::new(ip, bound.port()))
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    /// `NotConnected` if it is not.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.with(|udp| udp.peer)?
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// The error that waits to be told, once.
    ///
    /// # Errors
    /// If its host was killed.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.with(|udp| udp.error.take().map(io::Error::from))
    }

    /// Its options.
    #[must_use]
    pub fn options(&self) -> SocketOptions {
        self.with(|udp| udp.options).unwrap_or_default()
    }

    /// Changes its options.
    pub fn set_options(&self, change: impl FnOnce(&mut SocketOptions)) {
        let mut options = self.options();
        change(&mut options);
        // Fails only if the host was killed: then there is nothing to change.
        let _ = self.with(|udp| udp.options = options);
    }

    /// When to try again.
    #[must_use]
    pub fn ready(&self) -> &Arc<ReadyCell> {
        &self.ready
    }

    fn with<R>(&self, f: impl FnOnce(&mut UdpState) -> R) -> io::Result<R> {
        let mut state = self.host.world().lock();
        state.net.udp.get_mut(self.key).map(f).ok_or_else(gone)
    }
}

impl Drop for UdpSocket {
    fn drop(&mut self) {
        self.host.world().lock().close_udp(self.key);
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpSocket")
            .field("addr", &self.local_addr().ok())
            .finish_non_exhaustive()
    }
}

impl UdpState {
    fn check_receive(&mut self) -> io::Result<()> {
        match self.error.take() {
            Some(kind) => Err(kind.into()),
            None => Ok(()),
        }
    }

    /// Puts a datagram into the queue; gives the bytes back if there is no room.
    fn take_in(
        &mut self,
        source: SocketAddr,
        bytes: Vec<u8>,
        wakes: &mut WakeList,
    ) -> Option<Vec<u8>> {
        let cost = bytes.len() + OVERHEAD;
        if self.queued_bytes + cost > QUEUE_MAX {
            return Some(bytes);
        }
        self.queued_bytes += cost;
        let source = address::in_family(source, self.lease.addr);
        self.queue.push_back((source, bytes));
        self.ready.set(Ready::READABLE, wakes);
        None
    }

    /// Whether a datagram to `target`, a group or everybody, is for this socket.
    fn hears(&self, target: SocketAddr) -> bool {
        let is_joined = self.groups.contains(&target.ip()) || is_everybody(target.ip());
        let bound = self.lease.addr.ip();
        is_joined
            && (bound == target.ip()
                || (bound.is_unspecified() && bound.is_ipv4() == target.is_ipv4()))
    }

    fn accepts_from(&self, source: SocketAddr) -> bool {
        self.peer.is_none_or(|peer| {
            peer.port() == source.port() && peer.ip().to_canonical() == source.ip().to_canonical()
        })
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    to[..count].copy_from_slice(&from[..count]);
    count
}

/// The broadcast address: every host of the network.
fn is_everybody(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

impl WorldState {
    /// The hosts that a datagram to `target` is sent to.
    fn destinations(&self, sender: Key<UdpState>, from: HostId, target: SocketAddr) -> Vec<HostId> {
        if !target.ip().is_multicast() && !is_everybody(target.ip()) {
            return self.hosts.by_ip(from, target.ip()).into_iter().collect();
        }
        let options = self.net.udp.get(sender).map(|udp| udp.options);
        let hears_itself = options.is_some_and(|options| match target.is_ipv4() {
            true => options.multicast_loop_v4,
            false => options.multicast_loop_v6,
        });
        let hears = |host: &HostId| {
            let keys = self.net.receiving.get(&(*host, target.port()));
            let mut sockets = keys
                .into_iter()
                .flatten()
                .filter_map(|key| self.net.udp.get(*key));
            (*host != from || hears_itself) && sockets.any(|udp| udp.hears(target))
        };
        self.hosts.ids().filter(hears).collect()
    }

    /// Sends a datagram; within a host they keep their order, as through a real loopback.
    fn send_datagram(&mut self, sender: Key<UdpState>, parcel: Parcel) {
        let way = (parcel.from, parcel.to);
        let mut at_ns = self.arrival_ns(way, parcel.packet.len()) + self.detour_ns(way);
        let loopback = self.net.udp.get_mut(sender).filter(|_| way.0 == way.1);
        if let Some(udp) = loopback {
            at_ns = at_ns.max(udp.last_arrival_ns);
            udp.last_arrival_ns = at_ns;
        }
        let copies = self.net.links.copies(way);
        if self.strikes(ChoiceKind::PacketCopy, way.0, copies) {
            let again_ns = self.arrival_ns(way, parcel.packet.len());
            self.events.push(again_ns, parcel.clone());
        }
        self.events.push(at_ns, parcel);
    }

    pub(crate) fn close_udp(&mut self, key: Key<UdpState>) {
        let Some(udp) = self.net.udp.remove(key) else {
            return;
        };
        let place = (udp.host, udp.lease.addr.port());
        if let Some(keys) = self.net.receiving.get_mut(&place) {
            keys.retain(|other| *other != key);
            if keys.is_empty() {
                self.net.receiving.remove(&place);
            }
        }
        self.hosts.get_mut(udp.host).udp.release(udp.lease);
    }

    pub(crate) fn deliver_datagram(
        &mut self,
        from: HostId,
        to: HostId,
        arrived: Arrived,
        wakes: &mut WakeList,
    ) {
        let Arrived {
            sender,
            source,
            target,
            bytes,
        } = arrived;
        if target.ip().is_multicast() || is_everybody(target.ip()) {
            let keys = self.net.receiving.get(&(to, target.port()));
            for key in keys.cloned().unwrap_or_default() {
                let udp = self.net.udp.get_mut(key);
                if let Some(udp) = udp.filter(|udp| udp.hears(target) && udp.accepts_from(source)) {
                    udp.take_in(source, bytes.clone(), wakes);
                }
            }
            return self.net.recycle(bytes);
        }
        let Some(key) = self.receiver_at(to, source, target) else {
            let packet = Packet::Unreachable { sender };
            return self.dispatch(Parcel {
                from: to,
                to: from,
                packet,
            });
        };
        let Some(udp) = self.net.udp.get_mut(key) else {
            return;
        };
        if let Some(bytes) = udp.take_in(source, bytes, wakes) {
            self.net.recycle(bytes);
        }
    }

    pub(crate) fn deliver_unreachable(&mut self, sender: Key<UdpState>, wakes: &mut WakeList) {
        // As on Linux, only a connected socket is told.
        if let Some(udp) = self
            .net
            .udp
            .get_mut(sender)
            .filter(|udp| udp.peer.is_some())
        {
            udp.error = Some(io::ErrorKind::ConnectionRefused);
            // As Linux has it, there is nothing to read.
            udp.ready.set(Ready::WRITABLE | Ready::ERROR, wakes);
        }
    }

    fn receiver_at(
        &self,
        host: HostId,
        source: SocketAddr,
        target: SocketAddr,
    ) -> Option<Key<UdpState>> {
        let keys = self.net.receiving.get(&(host, target.port()))?;
        let bound = |key: &Key<UdpState>| {
            let udp = self
                .net
                .udp
                .get(*key)
                .filter(|udp| udp.accepts_from(source))?;
            let affinity = udp.lease.affinity(target.ip())?;
            Some(((affinity, udp.peer.is_some()), *key))
        };
        // The first of the best, so that the order of binding decides.
        let ranked = keys.iter().rev().filter_map(bound);
        ranked.max_by_key(|(rank, _)| *rank).map(|(_, key)| key)
    }
}
