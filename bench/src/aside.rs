//! Where a server listens besides, of which it says one address: the same port of another host of
//! this machine. Who has connected there takes none of the ports from which one can connect to the
//! first: else `connect` looks for a free one among those for longer than the server needs.

use std::net::{Ipv4Addr, SocketAddr};

/// The other address.
pub(crate) fn of(mut addr: SocketAddr) -> SocketAddr {
    addr.set_ip(Ipv4Addr::new(127, 0, 0, 2).into());
    addr
}
