//! What a program that asks the system is told on a simulated host: see `base::simulated`.

use std::time::Duration;

use yamanote_base::simulated::{self, Surroundings};
use yamanote_driver::context;

use super::points;

/// What a reading of the clock takes: a program that waits for it to move shall see it move.
const READING: Duration = Duration::from_nanos(25);

/// Has the system's functions, where they are overridden, ask the world.
pub(crate) fn install() {
    simulated::set_surroundings(Surroundings {
        now_ns,
        host,
        with_name,
        leak: points::leak,
    });
}

fn now_ns() -> u64 {
    let Some(host) = context::host() else {
        return 0;
    };
    let (now, _) = host.world().spend(READING);
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
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
