//! `cargo xtask platforms`: other platforms, as far as one machine can tell.
//!
//! Three steps: `check` compiles for systems that are not there, and with the oldest compiler that
//! is promised; `wine` runs our own tests as Windows programs, `suite` the published tokio's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::wine::{self, Wine};
use crate::{Result, command, conformance};

/// What is compiled for, without a warning; nobody runs it here.
const CHECKED: &[&str] = &[
    "x86_64-unknown-freebsd",
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    wine::TARGET,
];

/// The oldest compiler that is promised.
const OLDEST: &str = "1.85.";

/// The packages whose tests run as Windows programs.
const OWN_TESTS: &[&str] = &[
    "base", "driver", "fs", "io", "net", "pool", "process", "runtime", "sched", "signal", "sync",
    "task", "time", "world",
];

/// Tests among them that cannot pass under Wine 8, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "a_peer_that_goes_ends_the_read",
        "a reset looks like the end of the stream, to std's sockets too",
    ),
    (
        "a_large_value_needs_no_large_stack",
        "1 MiB of stack is too little for it in an unoptimised Windows program",
    ),
    (
        "paths_can_be_made_moved_copied_and_removed",
        "std's copy of a file says 0 bytes, because CopyFileEx does not report its progress",
    ),
];

/// Runs the steps that are named, or all.
///
/// *Errors*: a tool is missing; the code does not compile, or not without a warning; a test fails.
pub fn run(arguments: &[String]) -> Result {
    let root = command::root();
    let scratch = root.join("target/platforms");
    fs::create_dir_all(&scratch)?;
    let steps: [(&str, &dyn Fn() -> Result); 3] = [
        ("check", &|| check(&root, &scratch)),
        ("wine", &|| run_own_tests(&root, &scratch)),
        ("suite", &run_suite),
    ];
    if let Some(unknown) = arguments
        .iter()
        .find(|word| steps.iter().all(|(name, _)| name != word))
    {
        return Err(format!("platforms has no step `{unknown}`: check, wine, suite").into());
    }
    steps
        .iter()
        .filter(|(name, _)| arguments.is_empty() || arguments.iter().any(|word| word == name))
        .try_for_each(|(_, step)| step())
}

fn check(root: &Path, scratch: &Path) -> Result {
    wine::library_sources()?;
    for target in CHECKED {
        let mut cargo = facade(root, scratch);
        wine::use_sources(&mut cargo).args(["--target", target]);
        without_warning(&mut cargo, target)?;
    }
    let version = command::output_of(Command::new(wine::RUSTC).arg("--version"))?;
    if !version.starts_with(&format!("rustc {OLDEST}")) {
        println!(
            "left out: the oldest compiler ({OLDEST}*), because {} is here",
            version.trim()
        );
        return Ok(());
    }
    let mut cargo = facade(root, scratch);
    cargo.env("RUSTC", wine::RUSTC);
    without_warning(&mut cargo, version.trim())
}

/// A check of all that users see.
fn facade(root: &Path, scratch: &Path) -> Command {
    let mut cargo = command::cargo(root);
    cargo
        .args([
            "check",
            "--locked",
            "-p",
            "tokio",
            "--features",
            "full,test-util",
        ])
        .env("CARGO_TARGET_DIR", scratch.join("check"))
        .env("CARGO_TERM_COLOR", "never");
    cargo
}

/// Runs `cargo`, and takes each warning for a failure.
fn without_warning(cargo: &mut Command, what: &str) -> Result {
    let output = cargo
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let has_warned = said.lines().any(|line| line.starts_with("warning"));
    if output.status.success() && !has_warned {
        println!("compiled without a warning: {what}");
        return Ok(());
    }
    Err(format!("{what}: {}", said.trim()).into())
}

fn run_own_tests(root: &Path, scratch: &Path) -> Result {
    let wine = Wine::new(scratch)?;
    for (test, why) in LEFT_OUT {
        println!("left out: {test} ({why})");
    }
    let mut cargo = command::cargo(root);
    cargo.args(["test", "--locked", "--no-fail-fast", "--lib", "--tests"]);
    for package in OWN_TESTS {
        cargo.args(["-p", &format!("yamanote-{package}")]);
    }
    cargo.arg("--");
    cargo.args(LEFT_OUT.iter().flat_map(|(test, _)| ["--skip", test]));
    cargo.env("CARGO_TARGET_DIR", target_folder(scratch));
    command::run(wine.equip(&mut cargo, ""))
}

fn target_folder(scratch: &Path) -> PathBuf {
    scratch.join("wine-target")
}

fn run_suite() -> Result {
    conformance::run(&["tokio-windows".to_owned()])
}
