//! `cargo xtask asan`: the workspace's tests under AddressSanitizer and LeakSanitizer.
//!
//! Needs a nightly toolchain. The tests are built in `target/asan`, and run one program after the
//! other: each fails by itself if it touches memory that is not its own, or leaves some behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::packages::{self, Package};
use crate::{Result, command, messages};

/// What is left out, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("xtask", "tools, which run cargo and hold no code of ours"),
    (
        "macros",
        "runs inside of the compiler, which is built without",
    ),
    (
        "sim-gallery",
        "thousands of simulated runs, of code that the tests of worlds have, too",
    ),
];

/// The sanitizer, and the word by which ours make room for it.
const FLAGS: &str = "-Zsanitizer=address --cfg yamanote_asan";

/// Words in the names of tests that are left out, and why.
const TESTS_LEFT_OUT: &[(&str, &str)] = &[
    (
        "less_than_a_second",
        "a limit for ordinary builds: these take three times as long",
    ),
    (
        "is_found_shrunk_and_replayed",
        "shrinks as far as it comes in a minute, which is not far enough here",
    ),
    (
        "power_losses_take_no_write_that_was_acknowledged",
        "minutes for each of many seeds, of code that the other tests of worlds have, too",
    ),
    (
        "what_the_kernel_still_has_when_the_ring_goes",
        "leaves a request and its buffer to the kernel for good, on purpose",
    ),
    (
        "the_program_has_nothing_of_the_simulation",
        "builds a program anew, and looks at it",
    ),
];

/// Seconds that one program may take.
const LIMIT_S: u64 = 600;

/// A leak that is found at a program's end fails it, and so does a stack that is used after the
/// return of its function.
const OPTIONS: &str = "detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=0";

/// Runs the tests of the packages that are named, or of all. Doc tests are left out: they are a
/// thousand programs, of code that the tests have, too.
///
/// *Errors*: there is no nightly toolchain; a test fails, leaks, or does not end.
pub fn run(arguments: &[String]) -> Result {
    if let Some(option) = arguments.iter().find(|word| word.starts_with('-')) {
        return Err(format!("asan has no option {option}").into());
    }
    let root = command::root();
    let packages = packages::read(&root)?;
    let chosen: Vec<&Package> = packages
        .iter()
        .filter(|p| is_chosen(p, arguments))
        .collect();
    for (name, why) in LEFT_OUT.iter().chain(TESTS_LEFT_OUT) {
        println!("left out: {name} ({why})");
    }
    let mut failed = Vec::new();
    for program in build(&root, &chosen)? {
        if let Err(why) = program.run() {
            println!("{why}");
            failed.push(program.name);
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!("not clean: {}", failed.join(", ")).into()),
    }
}

fn is_chosen(package: &Package, names: &[String]) -> bool {
    let left_out = LEFT_OUT
        .iter()
        .any(|(name, _)| *name == package.short_name());
    let named = |name: &String| *name == package.name || name == package.short_name();
    !left_out && (names.is_empty() || names.iter().any(named))
}

/// A program with tests.
struct Program {
    name: String,
    path: PathBuf,
    folder: PathBuf,
}

impl Program {
    fn run(&self) -> Result {
        let start = Instant::now();
        let mut program = Command::new(&self.path);
        program.current_dir(&self.folder).arg("--quiet");
        program.args(TESTS_LEFT_OUT.iter().flat_map(|(word, _)| ["--skip", word]));
        program.env("CARGO_MANIFEST_DIR", &self.folder);
        program.env("ASAN_OPTIONS", OPTIONS).stdin(Stdio::null());
        match command::run_bounded(&mut program, Duration::from_secs(LIMIT_S))? {
            Some(status) if status.success() => {
                println!("{}: clean, {} s", self.name, start.elapsed().as_secs());
                Ok(())
            }
            Some(status) => Err(format!("{}: FAILED ({status})", self.name).into()),
            None => Err(format!("{}: did not end within {LIMIT_S} s", self.name).into()),
        }
    }
}

fn build(root: &Path, packages: &[&Package]) -> Result<Vec<Program>> {
    if packages.is_empty() {
        return Err("no package of this name".into());
    }
    let host = host()?;
    let mut cargo = Command::new("rustup");
    cargo.current_dir(root).stdin(Stdio::null());
    cargo.args([
        "run", "nightly", "cargo", "test", "--no-run", "--target", &host,
    ]);
    // Examples are built, too: their tests run them.
    cargo.args(["--message-format", "json-render-diagnostics"]);
    cargo.args(packages.iter().flat_map(|package| ["-p", &package.name]));
    cargo
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", root.join("target/asan"))
        .env("CARGO_INCREMENTAL", "0")
        .env_remove("CARGO");
    let output = command::passing_on_errors(&mut cargo)?;
    let program = |message: messages::Message| {
        let folder = message.manifest_path.parent()?.to_owned();
        let package = folder.file_name()?.to_string_lossy().into_owned();
        Some(Program {
            path: message.test_executable()?.to_owned(),
            name: format!("{package}::{}", message.target.name),
            folder,
        })
    };
    Ok(messages::parse(&output).filter_map(program).collect())
}

/// The platform that we run on: sanitizers want it named, so that build scripts do without them.
fn host() -> Result<String> {
    let mut rustc = Command::new("rustup");
    let about = command::output_of(rustc.args(["run", "nightly", "rustc", "-vV"]))
        .map_err(|why| format!("a nightly toolchain is needed: {why}"))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("rustc does not name its platform")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Project;

    #[test]
    fn what_is_left_out_is_there() {
        let project = Project::read(&command::root()).unwrap();
        let is_test = |word: &str| {
            let lines = project.files.iter().flat_map(|file| file.text.lines());
            let mut functions = lines.filter_map(|line| Some(line.split_once("fn ")?.1));
            functions.any(|name| name.contains(word))
        };
        for (word, _) in TESTS_LEFT_OUT {
            assert!(is_test(word), "no test has {word} in its name");
        }
        let packages = |name| project.packages.iter().any(|p| p.short_name() == name);
        for (name, _) in LEFT_OUT {
            assert!(packages(*name), "no package is called {name}");
        }
    }
}
