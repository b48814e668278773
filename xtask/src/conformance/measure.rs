//! What outcomes are held against: the tests that the published tokio passes, and the floor.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::report::{Outcome, Outcomes, Tests};
use super::suites::{SUITES, Selection, Suite};
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

    /// How many tests a suite's baseline holds.
    pub(super) fn len(&self, suite: &str) -> usize {
        let suite = self.0.get(suite);
        suite.map_or(0, |suite| suite.passed.values().map(Vec::len).sum())
    }

    /// Whether a suite's baseline holds the test of this name.
    #[cfg(test)]
    pub(super) fn holds(&self, suite: &str, name: &str) -> bool {
        let found = self.0.get(suite).zip(name.split_once("::"));
        found.is_some_and(|(suite, (target, test))| {
            let tests = suite.passed.get(target).into_iter().flatten();
            tests.into_iter().any(|known| known == test)
        })
    }

    /// What became of the baseline of a selection.
    pub(super) fn share(&self, selection: &Selection<'_>, outcomes: &Tests) -> Share {
        let targets = self.0.get(selection.suite.name);
        let targets = targets.into_iter().flat_map(|suite| &suite.passed);
        let targets = targets.filter(|(target, _)| selection.wants(target));
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

    /// Without the tests of these names.
    pub(super) fn without(mut self, names: &[&str]) -> Share {
        self.tests.retain(|name, _| !names.contains(&name.as_str()));
        self
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

/// What to say if fewer tests passed than the floor.
pub(super) fn below(label: &str, passed: usize, floor: usize) -> Option<String> {
    let below = passed < floor;
    below.then(|| format!("{label}: {passed} tests passed, the floor is {floor}"))
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

    /// The floor of a part of a suite, `len` tests of its `whole` baseline: no more of them may be
    /// missing than of the whole.
    pub(super) fn of_part(&self, suite: &str, len: usize, whole: usize) -> usize {
        let forgiven = whole.saturating_sub(self.of(suite));
        len.saturating_sub(forgiven)
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
        let json = r#"{"tokio": {"version": "1", "passed":
            {"sync_a": ["x", "y"], "rt": ["z"]}}}"#;
        let baseline = Baseline(serde_json::from_str(json).unwrap());
        let outcomes = Tests::from([
            ("sync_a::x".to_owned(), Outcome::Passed),
            ("sync_a::new".to_owned(), Outcome::Failed),
        ]);
        let mut selection = Selection {
            suite: &SUITES[0],
            affected_by: None,
            only: &[],
        };
        let share = baseline.share(&selection, &outcomes);
        assert_eq!((share.tests.len(), share.passed()), (3, 1));
        assert_eq!(share.count(Outcome::Missing), 2);
        assert_eq!(share.of_files("sync_").tests.len(), 2);
        assert_eq!(share.without(&["sync_a::x", "rt::no"]).tests.len(), 2);
        let only = ["rt".to_owned()];
        selection.only = &only;
        assert_eq!(baseline.share(&selection, &outcomes).tests.len(), 1);
    }

    #[test]
    fn a_floor_only_rises_and_what_is_below_it_is_told() {
        let mut floors = Floors(BTreeMap::new());
        floors.raise("s", 5);
        floors.raise("s", 3);
        assert_eq!(floors.of("s"), 5);
        assert!(below("s", 4, floors.of("s")).is_some());
        assert!(below("s", 5, floors.of("s")).is_none());
        assert!(below("unheard of", 0, floors.of("unheard of")).is_none());
    }

    #[test]
    fn a_part_may_miss_no_more_than_the_whole() {
        let floors = Floors(BTreeMap::from([("s".to_owned(), 97)]));
        assert_eq!(floors.of_part("s", 100, 100), 97);
        assert_eq!(floors.of_part("s", 20, 100), 17);
        assert_eq!(floors.of_part("s", 2, 100), 0);
    }
}
