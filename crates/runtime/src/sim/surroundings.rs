//! What a program that asks the system is told on a simulated host: see `base::simulated`.

use std::time::Duration;

use yamanote_base::simulated::{self, Surroundings};
use yamanote_driver::context;

use super::{parking, points};

/// Has the system's functions, where they are overridden, ask the world.
pub(crate) fn install() {
    simulated::set_surroundings(Surroundings {
        monotonic_ns,
        wall_ns,
        host,
        with_name,
        leak: points::leak,
        park_at: parking::park_at,
        unpark_at: parking::unpark_at,
        nap: parking::nap,
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
