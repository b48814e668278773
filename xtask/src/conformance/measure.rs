//! What outcomes are held against: the tests that the published tokio passes, and the floor.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::report::{Outcome, Outcomes, Tests};
use super::suites::{SUITES, Suite};
use crate::Result;

const BASELINE: &str = "conformance/baseline.json";
const FLOORS: &str = "conformance/floor.toml";
const FLOORS_HEAD: &str = "\
# How many of the tests that the published tokio passes must pass here, by suite.
# `cargo xtask conformance --write-floor` raises these numbers; nothing lowers them.
";

/// By suite: the tests that pass with the published tokio.
pub(super) struct Baseline(BTreeMap<String, BaselineSuite>);

#[derive(Deserialize)]
struct BaselineSuite {
    version: String,
    /// By target: the names of its tests.
    passed: BTreeMap<String, Vec<String>>,
}

/// The tests of a suite's baseline, and what became of them.
pub(super) struct Share {
    /// Outcomes by test; `Missing` if its target did not compile.
    pub(super) tests: Tests,
}

impl Baseline {
    /// The baseline of the project at `root`.
    ///
    /// *Errors*: it cannot be read, or is of other versions than those of the suites.
    pub(super) fn read(root: &Path) -> Result<Baseline> {
        let text = fs::read_to_string(root.join(BASELINE))
            .map_err(|error| format!("cannot read {BASELINE}: {error}"))?;
        let baseline = Baseline(serde_json::from_str(&text)?);
        let known = |suite: &Suite| {
            baseline
                .0
                .get(suite.name)
                .map(|found| found.version.as_str())
        };
        // A suite without a baseline is one that is to get its first.
        match SUITES
            .iter()
            .find(|suite| known(suite).is_some_and(|found| found != suite.version))
        {
            Some(suite) => {
                Err(format!("{BASELINE} has no {} {}", suite.name, suite.version).into())
            }
            None => Ok(baseline),
        }
    }

    /// Takes what passed as the suite's new baseline.
    pub(super) fn replace(&mut self, suite: &Suite, outcomes: &Outcomes) {
        let mut passed: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, outcome) in &outcomes.tests {
            if let (Outcome::Passed, Some((target, test))) = (outcome, name.split_once("::")) {
                passed
                    .entry(target.to_owned())
                    .or_default()
                    .push(test.to_owned());
            }
        }
        let version = suite.version.to_owned();
        self.0
            .insert(suite.name.to_owned(), BaselineSuite { version, passed });
    }

    /// Writes the baseline back, a line for each target.
    pub(super) fn write(&self, root: &Path) -> Result {
        let mut suites = Vec::new();
        let known = |name: &'static str| self.0.get(name).map(|suite| (name, suite));
        for (name, suite) in SUITES.iter().filter_map(|suite| known(suite.name)) {
            let mut targets = Vec::new();
            for (target, tests) in &suite.passed {
                let tests = serde_json::to_string(tests)?.replace("\",\"", "\", \"");
                let target = serde_json::to_string(target)?;
                targets.push(format!("   {target}: {tests}"));
            }
            let version = &suite.version;
            suites.push(format!(
                " \"{name}\": {{\n  \"version\": \"{version}\",\n  \"passed\": {{\n{}\n  }}\n }}",
                targets.join(",\n")
            ));
        }
        Ok(fs::write(
            root.join(BASELINE),
            format!("{{\n{}\n}}\n", suites.join(",\n")),
        )?)
    }

    /// What became of a suite's baseline; of the targets in `only`, if it names any.
    pub(super) fn share(&self, suite: &str, outcomes: &Tests, only: &[String]) -> Share {
        let targets = self
            .0
            .get(suite)
            .into_iter()
            .flat_map(|suite| &suite.passed);
        let targets = targets.filter(|(target, _)| {
            only.is_empty()
                || only
                    .iter()
                    .any(|name| name.trim_start_matches("lib:") == *target)
        });
        let names = targets
            .flat_map(|(target, tests)| tests.iter().map(move |test| format!("{target}::{test}")));
        let outcome = |name: &String| outcomes.get(name).copied().unwrap_or(Outcome::Missing);
        Share {
            tests: names.map(|name| (name.clone(), outcome(&name))).collect(),
        }
    }
}

