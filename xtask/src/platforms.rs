//! `cargo xtask platforms`: other platforms, as far as one machine can tell.
//!
//! Four steps: `check` compiles for systems that are not there, and with the oldest compiler that
//! is promised; `wine` runs our own tests as Windows programs, `suite` the published tokio's;
//! `poll` runs what waits in the selector with that of systems without epoll and kqueue. When all
//! have held, the day of the last commit is written down, so that CI can tell whether they did on
//! the day of what it looks at.

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
const OLDEST: &str = "1.85.0";

/// Holds the day (in UTC) of the newest commit for which all steps have held.
const HELD: &str = ".ci/platforms-held";

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
    let (options, words): (Vec<&str>, Vec<&str>) = arguments
        .iter()
        .map(String::as_str)
        .partition(|word| word.starts_with("--"));
    if let Some(unknown) = (options.iter()).find(|name| !["--if-due", "--install"].contains(name)) {
        return Err(format!("no option {unknown}; see `cargo xtask help`").into());
    }
    let day = day_of_last_commit(&root)?;
    if options.contains(&"--if-due") && !is_due(&root, &day) {
        println!("not due: it has held on {day} already, the day of the last commit");
        return Ok(());
    }
    if options.contains(&"--install") {
        wine::install()?;
    }
    let scratch = root.join("target/platforms");
    fs::create_dir_all(&scratch)?;
    let steps: [(&str, &dyn Fn() -> Result); 4] = [
        ("check", &|| check(&root, &scratch)),
        ("wine", &|| run_own_tests(&root, &scratch)),
        ("suite", &|| run_suites(&["tokio-windows"])),
        ("poll", &|| run_suites(&["--variant", "poll", "--affected"])),
    ];
    if let Some(unknown) = words
        .iter()
        .find(|word| steps.iter().all(|(name, _)| name != *word))
    {
        return Err(format!("platforms has no step `{unknown}`: check, wine, suite, poll").into());
    }
    steps
        .iter()
        .filter(|(name, _)| words.is_empty() || words.contains(name))
        .try_for_each(|(_, step)| step())?;
    if words.is_empty() {
        fs::write(root.join(HELD), format!("{day}\n"))?;
    }
    Ok(())
}

/// The day (in UTC) on which what is checked out was committed.
fn day_of_last_commit(root: &Path) -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(root)
        .args(["log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%d"])
        .env("TZ", "UTC");
    Ok(command::output_of(&mut git)?.trim().to_owned())
}

/// Whether the steps have not held yet for what was committed on `day`.
fn is_due(root: &Path, day: &str) -> bool {
    let held = fs::read_to_string(root.join(HELD)).unwrap_or_default();
    // Days written so are in the order of their letters.
    held.trim() < day
}

fn check(root: &Path, scratch: &Path) -> Result {
    wine::library_sources()?;
    for target in CHECKED {
        let mut cargo = facade(root, scratch);
        wine::use_sources(&mut cargo).args(["--target", target]);
        without_warning(&mut cargo, target)?;
    }
    let mut cargo = facade(root, scratch);
    cargo.env("RUSTC", oldest_compiler()?);
    without_warning(&mut cargo, &format!("Rust {OLDEST}"))
}

/// The oldest compiler that is promised; rustup brings it.
fn oldest_compiler() -> Result<String> {
    let mut install = Command::new("rustup");
    install.args(["toolchain", "install", OLDEST, "--profile", "minimal"]);
    command::output_of(&mut install)?;
    let mut which = Command::new("rustup");
    let path = command::output_of(which.args(["which", "rustc", "--toolchain", OLDEST]))?;
    Ok(path.trim().to_owned())
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

fn run_suites(words: &[&str]) -> Result {
    let words: Vec<String> = words.iter().copied().map(str::to_owned).collect();
    conformance::run(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_on_a_day_after_the_one_on_which_it_has_held() {
        let root = std::env::temp_dir().join(format!("xtask-platforms-{}", std::process::id()));
        assert!(is_due(&root, "2020-02-01"), "it has never held");
        fs::create_dir_all(root.join(".ci")).unwrap();
        fs::write(root.join(HELD), "2020-02-01\n").unwrap();
        assert!(!is_due(&root, "2020-02-01") && !is_due(&root, "2020-01-31"));
        assert!(is_due(&root, "2020-02-02") && is_due(&root, "2021-01-01"));
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn the_last_commit_has_a_day() {
        let day = day_of_last_commit(&command::root()).unwrap();
        assert!(day.len() == 10 && day.starts_with("20"), "{day}");
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for word in ["--fast", "windows"] {
            assert!(run(&[word.to_owned()]).is_err(), "{word}");
        }
    }
}
