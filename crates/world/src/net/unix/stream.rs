//! Unix sockets for streams, and those that listen.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::net::Shutdown;
use std::sync::Arc;

use yamanote_base::interest::Ready;
use yamanote_base::ready::ReadyCell;
use yamanote_base::slab::Key;

use super::{Role, UnixHandle, UnixName, UnixSocket, UnixState};
use crate::host::Host;
use crate::world::WorldState;

/// Bytes that wait to be read; what comes then has to wait (Linux's default).
const BUFFER_MAX: usize = 212_992;

const EVERYTHING: Ready = Ready::from_bits(
    Ready::READABLE.bits()
        | Ready::WRITABLE.bits()
        | Ready::READ_CLOSED.bits()
        | Ready::WRITE_CLOSED.bits(),
);

/// A simulated Unix socket for a stream; never blocks.
#[derive(Debug)]
pub struct UnixStream(UnixHandle);

/// A simulated Unix socket that listens.
#[derive(Debug)]
pub struct UnixListener(UnixHandle);

/// One end of a stream.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// The other end, until it is closed.
    peer: Option<Key<UnixState>>,
    peer_name: UnixName,
    /// Bounded by `BUFFER_MAX`.
    incoming: VecDeque<u8>,
    /// The other end sends no more.
    is_last: bool,
    /// The other end was closed with something unread, which is told once.
    is_reset: bool,
    /// Nothing is read here any more; nothing is written.
    shut: (bool, bool),
    /// The other end found no room.
    has_refused: bool,
}

/// Connections that wait to be accepted.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: VecDeque<Key<UnixState>>,
    backlog: usize,
}

impl Queue {
    pub(super) fn close(self, state: &mut WorldState) {
        for key in self.waiting {
            state.close_unix(key);
        }
    }
}

impl Half {
    pub(super) fn peer_name(&self) -> &UnixName {
        &self.peer_name
    }

    pub(super) fn close(self, state: &mut WorldState) {
        let Some(key) = self.peer else {
            return;
        };
        if let Ok(peer) = state.half(key) {
            peer.peer = None;
            peer.is_last = true;
            peer.is_reset = !self.incoming.is_empty();
            state.nudge(key, EVERYTHING);
        }
    }
}

impl UnixSocket {
    /// Listens, with at most `backlog` connections waiting to be accepted.
    ///
    /// # Errors
    /// `InvalidInput` without a name.
    pub fn listen(self, backlog: u32) -> io::Result<UnixListener> {
        self.0.with(|socket| {
            if socket.spot.is_none() {
                return Err(io::Error::from(io::ErrorKind::InvalidInput));
            }
            socket.role = Role::Listener(Queue {
                waiting: VecDeque::new(),
                backlog: usize::try_from(backlog).unwrap_or(usize::MAX),
            });
            Ok(())
        })??;
        Ok(UnixListener(self.0))
    }

