//! `cargo xtask conformance`: the test suites of published crates, run against `compat/tokio`.
//!
//! A suite goes through four rooms: `prepare` lays its published source out as a workspace of its
//! own, patched; `build` compiles each test target by itself; `nextest` (or `docs`) runs them, a
//! process and a time limit each; `measure` holds the outcome against what the published tokio
//! passes and against the floor, and `report` tells it.

mod build;
mod docs;
mod manifest;
mod measure;
mod nextest;
mod options;
mod prepare;
mod report;
mod suites;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::{Result, command};
use build::Built;
use measure::{Baseline, Floors};
use options::Options;
use prepare::Workspace;
use report::Outcomes;
use suites::{Kind, Suite};

/// Runs the suites that the command line names, all of them if it names none.
///
/// *Errors*: the command line is wrong, a suite cannot be run, or one is below its floor.
pub fn run(arguments: &[String]) -> Result {
    let options = Options::parse(arguments)?;
    let root = command::root();
    let mut baseline = Baseline::read(&root)?;
    let mut floors = Floors::read(&root)?;
    let rig = Rig::new(&root, &options)?;
    let mut complaints = Vec::new();
    for suite in &options.suites {
        eprintln!(
            "{}: running (log: {})",
            suite.name,
            rig.log(suite).display()
        );
        let outcomes = rig.run(suite);
        if options.write_baseline {
            baseline.replace(suite, &outcomes);
            baseline.write(&root)?;
        }
        let share = baseline.share(suite.name, &outcomes.tests, &options.only);
        report::write(&rig.scratch, &outcomes, &share)?;
        report::print(&outcomes, &share, floors.of(suite.name));
        complaints.extend(
            outcomes
                .failure
                .as_ref()
                .map(|why| format!("{}: {why}", suite.name)),
        );
        complaints.extend(report::flakes(suite.name, &share));
        if options.only.is_empty() {
            complaints.extend(floors.complaint(suite.name, share.passed()));
        }
        if options.write_floor {
            floors.raise(suite.name, share.passed());
            floors.write(&root)?;
        }
    }
    match complaints.is_empty() {
        true => Ok(()),
        false => Err(complaints.join("\n       ").into()),
    }
}

/// Where suites are laid out, and what they are run against.
struct Rig<'a> {
    options: &'a Options,
    /// The folder for everything that a run leaves behind.
    scratch: PathBuf,
    /// The crate that takes the place of tokio.
    tokio: PathBuf,
    /// The lock files that make runs repeat.
    locks: PathBuf,
}

impl Rig<'_> {
    fn new<'a>(root: &Path, options: &'a Options) -> Result<Rig<'a>> {
        nextest::check_installed(root)?;
        let scratch = match &options.scratch {
            Some(folder) => std::path::absolute(folder)?,
            None => root.join("target/conformance"),
        };
        fs::create_dir_all(scratch.join("logs"))?;
        let tokio = match options.published {
            true => prepare::published("tokio", suites::TOKIO, &scratch)?,
            false => root.join("compat/tokio"),
        };
        Ok(Rig {
            options,
            scratch,
            tokio,
            locks: root.join("conformance/locks"),
        })
    }

    fn log(&self, suite: &Suite) -> PathBuf {
        self.scratch
            .join("logs")
            .join(format!("{}.log", suite.name))
    }

    /// Runs a suite. What stops it is part of the outcome: the next one still runs.
    fn run(&self, suite: &Suite) -> Outcomes {
        let start = Instant::now();
        let mut outcomes = Outcomes::new(suite);
        outcomes.failure = self
            .fill(suite, &mut outcomes)
            .err()
            .map(|why| why.to_string());
        outcomes.seconds = start.elapsed().as_secs();
        outcomes
    }

    fn fill(&self, suite: &Suite, outcomes: &mut Outcomes) -> Result {
        let log = self.log(suite);
        fs::write(&log, "")?;
        let folder = prepare::lay_out(self, suite)?;
        let workspace = Workspace::new(folder, suite, self)?;
        prepare::resolve(self, suite, &workspace)?;
        if suite.kind == Kind::TokioDocs {
            outcomes.tests = docs::run(&workspace, self.options)?;
            return Ok(());
        }
        let Built { targets, errors } = build::build(&workspace, suite, &self.options.only)?;
        outcomes.targets = targets
            .iter()
            .map(|(target, built)| (target.label(), *built))
            .collect();
        outcomes.errors = errors;
        let built = targets
            .into_iter()
            .filter(|(_, built)| *built)
            .map(|(target, _)| target);
        outcomes.tests = nextest::run(&workspace, &built.collect::<Vec<_>>(), self.options)?;
        Ok(())
    }
}
