//! What a world asks of a socket of Linux that stands for a simulated one.

use std::io;
use std::time::Duration;

use socket2::Socket;

/// The number by which the system knows `socket`; no other ever gets it.
#[must_use]
pub fn cookie(socket: &Socket) -> Option<u64> {
    socket.cookie().ok()
}

/// After which silence `socket` asks whether its peer is there, how often then, and how many times.
#[must_use]
pub fn keepalive(socket: &Socket) -> Option<(Duration, Duration, u32)> {
    let idle = socket.tcp_keepalive_time().ok()?;
    let step = socket.tcp_keepalive_interval().ok()?;
    Some((idle, step, socket.tcp_keepalive_retries().ok()?))
}

/// Whether `socket` leaves its port to others that say so, too.
///
/// # Errors
/// What getsockopt(2) says.
pub fn reuse_port(socket: &Socket) -> io::Result<bool> {
    socket.reuse_port()
}
