//! `cargo xtask features`: `compat/tokio` has every feature of tokio, and builds with each alone.

use std::path::Path;
use std::process::Command;

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

/// Checks that no feature is missing, that each builds alone, and that `sync` needs no selector.
///
/// *Errors*: one of these does not hold.
pub fn run(arguments: &[String]) -> Result {
    if let Some(word) = arguments.first() {
        return Err(format!("features takes no `{word}`").into());
    }
    let root = command::root();
    complete(&root)?;
    without_selector(&root)?;
    build(&root, "")?;
    FEATURES
        .iter()
        .try_for_each(|feature| build(&root, feature))
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

fn build(root: &Path, feature: &str) -> Result {
    let mut cargo = with_only(root, "check", feature);
    cargo.arg("--quiet").env("RUSTFLAGS", "-D warnings");
    cargo.env("CARGO_TARGET_DIR", root.join("target/features"));
    let label = if feature.is_empty() {
        "no feature"
    } else {
        feature
    };
    command::run(&mut cargo).map_err(|why| format!("compat/tokio with {label} alone: {why}"))?;
    println!("compat/tokio builds with {label}");
    Ok(())
}

fn with_only(root: &Path, command: &str, feature: &str) -> Command {
    let mut cargo = command::cargo(root);
    cargo.args([
        command,
        "-p",
        "tokio",
        "--no-default-features",
        "--features",
        feature,
    ]);
    cargo
}
