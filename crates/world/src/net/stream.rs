//! A TCP stream: the handle through which a program uses one end of a connection.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;

use yamanote_base::ready::ReadyCell;

use crate::host::Host;
use crate::net::connection::{Close, Endpoint, Phase, ReadState};
use crate::net::packet::Packet;
use crate::net::{SocketOptions, TcpSocket, gone};
use crate::world::WorldState;
use yamanote_base::slab::Key;

/// A simulated TCP stream; never blocks.
pub struct TcpStream {
    host: Host,
    key: Key<Endpoint>,
    ready: Arc<ReadyCell>,
}

impl TcpStream {
    pub(crate) fn new(host: &Host, key: Key<Endpoint>, ready: Arc<ReadyCell>) -> Self {
        Self {
            host: host.clone(),
            key,
            ready,
        }
    }

    /// Begins to connect from `host` to `remote`.
    ///
    /// It is writable when that is done; [`take_error`](Self::take_error) then says how.
    ///
    /// # Errors
    /// `AddrInUse` without a free port.
    pub fn connect(host: &Host, remote: SocketAddr) -> io::Result<Self> {
        match remote {
            SocketAddr::V4(_) => TcpSocket::new_v4(host).connect(remote),
            SocketAddr::V6(_) => TcpSocket::new_v6(host).connect(remote),
        }
    }

    /// Reads what has arrived; 0 is the end of the stream.
    ///
    /// # Errors
    /// `WouldBlock`; what went wrong with the connection, once.
    pub fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.read_vectored(&mut [IoSliceMut::new(buf)])
    }

    /// How many bytes a [`read`](Self::read) would give now; 0 also if it would give none.
    #[must_use]
    pub fn readable_len(&self) -> usize {
        self.with(|end| end.incoming.len()).unwrap_or(0)
    }

    /// [`read`](Self::read) into several buffers.
    ///
    /// # Errors
    /// As there.
    pub fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let mut state = self.host.world().lock();
        let end = state.net.ends.get_mut(self.key).ok_or_else(gone)?;
        if bufs.iter().all(|buf| buf.is_empty()) || end.check_read()? == ReadState::End {
            return Ok(0);
        }
        let mut count = 0;
        for buf in bufs {
            let read = io::Read::read(&mut end.incoming, buf)?;
            count += read;
            if read < buf.len() {
                break;
            }
        }
        end.unannounced += count;
        state.announce_room(self.key);
        Ok(count)
    }

    /// [`read`](Self::read), but what was read stays to be read again.
    ///
    /// # Errors
    /// As there.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.host.world().lock();
        let end = state.net.ends.get_mut(self.key).ok_or_else(gone)?;
        if buf.is_empty() || end.check_read()? == ReadState::End {
            return Ok(0);
        }
        let (front, back) = end.incoming.as_slices();
        let first = front.len().min(buf.len());
        buf[..first].copy_from_slice(&front[..first]);
        let rest = &mut buf[first..];
        let second = back.len().min(rest.len());
        rest[..second].copy_from_slice(&back[..second]);
        Ok(first + second)
    }

    /// Sends as much of `buf` as the window allows.
    ///
    /// # Errors
    /// `WouldBlock` with a full window; `BrokenPipe`; what went wrong with the connection, once.
    pub fn write(&self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    /// [`write`](Self::write) from several buffers.
    ///
    /// # Errors
    /// As there.
    pub fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.host.world().lock();
        let end = state.net.ends.get_mut(self.key).ok_or_else(gone)?;
        let room = end.check_write()?;
        let total = bufs.iter().map(|buf| buf.len()).sum::<usize>().min(room);
        let (Some(peer), true) = (end.peer, total > 0) else {
            return Ok(0);
        };
        end.credit -= total;
        let mut bytes = state.net.buffer(&[]);
        for buf in bufs {
            let left = total - bytes.len();
            bytes.extend_from_slice(&buf[..buf.len().min(left)]);
        }
        state.send(
            self.key,
            Packet::Data {
                end: peer,
                sender: self.key,
                bytes,
            },
        );
        Ok(total)
    }

    /// Ends one half of the stream, or both.
    ///
    /// # Errors
    /// `NotConnected` before the connection stands and after it broke.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let mut state = self.host.world().lock();
        if matches!(how, Shutdown::Read | Shutdown::Both) {
            state.shut_read(self.key)?;
        }
        if matches!(how, Shutdown::Write | Shutdown::Both) {
            state.shut_write(self.key)?;
        }
        Ok(())
    }

    /// The error that waits to be told, once.
    ///
    /// # Errors
    /// If its host was killed.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.with(|end| end.error.take().map(io::Error::from))
    }

    /// The address of this end.
    ///
    /// # Errors
    /// If its host was killed.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.with(|end| end.local)
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// `NotConnected` before the connection stands and after it broke.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.with(|end| match end.phase {
            Phase::Open => Ok(end.remote),
            Phase::Connecting | Phase::Dead => Err(io::ErrorKind::NotConnected.into()),
        })?
    }

    /// Its options.
    #[must_use]
    pub fn options(&self) -> SocketOptions {
        self.with(|end| end.options).unwrap_or_default()
    }

    /// Changes its options.
    pub fn set_options(&self, change: impl FnOnce(&mut SocketOptions)) {
        let mut options = self.options();
        change(&mut options);
        let mut state = self.host.world().lock();
        state.set_end_options(self.key, options);
    }

    /// When to try again.
    #[must_use]
    pub fn ready(&self) -> &Arc<ReadyCell> {
        &self.ready
    }

    fn with<R>(&self, f: impl FnOnce(&mut Endpoint) -> R) -> io::Result<R> {
        let mut state = self.host.world().lock();
        let state: &mut WorldState = &mut state;
        state.net.ends.get_mut(self.key).map(f).ok_or_else(gone)
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        self.host.world().lock().close_end(self.key, Close::Orderly);
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("local", &self.local_addr().ok())
            .field("peer", &self.peer_addr().ok())
            .finish_non_exhaustive()
    }
}
