//! What the environment asks for: seeds, a replay, and what a worker is to do.

use std::env;
use std::ops::Range;
use std::path::PathBuf;

use crate::seeds;

/// Which seeds to run: one, or `from..to`.
pub const SEEDS: &str = "YAMANOTE_SIM";
/// The trace to replay.
pub const REPLAY: &str = "YAMANOTE_SIM_REPLAY";
/// Where to write what a replay does for Perfetto.
pub const PERFETTO: &str = "YAMANOTE_SIM_PERFETTO";
/// What this process is to do for another one.
pub const JOB: &str = "YAMANOTE_SIM_JOB";
/// Which test the job is about.
pub const JOB_TEST: &str = "YAMANOTE_SIM_JOB_TEST";

/// The seeds that `YAMANOTE_SIM` names.
///
/// # Panics
/// When it is set, and is neither a seed nor a range of seeds.
#[must_use]
pub fn asked_seeds() -> Option<Range<u64>> {
    let text = env::var(SEEDS).ok()?;
    let range = parse_range(&text);
    let range = range.filter(|range| !range.is_empty());
    Some(range.unwrap_or_else(|| panic!("{SEEDS} is a seed or a range `from..to`, not `{text}`")))
}

/// The trace that `YAMANOTE_SIM_REPLAY` names.
#[must_use]
pub fn asked_replay() -> Option<PathBuf> {
    env::var_os(REPLAY).map(PathBuf::from)
}

/// Where `YAMANOTE_SIM_PERFETTO` wants the run that is replayed.
#[must_use]
pub fn asked_perfetto() -> Option<PathBuf> {
    env::var_os(PERFETTO).map(PathBuf::from)
}

fn parse_range(text: &str) -> Option<Range<u64>> {
    match text.split_once("..") {
        Some((from, to)) => Some(seeds::parse(from)?..seeds::parse(to)?),
        None => {
            let seed = seeds::parse(text)?;
            Some(seed..seed.checked_add(1)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_range_of_one() {
        assert_eq!(parse_range("7"), Some(7..8));
        assert_eq!(parse_range("0x10..20"), Some(16..20));
        assert_eq!(parse_range("seven"), None);
    }
}
