//! Unix sockets, within a host: their names, and what all of them have.
//!
//! What is written is in the reader's hands at once; that it is ready to be read is an event, after
//! the latency within a host. A name is a file of the host's disk, or abstract; a file stays when
//! its socket is gone, and then nobody answers there. On the disk it looks like an empty file.

mod datagram;
mod stream;

pub use datagram::UnixDatagram;
pub use stream::{UnixListener, UnixStream};

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use yamanote_base::interest::{Interest, Ready};
use yamanote_base::ready::ReadyCell;
use yamanote_base::slab::{Key, Slab};
use yamanote_base::wake::WakeList;

use crate::disk::tree::Ino;
use crate::event::Nudge;
use crate::host::{Host, HostId};
use crate::net::waits::direction;
use crate::net::{gone, packet};
use crate::trace::Event;
use crate::world::WorldState;
use datagram::Mail;
use stream::{Half, Queue};

/// Permissions of the file of a socket.
const MODE: u32 = 0o755;

/// The name of a Unix socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum UnixName {
    /// It has none.
    #[default]
    Unnamed,
    /// A file.
    Path(PathBuf),
    /// A name that is no file.
    Abstract(Vec<u8>),
}

/// A socket that neither listens nor is connected yet.
#[derive(Debug)]
pub struct UnixSocket(UnixHandle);

/// Every Unix socket of a world.
#[derive(Debug)]
pub(crate) struct UnixSockets {
    all: Slab<UnixState>,
    spots: BTreeMap<(HostId, Spot), Key<UnixState>>,
}

/// Where a socket is found on its host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Spot {
    File(Ino),
    Abstract(Vec<u8>),
}

/// What the world knows of a Unix socket.
#[derive(Debug)]
pub(crate) struct UnixState {
    host: HostId,
    name: UnixName,
    spot: Option<Spot>,
    ready: Arc<ReadyCell>,
    role: Role,
}

/// What a socket is.
#[derive(Debug)]
enum Role {
    /// Nothing yet.
    Idle,
    Listener(Queue),
    Stream(Half),
    Datagram(Mail),
}

/// A program's hold of a socket, which is closed when this is dropped.
#[derive(Debug)]
struct UnixHandle {
    host: Host,
    key: Key<UnixState>,
    ready: Arc<ReadyCell>,
}

impl Default for UnixSockets {
    fn default() -> Self {
        Self {
            all: Slab::new(),
            spots: BTreeMap::new(),
        }
    }
}

impl UnixSockets {
    /// What is waited for at the socket of whose cell `is_it` holds.
    pub(super) fn wait(
        &self,
        is_it: impl Fn(&Arc<ReadyCell>) -> bool,
        interest: Interest,
    ) -> Option<String> {
        let (_, socket) = self.all.iter().find(|(_, socket)| is_it(&socket.ready))?;
        let what = match &socket.role {
            Role::Listener(_) => "to accept",
            // It connects at once or not at all: nobody waits for it.
            Role::Idle => return None,
            Role::Stream(_) => {
                direction(interest, ["to read", "room to write", "to read or write"])
            }
            Role::Datagram(_) => direction(
                interest,
                ["to receive", "room to send", "to receive or to send"],
            ),
        };
        let peer = match &socket.role {
            Role::Stream(half) => Some(half.peer_name()),
            Role::Datagram(mail) => mail.peer_name(),
            Role::Listener(_) | Role::Idle => None,
        };
        let peer = peer.map(|peer| format!(", connected to {}", peer.text()));
        let (name, peer) = (socket.name.text(), peer.unwrap_or_default());
        Some(format!("Unix socket: {what} at {name}{peer}"))
    }
}

impl UnixName {
    /// As reports have it.
    fn text(&self) -> String {
        match self {
            UnixName::Unnamed => "one without name".to_owned(),
            UnixName::Path(path) => path.display().to_string(),
            UnixName::Abstract(name) => format!("@{}", String::from_utf8_lossy(name)),
        }
    }
}

impl UnixSocket {
    /// A socket of `host` for streams, or for datagrams.
    #[must_use]
    pub fn new(host: &Host, is_datagram: bool) -> Self {
        let role = if is_datagram {
            Role::Datagram(Mail::default())
        } else {
            Role::Idle
        };
        Self(UnixHandle::open(host, role))
    }

    /// Whether it is for datagrams.
    #[must_use]
    pub fn is_datagram(&self) -> bool {
        let is_datagram = |socket: &mut UnixState| matches!(socket.role, Role::Datagram(_));
        self.0.with(is_datagram).unwrap_or(false)
    }

    /// Gives it a name.
    ///
    /// # Errors
    /// `AddrInUse` if something has it; `InvalidInput` if the socket has one already.
    pub fn bind(&self, name: &UnixName) -> io::Result<()> {
        self.0.bind(name)
    }
}

