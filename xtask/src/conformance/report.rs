//! What came of a suite: files for whoever looks into it, and a table for the screen.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::measure::Share;
use super::suites::Suite;
use crate::Result;

/// Tests by `target::name`.
pub(super) type Tests = BTreeMap<String, Outcome>;

/// What became of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Outcome {
    Passed,
    Failed,
    /// It did not end in time.
    Timeout,
    /// The suite itself leaves it out.
    Ignored,
    /// It passed in some runs.
    Flaky,
    /// It was listed, but not run.
    NotRun,
    /// Its target was not built, or no longer holds it.
    Missing,
}

/// What came of a suite.
#[derive(Serialize)]
pub(super) struct Outcomes {
    /// The suite, and in which variant.
    pub(super) label: String,
    pub(super) suite: &'static str,
    pub(super) version: &'static str,
    /// Whether each target compiles.
    pub(super) targets: BTreeMap<String, bool>,
    /// What the compiler said about those that do not.
    pub(super) errors: BTreeMap<String, Vec<String>>,
    pub(super) tests: Tests,
    /// What kept the suite from being run.
    pub(super) failure: Option<String>,
    pub(super) seconds: u64,
}

/// The parts of a suite that are shown by themselves: files whose names begin so.
const PARTS: &[&str] = &["sync_", "task_", "time_", "tcp_", "udp", "macros_", "rt_"];

const COLUMNS: [(&str, Outcome); 5] = [
    ("failed", Outcome::Failed),
    ("timeout", Outcome::Timeout),
    ("flaky", Outcome::Flaky),
    ("not run", Outcome::NotRun),
    ("missing", Outcome::Missing),
];

impl Outcomes {
    pub(super) fn new(label: String, suite: &Suite) -> Outcomes {
        Outcomes {
            label,
            suite: suite.name,
            version: suite.version,
            targets: BTreeMap::new(),
            errors: BTreeMap::new(),
            tests: Tests::new(),
            failure: None,
            seconds: 0,
        }
    }

    /// Of a target without tests (such assert what types are), that it compiles is the test.
    pub(super) fn count_without_tests(&mut self) {
        let compiled = self.targets.iter().filter(|(_, compiles)| **compiles);
        for (target, _) in compiled {
            let prefix = format!("{target}::");
            if !self.tests.keys().any(|name| name.starts_with(&prefix)) {
                self.tests
                    .insert(format!("{prefix}compiles"), Outcome::Passed);
            }
        }
    }
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Ignored => "ignored",
            other => COLUMNS
                .iter()
                .find(|(_, outcome)| *outcome == other)
                .map_or("", |row| row.0),
        }
    }
}

/// Writes `results/`, `failing/` and `errors/` below the scratch folder, a file a suite.
pub(super) fn write(scratch: &Path, outcomes: &Outcomes, share: &Share) -> Result {
    let write = |folder: &str, ending: &str, text: String| {
        fs::create_dir_all(scratch.join(folder))?;
        fs::write(
            scratch
                .join(folder)
                .join(format!("{}.{ending}", outcomes.label)),
            text,
        )
    };
    write("results", "json", serde_json::to_string_pretty(outcomes)?)?;
    let bad = |outcome: &Outcome| *outcome != Outcome::Passed;
    let failing = share.tests.iter().filter(|(_, outcome)| bad(outcome));
    write(
        "failing",
        "txt",
        failing
            .map(|(name, o)| format!("{:8} {name}\n", o.word()))
            .collect(),
    )?;
    let mut said = String::new();
    for (target, errors) in &outcomes.errors {
        writeln!(
            said,
            "==== {target}: {} errors\n{}",
            errors.len(),
            errors.join("\n")
        )?;
    }
    write("errors", "txt", said)?;
    Ok(())
}

