//! `cargo xtask loom`: the lock-free parts under the model checker, within a bound of time.
//!
//! A crate's models are its tests named `loom_*`. They are built with `--cfg loom`, which makes
//! `base::atomic` the checker's, in a target folder of their own.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::packages::{self, Package};
use crate::{Result, command, messages};

/// How often a model's threads may be interrupted where they would not wait by themselves. Nearly
/// all known mistakes show with three; each one more multiplies the time.
const PREEMPTIONS: &str = "3";

/// Seconds that all models together may take.
const LIMIT_S: u64 = 900;

/// Runs the models of the packages that are named, or of all.
///
/// *Errors*: one of them fails or does not compile, or they do not end in time.
pub fn run(arguments: &[String]) -> Result {
    let (names, limit) = parse(arguments)?;
    let root = command::root();
    let packages = packages::read(&root)?;
    let chosen = |package: &&Package| {
        let named = |name: &String| *name == package.name || name == package.short_name();
        has_models(package) && (names.is_empty() || names.iter().any(named))
    };
    let packages: Vec<&Package> = packages.iter().filter(chosen).collect();
    if packages.is_empty() {
        let place = if names.is_empty() {
            "the workspace".to_owned()
        } else {
            names.join(", ")
        };
        return Err(format!("no models (tests named loom_*) in {place}").into());
    }
    let models = build(&root, &packages)?;
    let end = Instant::now() + limit;
    models
        .iter()
        .try_for_each(|model| model.run(end.saturating_duration_since(Instant::now())))
}

/// A program whose tests are models.
struct Model {
    name: String,
    program: PathBuf,
    folder: PathBuf,
}

impl Model {
    fn run(&self, limit: Duration) -> Result {
        let start = Instant::now();
        let mut program = Command::new(&self.program);
        program.current_dir(&self.folder).arg("--quiet");
        if env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
            program.env("LOOM_MAX_PREEMPTIONS", PREEMPTIONS);
        }
        match command::run_bounded(&mut program, limit)? {
            Some(status) if status.success() => {
                println!("{}: {} s", self.name, start.elapsed().as_secs());
                Ok(())
            }
            Some(status) => Err(format!("{} failed ({status})", self.name).into()),
            None => Err(format!("{} did not end in time", self.name).into()),
        }
    }
}

fn parse(arguments: &[String]) -> Result<(Vec<String>, Duration)> {
    let mut names = Vec::new();
    let mut limit_s = LIMIT_S;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--limit" => limit_s = words.next().ok_or("--limit wants seconds")?.parse()?,
            option if option.starts_with('-') => return Err(format!("no option {option}").into()),
            name => names.push(name.to_owned()),
        }
    }
    Ok((names, Duration::from_secs(limit_s)))
}

fn has_models(package: &Package) -> bool {
    package.tests.iter().any(|name| name.starts_with("loom_"))
}

fn build(root: &Path, packages: &[&Package]) -> Result<Vec<Model>> {
    let mut cargo = command::cargo(root);
    cargo.args([
        "test",
        "--release",
        "--no-run",
        "--message-format",
        "json-render-diagnostics",
    ]);
    cargo
        .args(["--test", "loom_*"])
        .args(packages.iter().flat_map(|p| ["-p", &p.name]));
    cargo
        .env("RUSTFLAGS", "--cfg loom")
        .env("CARGO_TARGET_DIR", root.join("target/loom"));
    let output = command::passing_on_errors(&mut cargo)?;
    let model = |message: messages::Message| {
        Some(Model {
            program: message.test_executable()?.to_owned(),
            folder: message.manifest_path.parent()?.to_owned(),
            name: message.target.name,
        })
    };
    Ok(messages::parse(&output).filter_map(model).collect())
}
