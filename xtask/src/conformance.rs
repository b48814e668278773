//! `cargo xtask conformance`: the test suites of published crates, run against `compat/tokio`.
//!
//! A suite goes through four rooms: `prepare` lays its published source out as a workspace of its
//! own, patched; `build` compiles each test target by itself; `nextest` (or `docs`) runs them, a
//! process and a time limit each, once for each of the `variants`; `measure` holds the outcome
//! against what the published tokio passes and against the floor, and `report` tells it.

mod build;
mod docs;
mod exceptions;
mod manifest;
mod measure;
mod nextest;
mod options;
mod prepare;
mod report;
mod suites;
mod switch;
mod variants;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::Result;
use crate::command::{self, Log};
use build::{Built, Target};
use exceptions::Exceptions;
use measure::{Baseline, Floors};
use options::Options;
use prepare::Workspace;
use report::Outcomes;
use suites::{Kind, Selection, Suite};
use variants::Variant;

/// The table of variants, for `cargo xtask help`.
pub fn table_of_variants() -> String {
    variants::table()
}

/// Runs the suites that the command line names, all of them if it names none.
///
/// *Errors*: the command line is wrong, a suite cannot be run, or one is below its floor.
pub fn run(arguments: &[String]) -> Result {
    let options = Options::parse(arguments)?;
    let root = command::root();
    let mut ledger = Ledger {
        baseline: Baseline::read(&root)?,
        floors: Floors::read(&root)?,
        exceptions: Exceptions::read(&root)?,
        complaints: Vec::new(),
    };
    let rig = Rig::new(&root, &options)?;
    let usable = rig.usable_variants(&mut ledger.complaints);
    for suite in &options.suites {
        for batch in usable.chunk_by(|one, next| one.rustflags == next.rustflags) {
            for run in rig.run(suite, batch) {
                ledger.enter(&run, &rig, &root)?;
            }
        }
    }
    match ledger.complaints.is_empty() {
        true => Ok(()),
        false => Err(ledger.complaints.join("\n       ").into()),
    }
}

/// What outcomes are held against, and what is to be said of them.
struct Ledger {
    baseline: Baseline,
    floors: Floors,
    exceptions: Exceptions,
    complaints: Vec<String>,
}

impl Ledger {
    /// Reports an outcome, and writes down what the options ask for.
    fn enter(&mut self, run: &Run<'_>, rig: &Rig<'_>, root: &Path) -> Result {
        let Run {
            outcomes,
            selection,
            variant,
        } = run;
        let suite = selection.suite;
        if rig.options.write_baseline {
            self.baseline.replace(suite, outcomes);
            self.baseline.write(root)?;
        }
        let share = self.baseline.share(selection, &outcomes.tests);
        let excepted = match rig.options.published {
            true => Vec::new(),
            false => self.exceptions.of_suite(suite),
        };
        let whole = self.baseline.len(suite.name) - excepted.len();
        let excepted = [excepted, self.exceptions.of_variant(suite, variant)].concat();
        let passing = exceptions::passing(&outcomes.label, &share, &excepted);
        self.complaints.extend(passing);
        let share = share.without(&excepted);
        let floor = self.floors.of_part(suite.name, share.tests.len(), whole);
        report::write(&rig.scratch, outcomes, &share)?;
        report::print(outcomes, &share, floor);
        if rig.options.write_floor {
            self.floors.raise(suite.name, share.passed());
            self.floors.write(root)?;
        }
        let label = &outcomes.label;
        let stopped = outcomes.failure.iter().map(|why| format!("{label}: {why}"));
        self.complaints.extend(stopped);
        self.complaints.extend(report::flakes(label, &share));
        let below = measure::below(label, share.passed(), floor);
        self.complaints.extend(below);
        Ok(())
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

    fn log(&self, label: &str) -> PathBuf {
        self.scratch.join("logs").join(format!("{label}.log"))
    }

    /// The variants that make a difference here; complaints about the others.
    fn usable_variants(&self, complaints: &mut Vec<String>) -> Vec<&'static Variant> {
        let mut usable = Vec::new();
        for variant in &self.options.variants {
            match switch::check(self, &suites::SUITES[0], variant) {
                Ok(()) => usable.push(*variant),
                Err(why) => complaints.push(format!("variant {}: {why}", variant.name)),
            }
        }
        usable
    }

    /// Runs a suite in each variant of a batch, which share a build. What stops a suite is part
    /// of the outcome: the next one still runs.
    fn run(&self, suite: &'static Suite, batch: &[&'static Variant]) -> Vec<Run<'_>> {
        let affected = self.options.affected;
        let batch = batch.iter();
        let batch = batch.filter(|variant| !affected || variant.can_affect_suite(suite));
        let mut runs: Vec<Run<'_>> = batch
            .map(|variant| Run {
                variant,
                outcomes: Outcomes::new(variant.label(suite), suite),
                selection: Selection {
                    suite,
                    affected_by: affected.then_some(variant),
                    only: &self.options.only,
                },
            })
            .collect();
        if let Err(why) = self.fill(suite, &mut runs) {
            for run in &mut runs {
                run.outcomes.failure = Some(why.to_string());
            }
        }
        runs
    }

    fn fill(&self, suite: &'static Suite, runs: &mut [Run<'_>]) -> Result {
        let Some(first) = runs.first() else {
            return Ok(());
        };
        let log = self.log(&first.outcomes.label);
        for run in &*runs {
            eprintln!("{}: running (log: {})", run.outcomes.label, log.display());
        }
        fs::write(&log, "")?;
        let mut start = Instant::now();
        let folder = prepare::lay_out(self, suite)?;
        let mut workspace = Workspace::new(folder, suite, first.variant, Log(log), self)?;
        prepare::resolve(self, suite, &workspace)?;
        let built = match suite.kind {
            Kind::TokioDocs => Built::default(),
            _ => {
                let wants = |label: &str| runs.iter().any(|run| run.selection.wants(label));
                build::build(&workspace, suite, wants)?
            }
        };
        for run in runs {
            workspace.environment = run.variant.environment;
            if let Err(why) = run.fill(&workspace, &built, self.options) {
                run.outcomes.failure = Some(why.to_string());
            }
            run.outcomes.seconds = start.elapsed().as_secs();
            start = Instant::now();
        }
        Ok(())
    }
}

/// A suite in a variant.
struct Run<'a> {
    variant: &'static Variant,
    selection: Selection<'a>,
    outcomes: Outcomes,
}

impl Run<'_> {
    fn fill(&mut self, workspace: &Workspace, built: &Built, options: &Options) -> Result {
        if self.selection.suite.kind == Kind::TokioDocs {
            self.outcomes.tests = docs::run(workspace, &self.selection, options)?;
            return Ok(());
        }
        let chosen = built.targets.iter();
        let chosen = chosen.filter(|(target, _)| self.selection.wants(&target.label()));
        let label = |(target, built): (&Target, &bool)| (target.label(), *built);
        self.outcomes.targets = chosen.clone().map(label).collect();
        self.outcomes.errors = built.errors.clone();
        let ready = chosen.filter(|(_, built)| **built);
        let ready: Vec<Target> = ready.map(|(target, _)| target.clone()).collect();
        self.outcomes.tests = nextest::run(workspace, &ready, options)?;
        self.outcomes.count_without_tests();
        Ok(())
    }
}
