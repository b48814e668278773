//! Socket options that a simulated socket remembers; of these, `linger`, `reuse_port`, `only_v6`,
//! those of keep-alive and those of multicast have an effect.

use std::time::Duration;

use crate::net::address::Sharing;

/// The options of one socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketOptions {
    /// Whether small writes are sent at once. Here they always are.
    pub nodelay: bool,
    /// Hops that a packet may take.
    pub ttl: u32,
    /// How long closing waits for unsent data; zero resets the connection.
    pub linger: Option<Duration>,
    /// Whether an idle connection is probed.
    pub keepalive: bool,
    /// How long it is idle before that.
    pub keepalive_idle: Duration,
    /// How long a probe waits for its answer.
    pub keepalive_step: Duration,
    /// Probes without an answer that end a connection.
    pub keepalive_probes: u32,
    /// Whether the address may be bound again early.
    pub reuse_address: bool,
    /// Whether several sockets may have the port.
    pub reuse_port: bool,
    /// Whether a socket for version 6 leaves version 4 alone; of use before it is bound.
    pub only_v6: bool,
    /// Type of service, or traffic class.
    pub tos: u32,
    /// Size of the send buffer in bytes.
    pub send_buffer_size: usize,
    /// Size of the receive buffer in bytes.
    pub recv_buffer_size: usize,
    /// Whether datagrams may be sent to everybody.
    pub broadcast: bool,
    /// Whether a sender of multicasts (version 4) hears itself.
    pub multicast_loop_v4: bool,
    /// Hops that a multicast (version 4) may take.
    pub multicast_ttl_v4: u32,
    /// Whether a sender of multicasts (version 6) hears itself.
    pub multicast_loop_v6: bool,
}

impl Default for SocketOptions {
    /// Those of Linux.
    fn default() -> Self {
        Self {
            nodelay: false,
            ttl: 64,
            linger: None,
            keepalive: false,
            keepalive_idle: Duration::from_secs(7200),
            keepalive_step: Duration::from_secs(75),
            keepalive_probes: 9,
            reuse_address: false,
            reuse_port: false,
            only_v6: false,
            tos: 0,
            send_buffer_size: crate::net::connection::WINDOW,
            recv_buffer_size: crate::net::connection::WINDOW,
            broadcast: false,
            multicast_loop_v4: true,
            multicast_ttl_v4: 1,
            multicast_loop_v6: true,
        }
    }
}

impl SocketOptions {
    /// What the socket leaves of its port to others.
    pub(crate) fn sharing(&self) -> Sharing {
        Sharing {
            reuse_port: self.reuse_port,
            only_v6: self.only_v6,
        }
    }
}
