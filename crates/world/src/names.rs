//! Names and what they lead to: each host's own, and others with rules.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::choice::ChoiceKind;
use crate::host::Host;
use crate::net::link::{Chance, Latency};
use crate::trace::FaultKind;
use crate::world::World;

/// What becomes of a question for a name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NameRules {
    /// How long the answer takes.
    pub delay: Latency,
    /// How likely there is none.
    pub failure: Chance,
    /// What it leads to; `None` is the host of this name.
    pub addresses: Option<Vec<IpAddr>>,
}

/// The answer to a question for a name.
#[derive(Debug)]
pub struct Lookup {
    /// How long it takes.
    pub takes: Duration,
    /// The addresses.
    pub addresses: Result<Vec<IpAddr>, NameFailure>,
}

/// Why a name leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameFailure {
    name: String,
    /// Whether asking again may help; else nobody has the name.
    pub is_temporary: bool,
}

impl Default for NameRules {
    fn default() -> Self {
        Self {
            // Some time always, so that who asks again and again gets somewhere.
            delay: Latency::uniform(Duration::from_micros(100), Duration::from_millis(1)),
            failure: Chance::NEVER,
            addresses: None,
        }
    }
}

impl World {
    /// What becomes of questions for `name`.
    #[must_use]
    pub fn name_rules(&self, name: &str) -> NameRules {
        let state = self.lock();
        state
            .hosts
            .names
            .get(&plain(name))
            .cloned()
            .unwrap_or_default()
    }

    /// Has questions for `name` follow these rules from now on.
    pub fn set_name_rules(&self, name: &str, rules: NameRules) {
        self.lock().hosts.names.insert(plain(name), rules);
    }

    /// Has questions for all names follow the usual rules: each leads to its host, at once.
    pub fn forget_name_rules(&self) {
        self.lock().hosts.names.clear();
    }
}

impl Host {
    /// Asks for the addresses of `name`, as seen from here; `localhost` is this host itself.
    #[must_use]
    pub fn lookup(&self, name: &str) -> Lookup {
        let name = plain(name);
        if name == "localhost" {
            let both = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            return Lookup {
                takes: Duration::ZERO,
                addresses: Ok(both),
            };
        }
        let mut state = self.world().lock();
        let rules = state.hosts.names.get(&name).cloned().unwrap_or_default();
        let takes_ns = state.draw_latency(ChoiceKind::NameFault, self.id(), rules.delay);
        let fails = state.strikes(ChoiceKind::NameFault, self.id(), rules.failure);
        if fails {
            state.fault_once(FaultKind::Names, (self.id(), self.id()));
        }
        let of_host = |id| state.hosts.get(id).addresses();
        let found = rules.addresses;
        let found = found.or_else(|| state.hosts.by_name(&name).map(of_host));
        drop(state);
        let addresses = match (fails, found) {
            (false, Some(found)) if !found.is_empty() => Ok(found),
            (is_temporary, _) => Err(NameFailure { name, is_temporary }),
        };
        Lookup {
            takes: Duration::from_nanos(takes_ns),
            addresses,
        }
    }
}

/// The name in lower case, without the dot at the end.
fn plain(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.to_ascii_lowercase()
}

impl fmt::Display for NameFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.is_temporary {
            true => "temporary failure in name resolution",
            false => "no such host",
        };
        write!(f, "failed to lookup address of {}: {why}", self.name)
    }
}

impl From<NameFailure> for io::Error {
    fn from(failure: NameFailure) -> Self {
        io::Error::other(failure.to_string())
    }
}