impl UnixHandle {
    fn open(host: &Host, role: Role) -> Self {
        let (key, ready) = host.world().lock().open_unix(host.id(), role);
        Self {
            host: host.clone(),
            key,
            ready,
        }
    }

    fn bind(&self, name: &UnixName) -> io::Result<()> {
        let mut state = self.host.world().lock();
        let id = self.host.id();
        if state.unix(self.key)?.spot.is_some() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let spot = match name {
            UnixName::Unnamed => return Err(io::ErrorKind::InvalidInput.into()),
            UnixName::Abstract(name) => Spot::Abstract(name.clone()),
            UnixName::Path(path) => {
                let now_ns = state.wall_ns(id);
                let tree = &mut state.hosts.get_mut(id).disk.tree;
                let found = tree.find(path, false)?;
                let free = found.place.filter(|_| found.ino.is_none());
                let place = free.ok_or(io::ErrorKind::AddrInUse)?;
                Spot::File(tree.make_file(place, MODE, now_ns))
            }
        };
        let sockets = &mut state.net.unix;
        if sockets.spots.contains_key(&(id, spot.clone())) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        sockets.spots.insert((id, spot.clone()), self.key);
        let socket = state.unix(self.key)?;
        socket.name = name.clone();
        socket.spot = Some(spot);
        Ok(())
    }

    fn name(&self) -> io::Result<UnixName> {
        self.with(|socket| socket.name.clone())
    }

    fn with<R>(&self, f: impl FnOnce(&mut UnixState) -> R) -> io::Result<R> {
        self.host.world().lock().unix(self.key).map(f)
    }
}

impl Drop for UnixHandle {
    fn drop(&mut self) {
        self.host.world().lock().close_unix(self.key);
    }
}

impl WorldState {
    fn open_unix(&mut self, host: HostId, role: Role) -> (Key<UnixState>, Arc<ReadyCell>) {
        let ready = Arc::new(ReadyCell::new());
        if matches!(role, Role::Datagram(_)) {
            // Nobody waits yet: no waker comes out of this.
            ready.set(Ready::WRITABLE, &mut WakeList::new());
        }
        let key = self.net.unix.all.insert(UnixState {
            host,
            name: UnixName::Unnamed,
            spot: None,
            ready: ready.clone(),
            role,
        });
        (key, ready)
    }

    fn unix(&mut self, key: Key<UnixState>) -> io::Result<&mut UnixState> {
        self.net.unix.all.get_mut(key).ok_or_else(gone)
    }

    /// The socket of `host` that has this name.
    fn unix_at(&mut self, host: HostId, name: &UnixName) -> io::Result<Key<UnixState>> {
        let spot = match name {
            UnixName::Unnamed => return Err(io::ErrorKind::InvalidInput.into()),
            UnixName::Abstract(name) => Spot::Abstract(name.clone()),
            UnixName::Path(path) => {
                let tree = &self.hosts.get(host).disk.tree;
                Spot::File(tree.find_ino(path, true)?)
            }
        };
        let known = self.net.unix.spots.get(&(host, spot));
        known
            .copied()
            .ok_or(io::ErrorKind::ConnectionRefused.into())
    }

    /// Has the socket be ready after the latency within its host; nothing if it is gone.
    fn nudge(&mut self, key: Key<UnixState>, ready: Ready) {
        let Some(socket) = self.net.unix.all.get(key) else {
            return;
        };
        let (host, cell) = (socket.host, socket.ready.clone());
        let at_ns = self.arrival_ns((host, host), 0);
        let socket = key.as_u64();
        self.events.push_nudge(
            at_ns,
            Nudge {
                host,
                socket,
                cell,
                ready,
            },
        );
    }

    /// What happens when a nudge is due.
    pub(crate) fn deliver_nudge(&mut self, nudge: &Nudge, wakes: &mut WakeList) {
        self.record(Event::Packet {
            from: nudge.host,
            to: nudge.host,
            sort: packet::NUDGE_TAG,
            key: nudge.socket,
        });
        nudge.cell.set(nudge.ready, wakes);
    }

    fn close_unix(&mut self, key: Key<UnixState>) {
        let Some(socket) = self.net.unix.all.remove(key) else {
            return;
        };
        if let Some(spot) = socket.spot {
            self.net.unix.spots.remove(&(socket.host, spot));
        }
        match socket.role {
            Role::Idle => {}
            Role::Listener(queue) => queue.close(self),
            Role::Stream(half) => half.close(self),
            Role::Datagram(mail) => mail.close(self),
        }
    }

    /// Removes all Unix sockets of `host`: their other ends are on the same.
    pub(crate) fn drop_unix_sockets(&mut self, host: HostId) {
        let sockets = &mut self.net.unix;
        for key in sockets.all.keys_where(|socket| socket.host == host) {
            sockets.all.remove(key);
        }
        sockets.spots.retain(|(other, _), _| *other != host);
    }
}
