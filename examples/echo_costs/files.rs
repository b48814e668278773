//! The limit of open files, of which each socket is one: here and, by inheritance, in the server.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit if it is too low, as far as this may be done.
pub(crate) fn allow(connections: u32) -> Result<(), String> {
    let needed = u64::from(connections) + 64;
    let limit = getrlimit(Resource::Nofile);
    let enough = |have: Option<u64>| have.is_none_or(|have| have >= needed);
    if enough(limit.current) {
        return Ok(());
    }
    let (current, maximum) = (Some(needed), limit.maximum);
    if !enough(maximum) {
        let most = maximum.unwrap_or_default();
        return Err(format!(
            "{needed} open files are needed, and {most} allowed (`ulimit -Hn`)"
        ));
    }
    setrlimit(Resource::Nofile, Rlimit { current, maximum })
        .map_err(|error| format!("cannot allow {needed} open files: {error}"))
}
