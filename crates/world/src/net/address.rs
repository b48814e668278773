//! Which ports of a host are taken, and which addresses a socket answers to.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::host::HostState;

/// The ports that are given out when none is asked for (Linux's range).
const EPHEMERAL: std::ops::RangeInclusive<u16> = 32_768..=60_999;

/// The ports of one protocol on one host.
#[derive(Debug)]
pub(crate) struct Ports {
    taken: BTreeMap<u16, Vec<Lease>>,
    next: u16,
    serial: u64,
}

/// A port that is taken until it is given back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) addr: SocketAddr,
    shared: bool,
    serial: u64,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            taken: BTreeMap::new(),
            next: *EPHEMERAL.start(),
            serial: 0,
        }
    }
}

impl Ports {
    /// Takes `addr`, or any free port of its address if the port is 0.
    ///
    /// With `shared`, others that said so may have it too.
    pub(crate) fn take(&mut self, mut addr: SocketAddr, shared: bool) -> io::Result<Lease> {
        if addr.port() == 0 {
            addr.set_port(self.free_port()?);
        }
        let others = self.taken.entry(addr.port()).or_default();
        let clash =
            |other: &Lease| overlap(other.addr.ip(), addr.ip()) && !(other.shared && shared);
        if others.iter().any(clash) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        self.serial += 1;
        let lease = Lease {
            addr,
            shared,
            serial: self.serial,
        };
        others.push(lease);
        Ok(lease)
    }

    /// Gives `lease` back; nothing happens if it has been already.
    pub(crate) fn release(&mut self, lease: Lease) {
        let port = lease.addr.port();
        if let Some(leases) = self.taken.get_mut(&port) {
            leases.retain(|other| other.serial != lease.serial);
            if leases.is_empty() {
                self.taken.remove(&port);
            }
        }
    }

    /// Gives everything back.
    pub(crate) fn clear(&mut self) {
        self.taken.clear();
    }

    fn free_port(&mut self) -> io::Result<u16> {
        for _ in EPHEMERAL {
            let port = self.next;
            self.next = if port == *EPHEMERAL.end() {
                *EPHEMERAL.start()
            } else {
                port + 1
            };
            if !self.taken.contains_key(&port) {
                return Ok(port);
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }
}

/// Whether two sockets with these addresses would get in each other's way on one port. The
/// unspecified address of version 6 takes version 4 as well, as on Linux.
fn overlap(one: IpAddr, other: IpAddr) -> bool {
    let takes = |all: IpAddr, some: IpAddr| {
        all.is_unspecified() && (all.is_ipv6() || some.to_canonical().is_ipv4())
    };
    one.to_canonical() == other.to_canonical() || takes(one, other) || takes(other, one)
}

/// How well a socket bound to `bound` answers to `target`: not at all, or the greater the better.
pub(crate) fn affinity(bound: IpAddr, target: IpAddr) -> Option<u8> {
    if bound.to_canonical() == target.to_canonical() {
        return Some(3);
    }
    match (
        bound.is_unspecified(),
        bound.is_ipv4() == target.is_ipv4(),
        bound.is_ipv6(),
    ) {
        (true, true, _) => Some(2),
        // An unspecified address of version 6 takes version 4 as well, as on Linux.
        (true, false, true) => Some(1),
        _ => None,
    }
}

/// Checks that a socket of `host` may be bound to `addr`.
pub(crate) fn check_own(host: &HostState, addr: SocketAddr) -> io::Result<()> {
    if host.owns(addr.ip()) || addr.ip().is_multicast() {
        Ok(())
    } else {
        Err(io::ErrorKind::AddrNotAvailable.into())
    }
}

/// The address that a socket of `host`, bound to `bound`, speaks from when it speaks to `target`.
pub(crate) fn source(host: &HostState, bound: Option<IpAddr>, target: IpAddr) -> IpAddr {
    if let Some(bound) = bound.filter(|bound| !bound.is_unspecified()) {
        return bound;
    }
    match target {
        IpAddr::V4(ip) if ip.is_loopback() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_loopback() => Ipv6Addr::LOCALHOST.into(),
        IpAddr::V4(_) => host.v4.into(),
        IpAddr::V6(_) => host.v6.into(),
    }
}

/// Where a packet to `target` goes: an unspecified address means this host.
pub(crate) fn destination(target: SocketAddr) -> SocketAddr {
    let ip = match target.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, target.port())
}

/// `addr` as a socket of the family of `family` shows it.
pub(crate) fn in_family(addr: SocketAddr, family: SocketAddr) -> SocketAddr {
    match (addr.ip(), family) {
        (IpAddr::V4(ip), SocketAddr::V6(_)) => {
            SocketAddr::new(ip.to_ipv6_mapped().into(), addr.port())
        }
        _ => addr,
    }
}

/// Fails if a socket bound to `bound` cannot speak to `target`.
pub(crate) fn check_family(bound: SocketAddr, target: SocketAddr) -> io::Result<()> {
    if bound.is_ipv4() && target.is_ipv6() {
        let message = "an IPv4 socket cannot reach an IPv6 address";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_port_is_taken_once_unless_shared_and_free_again_when_released() {
        let mut ports = Ports::default();
        let lease = ports.take(addr("0.0.0.0:80"), false).unwrap();
        let again = ports.take(addr("127.0.0.1:80"), false);
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let both = ports.take(addr("[::]:80"), false);
        assert_eq!(both.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert!(ports.take(addr("[::1]:80"), false).is_ok());
        ports.release(lease);
        ports.release(lease);
        assert!(ports.take(addr("127.0.0.1:80"), true).is_ok());
        assert!(ports.take(addr("127.0.0.1:80"), true).is_ok());
    }

    #[test]
    fn free_ports_end_at_some_time() {
        let mut ports = Ports::default();
        for _ in EPHEMERAL {
            ports.take(addr("1.1.1.1:0"), false).unwrap();
        }
        assert!(ports.take(addr("1.1.1.1:0"), false).is_err());
    }
}