impl Share {
    /// How many of the tests came out so.
    pub(super) fn count(&self, outcome: Outcome) -> usize {
        self.tests
            .values()
            .filter(|found| **found == outcome)
            .count()
    }

    /// How many passed.
    pub(super) fn passed(&self) -> usize {
        self.count(Outcome::Passed)
    }

    /// Those in files whose names begin with `prefix`.
    pub(super) fn of_files(&self, prefix: &str) -> Share {
        let tests = self
            .tests
            .iter()
            .filter(|(name, _)| name.starts_with(prefix));
        Share {
            tests: tests
                .map(|(name, outcome)| (name.clone(), *outcome))
                .collect(),
        }
    }
}

/// By suite: how many tests of the baseline must pass.
pub(super) struct Floors(BTreeMap<String, usize>);

impl Floors {
    /// The floors of the project at `root`.
    pub(super) fn read(root: &Path) -> Result<Floors> {
        let text = fs::read_to_string(root.join(FLOORS))
            .map_err(|error| format!("cannot read {FLOORS}: {error}"))?;
        Ok(Floors(toml::from_str(&text)?))
    }

    /// A suite's floor; none yet is 0.
    pub(super) fn of(&self, suite: &str) -> usize {
        self.0.get(suite).copied().unwrap_or(0)
    }

    /// What to say if a suite fell below its floor.
    pub(super) fn complaint(&self, suite: &str, passed: usize) -> Option<String> {
        let floor = self.of(suite);
        let below = passed < floor;
        below.then(|| format!("{suite}: {passed} tests passed, the floor is {floor}"))
    }

    /// Raises a suite's floor; it is never lowered.
    pub(super) fn raise(&mut self, suite: &str, passed: usize) {
        if passed > self.of(suite) {
            self.0.insert(suite.to_owned(), passed);
        }
    }

    /// Writes the floors back.
    pub(super) fn write(&self, root: &Path) -> Result {
        let text = format!("{FLOORS_HEAD}\n{}", toml::to_string(&self.0)?);
        Ok(fs::write(root.join(FLOORS), text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;

    #[test]
    fn the_baseline_is_of_the_suites_versions() {
        let baseline = Baseline::read(&command::root()).unwrap();
        for suite in SUITES {
            assert_eq!(
                baseline.0[suite.name].version, suite.version,
                "{}",
                suite.name
            );
        }
    }

    #[test]
    fn a_baseline_test_that_did_not_run_is_missing() {
        let json = r#"{"s": {"version": "1", "passed": {"sync_a": ["x", "y"], "rt": ["z"]}}}"#;
        let baseline = Baseline(serde_json::from_str(json).unwrap());
        let outcomes = Tests::from([
            ("sync_a::x".to_owned(), Outcome::Passed),
            ("sync_a::new".to_owned(), Outcome::Failed),
        ]);
        let share = baseline.share("s", &outcomes, &[]);
        assert_eq!((share.tests.len(), share.passed()), (3, 1));
        assert_eq!(share.count(Outcome::Missing), 2);
        assert_eq!(share.of_files("sync_").tests.len(), 2);
        assert_eq!(
            baseline
                .share("s", &outcomes, &["rt".to_owned()])
                .tests
                .len(),
            1
        );
    }

    #[test]
    fn a_floor_only_rises_and_what_is_below_it_is_told() {
        let mut floors = Floors(BTreeMap::new());
        floors.raise("s", 5);
        floors.raise("s", 3);
        assert_eq!(floors.of("s"), 5);
        assert!(floors.complaint("s", 4).is_some());
        assert!(floors.complaint("s", 5).is_none());
        assert!(floors.complaint("unheard of", 0).is_none());
    }
}
