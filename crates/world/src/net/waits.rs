//! What a task waits for that waits for a socket, in words: [`World::socket_wait`].

use std::sync::Arc;

use yamanote_base::interest::Interest;
use yamanote_base::ready::ReadyCell;

use super::connection::{Endpoint, Phase};
use super::udp::UdpState;
use crate::host::Hosts;
use crate::world::World;

impl World {
    /// What is waited for at the socket whose readiness is in the cell at the address `cell`;
    /// `None` if there is no such socket any more.
    ///
    /// Looks at every socket: it is for reports.
    #[must_use]
    pub fn socket_wait(&self, cell: usize, interest: Interest) -> Option<String> {
        let state = self.lock();
        let is_it = |ready: &Arc<ReadyCell>| Arc::as_ptr(ready).addr() == cell;
        let net = &state.net;
        let end = net.ends.iter().find(|(_, end)| is_it(&end.ready));
        if let Some((_, end)) = end {
            return Some(end.wait(interest, &state.hosts));
        }
        let mut listeners = net.listeners.iter();
        if let Some((_, listener)) = listeners.find(|(_, listener)| is_it(listener.ready())) {
            return Some(format!("TCP: to accept at {}", listener.addr()));
        }
        if let Some((_, udp)) = net.udp.iter().find(|(_, udp)| is_it(udp.ready())) {
            return Some(udp.wait(interest));
        }
        net.unix.wait(is_it, interest)
    }
}

impl Endpoint {
    fn wait(&self, interest: Interest, hosts: &Hosts) -> String {
        let what = match self.phase {
            Phase::Connecting => "to connect",
            _ => direction(
                interest,
                ["to read", "room to write", "to read or to write"],
            ),
        };
        let way = if interest.is_readable() { "from" } else { "to" };
        let host = hosts.name(self.peer_host.index());
        let Self { local, remote, .. } = self;
        format!("TCP: {what} {way} {host} ({remote}) at {local}")
    }
}

impl UdpState {
    fn wait(&self, interest: Interest) -> String {
        let what = direction(interest, ["to receive", "to send", "to receive or to send"]);
        let peer = self.peer().map(|peer| format!(", connected to {peer}"));
        format!("UDP: {what} at {}{}", self.addr(), peer.unwrap_or_default())
    }
}

/// One of the words: for reading, for writing, for both.
pub(super) fn direction(interest: Interest, words: [&'static str; 3]) -> &'static str {
    match (interest.is_readable(), interest.is_writable()) {
        (true, true) => words[2],
        (_, true) => words[1],
        _ => words[0],
    }
}
