//! A TCP socket before it connects or listens.

use std::io;
use std::net::SocketAddr;

use crate::host::Host;
use crate::net::address::{self, Lease};
use crate::net::{SocketOptions, TcpListener, TcpStream};

/// A simulated TCP socket that may be bound and then either listens or connects.
#[derive(Debug)]
pub struct TcpSocket {
    host: Host,
    v6: bool,
    bound: Option<Lease>,
    options: SocketOptions,
}

impl TcpSocket {
    /// A socket of `host` for IPv4.
    #[must_use]
    pub fn new_v4(host: &Host) -> Self {
        Self::new(host, false)
    }

    /// A socket of `host` for IPv6.
    #[must_use]
    pub fn new_v6(host: &Host) -> Self {
        Self::new(host, true)
    }

    fn new(host: &Host, v6: bool) -> Self {
        Self {
            host: host.clone(),
            v6,
            bound: None,
            options: SocketOptions::default(),
        }
    }

    /// Binds it to `addr`; port 0 is any that is free.
    ///
    /// # Errors
    /// `AddrInUse`, `AddrNotAvailable`; `InvalidInput` if it is bound already or of the other
    /// family.
    pub fn bind(&mut self, addr: SocketAddr) -> io::Result<()> {
        if self.bound.is_some() || addr.is_ipv6() != self.v6 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut state = self.host.world().lock();
        let own = state.hosts.get_mut(self.host.id());
        address::check_own(own, addr)?;
        self.bound = Some(own.tcp.take(addr, self.options.sharing())?);
        Ok(())
    }

    /// The address that it is bound to; unspecified before it is.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        let unbound = if self.v6 { "[::]:0" } else { "0.0.0.0:0" };
        let unbound = || unbound.parse().expect("a well-formed address");
        self.bound.map_or_else(unbound, |lease| lease.addr)
    }

    /// Its options.
    #[must_use]
    pub fn options(&self) -> SocketOptions {
        self.options
    }

    /// Changes its options; the stream or listener inherits them.
    pub fn set_options(&mut self, change: impl FnOnce(&mut SocketOptions)) {
        change(&mut self.options);
    }

    /// Begins to connect to `remote`; the stream is writable when that is done or has failed.
    ///
    /// # Errors
    /// `InvalidInput` if `remote` is of the other family; `AddrInUse` without a free port.
    pub fn connect(mut self, remote: SocketAddr) -> io::Result<TcpStream> {
        if remote.is_ipv6() != self.v6 {
            let message = "a TCP socket of one family cannot reach an address of the other";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        self.options.sharing().check_reach(remote)?;
        let mut state = self.host.world().lock();
        let (key, ready) = state.connect(self.host.id(), self.bound, remote)?;
        self.bound = None;
        state.set_end_options(key, self.options);
        drop(state);
        Ok(TcpStream::new(&self.host, key, ready))
    }

    /// Listens, with at most `backlog` connections waiting to be accepted.
    ///
    /// # Errors
    /// `AddrInUse` without a free port.
    pub fn listen(mut self, backlog: u32) -> io::Result<TcpListener> {
        if self.bound.is_none() {
            let addr = self.local_addr();
            self.bind(addr)?;
        }
        let lease = self.bound.take().expect("bound just above");
        let mut state = self.host.world().lock();
        let listener = TcpListener::open(&self.host, &mut state, lease, backlog, self.options);
        drop(state);
        Ok(listener)
    }
}

impl Drop for TcpSocket {
    fn drop(&mut self) {
        if let Some(lease) = self.bound.take() {
            let mut state = self.host.world().lock();
            state.hosts.get_mut(self.host.id()).tcp.release(lease);
        }
    }
}
