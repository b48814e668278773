//! Sockets of the system that stand for simulated ones: what `std` and `socket2` make, until the
//! runtime is given them. The system never binds them; where they are bound is known here.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;

use yamanote_base::simulated::Binding;

use crate::host::Host;
use crate::net::{SocketOptions, TcpSocket, UdpSocket};

/// As many of a host are remembered: who drops one that is bound tells nobody.
const KEPT_MAX: usize = 1024;

/// Where the stand-ins of a host are bound, by the number that the system knows each by.
#[derive(Debug, Default)]
pub(crate) struct StandIns(BTreeMap<u64, SocketAddr>);

impl StandIns {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Host {
    /// Binds the stand-in `cookie` to `addr` (port 0: one that is free now). The port is looked
    /// at, but not taken before the runtime has the socket.
    ///
    /// # Errors
    /// `AddrInUse`, `AddrNotAvailable`.
    pub fn bind_stand_in(&self, cookie: u64, addr: SocketAddr, how: Binding) -> io::Result<()> {
        let set_options = |options: &mut SocketOptions| {
            options.only_v6 = how.only_v6;
            options.reuse_port = how.reuse_port;
        };
        let bound = if how.is_stream {
            let mut socket = match addr {
                SocketAddr::V4(_) => TcpSocket::new_v4(self),
                SocketAddr::V6(_) => TcpSocket::new_v6(self),
            };
            socket.set_options(set_options);
            socket.bind(addr)?;
            socket.local_addr()
        } else {
            let mut options = SocketOptions::default();
            set_options(&mut options);
            UdpSocket::bind_with(self, addr, options)?.local_addr()?
        };
        let mut state = self.world().lock();
        let known = &mut state.hosts.get_mut(self.id()).stand_ins.0;
        known.insert(cookie, bound);
        if known.len() > KEPT_MAX {
            // One of the oldest: the system counts upwards.
            known.pop_first();
        }
        Ok(())
    }

    /// Where the stand-in `cookie` is bound, if it is.
    #[must_use]
    pub fn stand_in(&self, cookie: u64) -> Option<SocketAddr> {
        let state = self.world().lock();
        state.hosts.get(self.id()).stand_ins.0.get(&cookie).copied()
    }
}