    /// Connects to a listener, which need not have accepted yet.
    ///
    /// # Errors
    /// `NotFound`, `ConnectionRefused`; `WouldBlock` if too many wait there.
    pub fn connect(self, name: &UnixName) -> io::Result<UnixStream> {
        let mut state = self.0.host.world().lock();
        let listener = state.unix_at(self.0.host.id(), name)?;
        let Role::Listener(queue) = &state.unix(listener)?.role else {
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        // As on Linux, one more than was said.
        if queue.waiting.len() > queue.backlog {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let client_name = state.unix(self.0.key)?.name.clone();
        let (server, _) = state.open_unix(self.0.host.id(), Role::Idle);
        state.join_halves([self.0.key, server])?;
        state.half(self.0.key)?.peer_name = name.clone();
        state.half(server)?.peer_name = client_name;
        state.unix(server)?.name = name.clone();
        if let Role::Listener(queue) = &mut state.unix(listener)?.role {
            queue.waiting.push_back(server);
        }
        state.nudge(listener, Ready::READABLE);
        drop(state);
        Ok(UnixStream(self.0))
    }
}

impl UnixListener {
    /// Listens at `name`, with at most `backlog` connections waiting to be accepted.
    ///
    /// # Errors
    /// As [`UnixSocket::bind`].
    pub fn bind(host: &Host, name: &UnixName, backlog: u32) -> io::Result<Self> {
        let socket = UnixSocket::new(host, false);
        socket.bind(name)?;
        socket.listen(backlog)
    }

    /// The next connection, and the name of its other end.
    ///
    /// # Errors
    /// `WouldBlock` if there is none.
    pub fn accept(&self) -> io::Result<(UnixStream, UnixName)> {
        let mut state = self.0.host.world().lock();
        let Role::Listener(queue) = &mut state.unix(self.0.key)?.role else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let key = queue.waiting.pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        let name = state.half(key)?.peer_name.clone();
        let handle = UnixHandle {
            host: self.0.host.clone(),
            key,
            ready: state.unix(key)?.ready.clone(),
        };
        Ok((UnixStream(handle), name))
    }

    /// Its name.
    ///
    /// # Errors
    /// If its host was killed.
    pub fn local_name(&self) -> io::Result<UnixName> {
        self.0.name()
    }

    /// When to try again.
    #[must_use]
    pub fn ready(&self) -> &Arc<ReadyCell> {
        &self.0.ready
    }
}

impl UnixStream {
    /// Connects to a listener of `host`.
    ///
    /// # Errors
    /// As [`UnixSocket::connect`].
    pub fn connect(host: &Host, name: &UnixName) -> io::Result<Self> {
        UnixSocket::new(host, false).connect(name)
    }

    /// Two streams that are connected to each other.
    ///
    /// # Errors
    /// Never.
    pub fn pair(host: &Host) -> io::Result<(Self, Self)> {
        let [one, other] = [(); 2].map(|()| UnixHandle::open(host, Role::Idle));
        let keys = [one.key, other.key];
        host.world().lock().join_halves(keys)?;
        Ok((Self(one), Self(other)))
    }

    /// How many bytes a [`read`](Self::read_vectored) would give now; 0 also if it would give none.
    #[must_use]
    pub fn readable_len(&self) -> usize {
        let mut state = self.0.host.world().lock();
        state.half(self.0.key).map_or(0, |half| half.incoming.len())
    }

    /// Reads what has arrived; 0 is the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock`; `ConnectionReset`, once.
    pub fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let mut state = self.0.host.world().lock();
        let half = state.half(self.0.key)?;
        if std::mem::take(&mut half.is_reset) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        if bufs.iter().all(|buf| buf.is_empty()) || half.shut.0 {
            return Ok(0);
        }
        if half.incoming.is_empty() {
            return match half.is_last {
                true => Ok(0),
                false => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        let mut count = 0;
        for buf in bufs {
            count += half.incoming.read(buf)?;
        }
        let peer = half.peer.filter(|_| half.has_refused);
        half.has_refused = false;
        if let Some(peer) = peer {
            state.nudge(peer, Ready::WRITABLE);
        }
        Ok(count)
    }

    /// Writes as much as there is room for.
    ///
    /// # Errors
    /// `WouldBlock`; `BrokenPipe` if nobody reads it.
    pub fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.0.host.world().lock();
        let half = state.half(self.0.key)?;
        let peer = half.peer.filter(|_| !half.shut.1);
        let key = peer.ok_or(io::ErrorKind::BrokenPipe)?;
        let peer = state.half(key)?;
        if peer.shut.0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let asked = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        let total = asked.min(BUFFER_MAX - peer.incoming.len());
        if total == 0 {
            peer.has_refused = asked > 0;
            return match asked {
                0 => Ok(0),
                _ => Err(io::ErrorKind::WouldBlock.into()),
            };
        }
        let mut bytes = Vec::with_capacity(total);
        for buf in bufs {
            let left = total - bytes.len();
            bytes.extend_from_slice(&buf[..buf.len().min(left)]);
        }
        peer.incoming.extend(&bytes);
        state.record_payload(self.0.host.id(), &bytes);
        state.nudge(key, Ready::READABLE);
        Ok(total)
    }

    /// Ends one half of the stream, or both.
    ///
    /// # Errors
    /// If its host was killed.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let (read, write) = (how != Shutdown::Write, how != Shutdown::Read);
        let mut state = self.0.host.world().lock();
        let half = state.half(self.0.key)?;
        half.shut = (half.shut.0 || read, half.shut.1 || write);
        let peer = half.peer;
        if read {
            state.nudge(self.0.key, Ready::READABLE | Ready::READ_CLOSED);
        }
        let Some(key) = peer else {
            return Ok(());
        };
        if write {
            state.half(key)?.is_last = true;
            state.nudge(key, Ready::READABLE | Ready::READ_CLOSED);
        }
        if read {
            state.nudge(key, Ready::WRITABLE | Ready::WRITE_CLOSED);
        }
        Ok(())
    }

    /// Its name.
    ///
    /// # Errors
    /// If its host was killed.
    pub fn local_name(&self) -> io::Result<UnixName> {
        self.0.name()
    }

    /// The name of the other end.
    ///
    /// # Errors
    /// If its host was killed.
    pub fn peer_name(&self) -> io::Result<UnixName> {
        let mut state = self.0.host.world().lock();
        Ok(state.half(self.0.key)?.peer_name.clone())
    }

    /// When to try again.
    #[must_use]
    pub fn ready(&self) -> &Arc<ReadyCell> {
        &self.0.ready
    }
}

impl WorldState {
    fn half(&mut self, key: Key<UnixState>) -> io::Result<&mut Half> {
        match &mut self.unix(key)?.role {
            Role::Stream(half) => Ok(half),
            _ => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Connects two sockets to each other.
    fn join_halves(&mut self, keys: [Key<UnixState>; 2]) -> io::Result<()> {
        for (own, peer) in [(0, 1), (1, 0)] {
            self.unix(keys[own])?.role = Role::Stream(Half {
                peer: Some(keys[peer]),
                ..Half::default()
            });
            self.nudge(keys[own], Ready::WRITABLE);
        }
        Ok(())
    }
}
