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
    sharing: Sharing,
    serial: u64,
}

/// What a socket leaves of its port to others.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sharing {
    /// All of it, to those that say so too.
    pub(crate) reuse_port: bool,
    /// Version 4, if it is at the unspecified address of version 6.
    pub(crate) only_v6: bool,
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
    /// It may have others beside it as `sharing` says.
    pub(crate) fn take(&mut self, mut addr: SocketAddr, sharing: Sharing) -> io::Result<Lease> {
        if addr.port() == 0 {
            addr.set_port(self.free_port()?);
        }
        let lease = Lease {
            addr,
            sharing,
            serial: self.serial + 1,
        };
        let others = self.taken.entry(addr.port()).or_default();
        if others.iter().any(|other| other.excludes(&lease)) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        self.serial += 1;
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

impl Lease {
    /// Whether the two would get in each other's way on one port.
    fn excludes(&self, other: &Lease) -> bool {
        let is_shared = self.sharing.reuse_port && other.sharing.reuse_port;
        let is_same = self.addr.ip().to_canonical() == other.addr.ip().to_canonical();
        !is_shared && (is_same || self.takes(other.addr.ip()) || other.takes(self.addr.ip()))
    }

    /// Whether it is at an unspecified address that stands for `ip`, too: that of version 6 takes
    /// version 4 as well, as on Linux, unless it leaves that to others.
    fn takes(&self, ip: IpAddr) -> bool {
        let (bound, is_v4) = (self.addr.ip(), ip.to_canonical().is_ipv4());
        bound.is_unspecified() && (is_v4 || bound.is_ipv6()) && self.sharing.speaks(ip)
    }

    /// How well its socket answers to `target`: not at all, or the greater the better.
    pub(crate) fn affinity(&self, target: IpAddr) -> Option<u8> {
        let bound = self.addr.ip();
        match bound.to_canonical() == target.to_canonical() {
            true => Some(3),
            false if !self.takes(target) => None,
            false if bound.is_ipv4() == target.is_ipv4() => Some(2),
            false => Some(1),
        }
    }

    /// Fails if its socket cannot speak to `target`.
    pub(crate) fn check_reach(&self, target: SocketAddr) -> io::Result<()> {
        if self.addr.is_ipv4() && target.is_ipv6() {
            let message = "an IPv4 socket cannot reach an IPv6 address";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        self.sharing.check_reach(target)
    }
}

impl Sharing {
    /// Whether its socket has to do with `ip` at all.
    fn speaks(self, ip: IpAddr) -> bool {
        !(self.only_v6 && ip.to_canonical().is_ipv4())
    }

    /// Fails if its socket has nothing to do with `target`.
    pub(crate) fn check_reach(self, target: SocketAddr) -> io::Result<()> {
        match self.speaks(target.ip()) {
            true => Ok(()),
            false => Err(io::ErrorKind::NetworkUnreachable.into()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_port_is_taken_once_unless_shared_and_free_again_when_released() {
        let mut ports = Ports::default();
        let alone = Sharing::default();
        let lease = ports.take(addr("0.0.0.0:80"), alone).unwrap();
        let again = ports.take(addr("127.0.0.1:80"), alone);
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        let both = ports.take(addr("[::]:80"), alone);
        assert_eq!(both.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert!(ports.take(addr("[::1]:80"), alone).is_ok());
        ports.release(lease);
        ports.release(lease);
        let shared = Sharing {
            reuse_port: true,
            ..alone
        };
        assert!(ports.take(addr("127.0.0.1:80"), shared).is_ok());
        assert!(ports.take(addr("127.0.0.1:80"), shared).is_ok());
    }

    #[test]
    fn who_is_for_version_6_only_leaves_version_4_to_others() {
        let mut ports = Ports::default();
        let only_v6 = Sharing {
            only_v6: true,
            ..Sharing::default()
        };
        let six = ports.take(addr("[::]:80"), only_v6).unwrap();
        let four = ports.take(addr("0.0.0.0:80"), Sharing::default()).unwrap();
        for taken in ["[::]:80", "[::1]:80", "[::ffff:1.2.3.4]:80"] {
            assert!(ports.take(addr(taken), Sharing::default()).is_err());
        }
        let [v4, mapped, v6] = ["1.2.3.4", "::ffff:1.2.3.4", "::1"].map(|ip| ip.parse().unwrap());
        assert_eq!(
            [v4, mapped, v6].map(|ip| six.affinity(ip)),
            [None, None, Some(2)]
        );
        assert_eq!(four.affinity(v4), Some(2));
        assert!(six.check_reach(addr("1.2.3.4:80")).is_err());
        assert!(six.check_reach(addr("[::1]:80")).is_ok());
    }

    #[test]
    fn free_ports_end_at_some_time() {
        let mut ports = Ports::default();
        for _ in EPHEMERAL {
            ports.take(addr("1.1.1.1:0"), Sharing::default()).unwrap();
        }
        assert!(ports.take(addr("1.1.1.1:0"), Sharing::default()).is_err());
    }
}
