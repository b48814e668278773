//! The messages of SOCKS 5 (RFC 1928), as far as a client without a password needs them.

use std::io::{Error, ErrorKind, Result};
use std::net::{IpAddr, SocketAddr};

/// Version 5, and one way to say who we are: none.
pub(crate) const GREETING: [u8; 3] = [5, 1, 0];

/// Asks for a connection to `target`.
pub(crate) fn request(target: SocketAddr) -> Result<[u8; 10]> {
    let IpAddr::V4(ip) = target.ip() else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the target has no IPv4 address",
        ));
    };
    let ([a, b, c, d], [high, low]) = (ip.octets(), target.port().to_be_bytes());
    Ok([5, 1, 0, 1, a, b, c, d, high, low])
}

/// The proxy's answer to the greeting: it names the way that it chose.
pub(crate) fn check_choice(choice: [u8; 2]) -> Result<()> {
    match choice {
        [5, 0] => Ok(()),
        [5, _] => Err(Error::new(
            ErrorKind::PermissionDenied,
            "the proxy wants a password",
        )),
        _ => Err(Error::new(
            ErrorKind::InvalidData,
            "that is no SOCKS 5 proxy",
        )),
    }
}

/// The proxy's answer to the request; what follows on the stream is the target's.
pub(crate) fn check_reply(reply: [u8; 10]) -> Result<()> {
    match reply {
        [5, 0, 0, 1, ..] => Ok(()),
        [5, code, ..] => Err(Error::other(format!("the proxy refused, with code {code}"))),
        _ => Err(Error::new(
            ErrorKind::InvalidData,
            "that is no SOCKS 5 proxy",
        )),
    }
}
