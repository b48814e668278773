//! What a program that asks the system is told on a simulated host: see `base::simulated`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use yamanote_base::simulated::{self, Binding, Surroundings, Unresolved};
use yamanote_driver::context;

use super::{parking, points};

/// Has the system's functions, where they are overridden, ask the world.
pub(crate) fn install() {
    simulated::set_surroundings(Surroundings {
        monotonic_ns,
        wall_ns,
        host,
        with_name,
        note: points::note,
        leak: points::leak,
        park_at: parking::park_at,
        unpark_at: parking::unpark_at,
        nap: parking::nap,
        resolve,
        bind,
        bound,
    });
}

fn monotonic_ns() -> u64 {
    context::host().map_or(0, |host| nanos(host.monotonic_now()))
}

fn wall_ns() -> u64 {
    context::host().map_or(0, |host| nanos(host.wall_now()))
}

fn nanos(reading: Duration) -> u64 {
    u64::try_from(reading.as_nanos()).unwrap_or(u64::MAX)
}

fn host() -> u32 {
    context::host().map_or(0, |host| host.id().number())
}

fn with_name(f: &mut dyn FnMut(&str)) {
    match context::host() {
        Some(host) => f(&host.name()),
        None => f("localhost"),
    }
}

fn resolve(name: &str) -> Result<Vec<IpAddr>, Unresolved> {
    let host = context::host().ok_or(Unresolved::Unknown)?;
    let lookup = host.lookup(name);
    parking::nap(nanos(lookup.takes));
    lookup
        .addresses
        .map_err(|failure| match failure.is_temporary {
            true => Unresolved::Temporary,
            false => Unresolved::Unknown,
        })
}

fn bind(cookie: u64, addr: SocketAddr, how: Binding) -> io::Result<()> {
    let host = context::host().ok_or(io::ErrorKind::AddrNotAvailable)?;
    host.bind_stand_in(cookie, addr, how)
}

fn bound(cookie: u64) -> Option<SocketAddr> {
    context::host()?.stand_in(cookie)
}
