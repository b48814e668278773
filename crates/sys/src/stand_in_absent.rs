//! Where no socket of the system stands for a simulated one: nothing of the kind is known.

use std::io;
use std::time::Duration;

use socket2::Socket;

/// None.
#[must_use]
pub fn cookie(_: &Socket) -> Option<u64> {
    None
}

/// None.
#[must_use]
pub fn keepalive(_: &Socket) -> Option<(Duration, Duration, u32)> {
    None
}

/// Unsupported.
///
/// # Errors
/// Always.
pub fn reuse_port(_: &Socket) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}
