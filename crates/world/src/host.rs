//! The machines of a world: their names, their addresses, their ports.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use yamanote_base::rng::Rng;

use crate::choice::ChoiceKind;
use crate::clock::HostClock;
use crate::disk::DiskState;
use crate::names::NameRules;
use crate::net::StandIns;
use crate::net::address::Ports;
use crate::signal::Ears;
use crate::world::World;

/// The number of a host in its world; the first is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub(crate) u32);

/// One host of a world: what a simulated socket is opened on.
#[derive(Clone)]
pub struct Host {
    world: World,
    id: HostId,
}

/// All hosts of a world.
#[derive(Debug, Default)]
pub(crate) struct Hosts {
    list: Vec<HostState>,
    /// The addresses that were given to hosts beside their first two.
    more: BTreeMap<IpAddr, HostId>,
    pub(crate) names: BTreeMap<String, NameRules>,
    by_name: BTreeMap<String, HostId>,
}

/// What the world knows of one host.
#[derive(Debug)]
pub(crate) struct HostState {
    pub(crate) name: String,
    pub(crate) v4: Ipv4Addr,
    pub(crate) v6: Ipv6Addr,
    /// Those that it was given besides.
    more: Vec<IpAddr>,
    pub(crate) tcp: Ports,
    pub(crate) udp: Ports,
    pub(crate) stand_ins: StandIns,
    /// It has no power: nothing arrives, and nothing is answered.
    pub(crate) is_off: bool,
    pub(crate) clock: HostClock,
    pub(crate) disk: DiskState,
    pub(crate) ears: Ears,
}

impl HostId {
    /// The host of this number.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The number itself.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    pub(crate) fn of_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("a world has fewer than 65,535 hosts"))
    }

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

impl Host {
    pub(crate) fn new(world: World, id: HostId) -> Self {
        Self { world, id }
    }

    /// The world that it is in.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> HostId {
        self.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.world.lock().hosts.get(self.id).name.clone()
    }

    /// Its addresses: one of version 4, one of version 6, then those that it was given.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.world.lock().hosts.get(self.id).addresses()
    }

    /// A generator for the programs of this host, seeded from the application's stream.
    #[must_use]
    pub fn application_rng(&self) -> Rng {
        let seed = self.world.choose_on(ChoiceKind::Seed, self.id, u64::MAX);
        Rng::new(seed)
    }

    /// Gives it another address.
    ///
    /// # Errors
    /// `AddrInUse` if a host has it, `InvalidInput` if no host can have it.
    pub fn add_address(&self, ip: IpAddr) -> io::Result<()> {
        self.world
            .lock()
            .hosts
            .add_address(self.id, ip.to_canonical())
    }
}

impl Hosts {
    /// The new host `name`, or the one that there is.
    pub(crate) fn add(&mut self, name: &str) -> HostId {
        let name = name.to_ascii_lowercase();
        if let Some(id) = self.by_name.get(&name) {
            return *id;
        }
        let number = u16::try_from(self.list.len() + 1).expect("a world has fewer hosts");
        assert!(number < u16::MAX, "a world has at most 65534 hosts");
        let [high, low] = number.to_be_bytes();
        let id = HostId(u32::from(number) - 1);
        self.list.push(HostState {
            name: name.clone(),
            v4: Ipv4Addr::new(192, 168, high, low),
            v6: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number),
            more: Vec::new(),
            tcp: Ports::default(),
            udp: Ports::default(),
            stand_ins: StandIns::default(),
            is_off: false,
            clock: HostClock::default(),
            disk: DiskState::default(),
            ears: Ears::default(),
        });
        self.by_name.insert(name, id);
        id
    }

    pub(crate) fn get(&self, id: HostId) -> &HostState {
        &self.list[id.index()]
    }

    pub(crate) fn get_mut(&mut self, id: HostId) -> &mut HostState {
        &mut self.list[id.index()]
    }

    /// The name of the host with this index.
    pub(crate) fn name(&self, index: usize) -> &str {
        &self.list[index].name
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<HostId> {
        let name = name.strip_suffix('.').unwrap_or(name);
        self.by_name.get(&name.to_ascii_lowercase()).copied()
    }

    /// The host that `ip` means on `from`: itself for loopback and unspecified addresses.
    pub(crate) fn by_ip(&self, from: HostId, ip: IpAddr) -> Option<HostId> {
        let ip = ip.to_canonical();
        if ip.is_loopback() || ip.is_unspecified() {
            return Some(from);
        }
        if !self.more.is_empty() {
            if let Some(id) = self.more.get(&ip) {
                return Some(*id);
            }
        }
        let number = match ip {
            IpAddr::V4(v4) => u16::from_be_bytes([v4.octets()[2], v4.octets()[3]]),
            IpAddr::V6(v6) => v6.segments()[7],
        };
        let id = HostId(u32::from(number.checked_sub(1)?));
        let host = self.list.get(id.index())?;
        (host.v4 == ip || host.v6 == ip).then_some(id)
    }

    fn add_address(&mut self, id: HostId, ip: IpAddr) -> io::Result<()> {
        if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if self.by_ip(id, ip).is_some() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        self.more.insert(ip, id);
        self.list[id.index()].more.push(ip);
        Ok(())
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..u32::try_from(self.list.len()).expect("at most 65534 hosts")).map(HostId)
    }
}

impl HostState {
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        let first: [IpAddr; 2] = [self.v4.into(), self.v6.into()];
        first.into_iter().chain(self.more.iter().copied()).collect()
    }

    /// Whether a socket of this host may be bound to `ip`.
    pub(crate) fn owns(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        ip.is_unspecified()
            || ip.is_loopback()
            || ip == self.v4
            || ip == self.v6
            || self.more.contains(&ip)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