/// What to say about tests that had several outcomes.
pub(super) fn flakes(suite: &str, share: &Share) -> Option<String> {
    let flaky = share.tests.iter().filter(|(_, o)| **o == Outcome::Flaky);
    let names: Vec<&str> = flaky.map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then(|| format!("{suite}: flaky: {}", names.join(", ")))
}

/// Prints the suite's rows.
pub(super) fn print(outcomes: &Outcomes, share: &Share, floor: usize) {
    print!("{}", table(outcomes, share, floor));
}

fn table(outcomes: &Outcomes, share: &Share, floor: usize) -> String {
    let built = outcomes.targets.values().filter(|built| **built).count();
    let mut text = format!("{:14}{:>9}{:>8}", "suite", "baseline", "passed");
    text.push_str(&format!("{:>8}", "share"));
    COLUMNS
        .iter()
        .for_each(|(name, _)| text.push_str(&format!("{name:>9}")));
    text.push('\n');
    text.push_str(&row(&outcomes.label, share));
    for part in PARTS.iter().map(|prefix| (prefix, share.of_files(prefix))) {
        if outcomes.suite == "tokio" && !part.1.tests.is_empty() {
            text.push_str(&row(&format!("  {}*", part.0), &part.1));
        }
    }
    let targets = outcomes.targets.len();
    text.push_str(&format!(
        "  floor {floor}; {built} of {targets} targets built; "
    ));
    text.push_str(&format!("{} s\n", outcomes.seconds));
    if let Some(failure) = &outcomes.failure {
        text.push_str(&format!("  could not be run: {failure}\n"));
    }
    text
}

fn row(name: &str, share: &Share) -> String {
    let (all, passed) = (share.tests.len(), share.passed());
    let percent = 100.0 * passed as f64 / all.max(1) as f64;
    let mut text = format!("{name:14}{all:>9}{passed:>8}{percent:>7.1}%");
    for (_, outcome) in COLUMNS {
        text.push_str(&format!("{:>9}", share.count(outcome)));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::suites::SUITES;

    #[test]
    fn a_target_without_tests_passes_if_it_compiles() {
        let mut outcomes = Outcomes::new("tokio".to_owned(), &SUITES[0]);
        let targets = [("has", true), ("has_none", true), ("has_an_error", false)];
        outcomes.targets = targets.map(|(name, built)| (name.to_owned(), built)).into();
        outcomes.tests = Tests::from([("has::x".to_owned(), Outcome::Failed)]);
        outcomes.count_without_tests();
        let expected = [
            ("has::x".to_owned(), Outcome::Failed),
            ("has_none::compiles".to_owned(), Outcome::Passed),
        ];
        assert_eq!(outcomes.tests, Tests::from(expected));
    }

    #[test]
    fn a_test_with_several_outcomes_is_named() {
        let outcome = |name: &str, outcome| (name.to_owned(), outcome);
        let mut tests = Tests::from([outcome("a::x", Outcome::Passed)]);
        assert_eq!(
            flakes(
                "s",
                &Share {
                    tests: tests.clone()
                }
            ),
            None
        );
        tests.extend([outcome("a::y", Outcome::Flaky)]);
        assert_eq!(
            flakes("s", &Share { tests }).as_deref(),
            Some("s: flaky: a::y")
        );
    }

    #[test]
    fn the_table_shows_parts_shares_and_what_went_wrong() {
        let mut outcomes = Outcomes::new("tokio".to_owned(), &SUITES[0]);
        outcomes.failure = Some("no network".to_owned());
        let tests = Tests::from([
            ("sync_a::x".to_owned(), Outcome::Passed),
            ("rt_b::y".to_owned(), Outcome::Timeout),
        ]);
        let text = table(&outcomes, &Share { tests }, 1);
        assert!(
            text.contains("  sync_*              1       1  100.0%"),
            "{text}"
        );
        assert!(
            text.contains("  rt_*                1       0    0.0%"),
            "{text}"
        );
        assert!(text.contains("could not be run: no network"), "{text}");
    }
}
