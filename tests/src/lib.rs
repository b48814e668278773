//! Tests that see the facade only, by the name `tokio`: see `tests/`.
#![forbid(unsafe_code)]

use std::thread;

/// Asserts that `run`, which returns a trace's hash, has the same again with the same seed, and
/// another one with another.
///
/// Each runs on a fresh thread: what a thread has drawn or cached is no part of a world.
///
/// # Panics
/// When that is not so, or `run` panics.
pub fn assert_seed_decides(run: fn(u64) -> u128) {
    let alone = |seed| thread::spawn(move || run(seed)).join().expect("it runs");
    let first = alone(7);
    assert_eq!(first, alone(7));
    assert_ne!(first, alone(8));
}
