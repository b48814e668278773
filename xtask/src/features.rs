//! `cargo xtask features`: `compat/tokio` has every feature of tokio, and builds with each alone,
//! with none, and with pairs drawn at random, without a warning.

use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Result, command, packages};

/// The features of tokio 1.54, those included that it has only by way of optional dependencies.
const FEATURES: &[&str] = &[
    "bytes",
    "default",
    "fs",
    "full",
    "io-std",
    "io-uring",
    "io-util",
    "libc",
    "macros",
    "mio",
    "net",
    "parking_lot",
    "process",
    "rt",
    "rt-multi-thread",
    "schedule-latency",
    "signal",
    "signal-hook-registry",
    "socket2",
    "sync",
    "taskdump",
    "test-util",
    "time",
    "tokio-macros",
    "tracing",
    "windows-sys",
];

/// How many pairs are drawn, unless told otherwise.
const PAIRS: usize = 20;

/// Checks that no feature is missing, that each builds alone, that none do and pairs do, and that
/// `sync` needs no selector.
///
/// *Errors*: one of these does not hold, or the command line is wrong.
pub fn run(arguments: &[String]) -> Result {
    let (seed, pairs) = parse(arguments)?;
    let root = command::root();
    complete(&root)?;
    without_selector(&root)?;
    build(&root, "")?;
    FEATURES
        .iter()
        .try_for_each(|feature| build(&root, feature))?;
    println!("{pairs} pairs; the same again: --seed {seed}");
    draw(seed, pairs)
        .iter()
        .try_for_each(|[one, other]| build(&root, &format!("{one},{other}")))
}

fn parse(arguments: &[String]) -> Result<(u64, usize)> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut seed = now.map_or(1, |since| since.as_secs());
    let mut pairs = PAIRS;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} wants a number"));
        match word.as_str() {
            "--seed" => seed = value()?.parse()?,
            "--pairs" => pairs = value()?.parse()?,
            other => return Err(format!("features takes no `{other}`").into()),
        }
    }
    Ok((seed, pairs.min(pairs_there_are())))
}

fn pairs_there_are() -> usize {
    FEATURES.len() * (FEATURES.len() - 1) / 2
}

/// Pairs of different features, none twice; the same for the same seed.
fn draw(seed: u64, count: usize) -> Vec<[&'static str; 2]> {
    let all = || {
        let rest = |(i, one): (usize, &&'static str)| {
            let one = *one;
            FEATURES[i + 1..].iter().map(move |other| [one, *other])
        };
        FEATURES.iter().enumerate().flat_map(rest)
    };
    let mut left: Vec<[&str; 2]> = all().collect();
    let mut state = seed;
    (0..count.min(left.len()))
        .map(|_| {
            let index = next_random(&mut state) % left.len() as u64;
            left.swap_remove(usize::try_from(index).expect("below a length"))
        })
        .collect()
}

/// SplitMix64: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators".
fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn complete(root: &Path) -> Result {
    let packages = packages::read(root)?;
    let tokio = packages.iter().find(|package| package.name == "tokio");
    let have = &tokio.ok_or("the workspace has no `tokio`")?.features;
    let is_missing = |name: &&str| !have.iter().any(|feature| feature == name);
    let missing: Vec<&str> = FEATURES.iter().copied().filter(is_missing).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!("compat/tokio lacks the features {}", missing.join(", ")).into()),
    }
}

/// With `sync` alone, no selector is among the dependencies.
fn without_selector(root: &Path) -> Result {
    let mut cargo = with_only(root, "tree", "sync");
    cargo.args(["--edges", "normal", "--prefix", "none", "--target", "all"]);
    let tree = command::output_of(&mut cargo)?;
    let is_mio = |line: &str| line.split(' ').next() == Some("mio");
    match tree.lines().any(is_mio) {
        true => Err("with `sync` alone, mio is among the dependencies".into()),
        false => Ok(()),
    }
}

fn build(root: &Path, features: &str) -> Result {
    let mut cargo = with_only(root, "check", features);
    cargo.arg("--quiet").env("RUSTFLAGS", "-D warnings");
    cargo.env("CARGO_TARGET_DIR", root.join("target/features"));
    cargo.env("CARGO_INCREMENTAL", "0");
    let label = if features.is_empty() {
        "no feature"
    } else {
        features
    };
    command::run(&mut cargo).map_err(|why| format!("compat/tokio with {label} alone: {why}"))?;
    println!("compat/tokio builds with {label}");
    Ok(())
}

fn with_only(root: &Path, command: &str, features: &str) -> Command {
    let mut cargo = command::cargo(root);
    cargo.args([
        command,
        "-p",
        "tokio",
        "--no-default-features",
        "--features",
        features,
    ]);
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_differ_and_repeat_with_their_seed() {
        let pairs = draw(7, 20);
        assert_eq!(pairs, draw(7, 20));
        assert_ne!(pairs, draw(8, 20));
        let mut sorted = pairs.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), 20);
        assert!(pairs.iter().all(|[one, other]| one != other));
        assert_eq!(draw(1, usize::MAX).len(), pairs_there_are());
    }

    #[test]
    fn a_word_that_is_not_known_is_refused() {
        for line in ["--seed", "--seed x", "net"] {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            assert!(parse(&words).is_err(), "{line}");
        }
    }
}
