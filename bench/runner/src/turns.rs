//! Several programs that are kept and driven in turn: what the machine does besides is in all of
//! them, so that what they reach in one round can be compared.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;

/// After so many rounds there are new programs: of two of the same, one had 0.92 of the other's
/// rate over 30 rounds, by where its memory and its threads had come to lie.
const ROUNDS_KEPT: usize = 4;

/// Drives each of `count` programs `rounds` times; `start` and `drive` get the number of the one
/// that is meant.
///
/// # Errors
/// Those of `start` and `drive`.
pub(crate) fn take<K>(
    rounds: usize,
    count: usize,
    start: impl Fn(usize) -> io::Result<K>,
    mut drive: impl FnMut(usize, &mut K) -> io::Result<()>,
) -> io::Result<()> {
    let mut kept = Vec::new();
    for round in 0..rounds {
        if round % ROUNDS_KEPT == 0 {
            // Before there are new ones: what these take would be missing.
            kept.clear();
            let new = (0..count).map(|at| Ok((at, start(at)?)));
            kept = new.collect::<io::Result<Vec<_>>>()?;
        }
        for (at, one) in &mut kept {
            drive(*at, one)?;
        }
        // Not always the same first, nor one twice in succession if there are more than two: its
        // connections would still be in the processor's caches. Two in an order to and fro fall in
        // step with what changes as slowly: `spawn_blocking` from two threads once had 1.76 of what
        // it was, and 0.65 in the next run.
        if count > 2 || coin() {
            kept.rotate_left(1);
        }
    }
    Ok(())
}

fn coin() -> bool {
    RandomState::new().build_hasher().finish() % 2 == 1
}
