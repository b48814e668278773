//! Unix sockets for datagrams: whole, in their order, and never lost.

use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;

use yamanote_base::interest::Ready;
use yamanote_base::ready::ReadyCell;
use yamanote_base::slab::Key;

use super::{Role, UnixHandle, UnixName, UnixSocket, UnixState};
use crate::host::Host;
use crate::world::WorldState;

/// Datagrams that wait to be received; who sends more has to wait (Linux's default).
const QUEUE_MAX: usize = 512;
/// The longest datagram.
const LENGTH_MAX: usize = 212_960;

/// A simulated Unix socket for datagrams; never blocks.
#[derive(Debug)]
pub struct UnixDatagram(UnixHandle);

/// What a socket for datagrams has.
#[derive(Debug, Default)]
pub(super) struct Mail {
    /// Datagrams, and who sent them; at most `QUEUE_MAX`.
    queue: VecDeque<(UnixName, Vec<u8>)>,
    peer: Option<(Key<UnixState>, UnixName)>,
    /// Who found no room here; each once.
    refused: Vec<Key<UnixState>>,
    /// Nothing is received here any more; nothing is sent.
    shut: (bool, bool),
}

impl Mail {
    pub(super) fn peer_name(&self) -> Option<&UnixName> {
        self.peer.as_ref().map(|(_, name)| name)
    }

    pub(super) fn close(self, state: &mut WorldState) {
        for sender in self.refused {
            state.nudge(sender, Ready::WRITABLE);
        }
    }
}

impl UnixSocket {
    /// The socket for datagrams that it is.
    ///
    /// # Errors
    /// `InvalidInput` if it is for streams.
    pub fn datagram(self) -> io::Result<UnixDatagram> {
        match self.is_datagram() {
            true => Ok(UnixDatagram(self.0)),
            false => Err(io::ErrorKind::InvalidInput.into()),
        }
    }
}

impl UnixDatagram {
    /// A socket without a name.
    #[must_use]
    pub fn unbound(host: &Host) -> Self {
        Self(UnixSocket::new(host, true).0)
    }

    /// A socket that is called `name`.
    ///
    /// # Errors
    /// As [`UnixSocket::bind`].
    pub fn bind(host: &Host, name: &UnixName) -> io::Result<Self> {
        let socket = Self::unbound(host);
        socket.0.bind(name)?;
        Ok(socket)
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    /// Never.
    pub fn pair(host: &Host) -> io::Result<(Self, Self)> {
        let (one, other) = (Self::unbound(host), Self::unbound(host));
        for (own, peer) in [(&one, &other), (&other, &one)] {
            let mut state = host.world().lock();
            state.mail(own.0.key)?.peer = Some((peer.0.key, UnixName::Unnamed));
        }
        Ok((one, other))
    }

    /// Sends to `name` from now on, and receives from there only.
    ///
    /// # Errors
    /// `NotFound`, `ConnectionRefused`.
    pub fn connect(&self, name: &UnixName) -> io::Result<()> {
        let mut state = self.0.host.world().lock();
        let key = state.unix_at(self.0.host.id(), name)?;
        state.mail(key)?;
        state.mail(self.0.key)?.peer = Some((key, name.clone()));
        Ok(())
    }

    /// Sends to where it is connected.
    ///
    /// # Errors
    /// `NotConnected`; `ConnectionRefused` if that is gone; as [`send_to`](Self::send_to).
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        let mut state = self.0.host.world().lock();
        let peer = state.mail(self.0.key)?.peer.as_ref().map(|(key, _)| *key);
        self.deliver(&mut state, peer.ok_or(io::ErrorKind::NotConnected)?, buf)
    }

    /// Sends to `name`.
    ///
    /// # Errors
    /// `WouldBlock` without room; `NotFound`, `ConnectionRefused`; `PermissionDenied` if that is
    /// connected to another; `BrokenPipe` after a shutdown.
    pub fn send_to(&self, buf: &[u8], name: &UnixName) -> io::Result<usize> {
        let mut state = self.0.host.world().lock();
        let key = state.unix_at(self.0.host.id(), name)?;
        self.deliver(&mut state, key, buf)
    }

    fn deliver(&self, state: &mut WorldState, to: Key<UnixState>, buf: &[u8]) -> io::Result<usize> {
        if buf.len() > LENGTH_MAX {
            return Err(io::Error::other("message too long"));
        }
        let name = state.unix(self.0.key)?.name.clone();
        let is_shut = state.mail(self.0.key)?.shut.1;
        let own = self.0.key;
        let Ok(mail) = state.mail(to) else {
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        if is_shut || mail.shut.0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if mail.peer.as_ref().is_some_and(|(peer, _)| *peer != own) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if mail.queue.len() >= QUEUE_MAX {
            if !mail.refused.contains(&own) {
                mail.refused.push(own);
            }
            return Err(io::ErrorKind::WouldBlock.into());
        }
        mail.queue.push_back((name, buf.to_vec()));
        state.record_payload(self.0.host.id(), buf);
        state.nudge(to, Ready::READABLE);
        Ok(buf.len())
    }

    /// Receives a datagram; what does not fit into `buf` is lost.
    ///
    /// # Errors
    /// `WouldBlock` if there is none.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, UnixName)> {
        let mut state = self.0.host.world().lock();
        let mail = state.mail(self.0.key)?;
        let Some((name, bytes)) = mail.queue.pop_front() else {
            return match mail.shut.0 {
                true => Ok((0, UnixName::Unnamed)),
                false => Err(io::ErrorKind::WouldBlock.into()),
            };
        };
        for sender in std::mem::take(&mut mail.refused) {
            state.nudge(sender, Ready::WRITABLE);
        }
        let count = bytes.len().min(buf.len());
        buf[..count].copy_from_slice(&bytes[..count]);
        Ok((count, name))
    }

    /// Ends receiving, sending, or both.
    ///
    /// # Errors
    /// `NotConnected` if it is not.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let mut state = self.0.host.world().lock();
        let mail = state.mail(self.0.key)?;
        if mail.peer.is_none() {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let (read, write) = (how != Shutdown::Write, how != Shutdown::Read);
        mail.shut = (mail.shut.0 || read, mail.shut.1 || write);
        if read {
            state.nudge(self.0.key, Ready::READABLE | Ready::READ_CLOSED);
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

    /// The name of what it is connected to.
    ///
    /// # Errors
    /// `NotConnected` if it is not.
    pub fn peer_name(&self) -> io::Result<UnixName> {
        let mut state = self.0.host.world().lock();
        let peer = &state.mail(self.0.key)?.peer;
        let name = peer.as_ref().map(|(_, name)| name.clone());
        name.ok_or(io::ErrorKind::NotConnected.into())
    }

    /// When to try again.
    #[must_use]
    pub fn ready(&self) -> &Arc<ReadyCell> {
        &self.0.ready
    }
}

impl WorldState {
    fn mail(&mut self, key: Key<UnixState>) -> io::Result<&mut Mail> {
        match &mut self.unix(key)?.role {
            Role::Datagram(mail) => Ok(mail),
            _ => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}
