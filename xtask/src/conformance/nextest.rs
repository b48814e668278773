//! Running built targets with cargo-nextest: a process and a time limit for each test.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde::Deserialize;

use super::build::Target;
use super::options::Options;
use super::prepare::Workspace;
use super::report::{Outcome, Tests};
use crate::{Failure, Result, command};

/// *Errors*: cargo-nextest is not installed.
pub(super) fn check_installed(root: &Path) -> Result {
    let mut cargo = command::cargo(root);
    let found = command::output_of(cargo.args(["nextest", "--version"]));
    let missing = |_| "install what runs the tests: `cargo install cargo-nextest --locked`".into();
    found.map(drop).map_err(missing)
}

/// Runs the tests of `targets` and says what became of each.
///
/// *Errors*: nextest cannot list them, or leaves no report.
pub(super) fn run(workspace: &Workspace, targets: &[Target], options: &Options) -> Result<Tests> {
    if targets.is_empty() {
        return Ok(Tests::new());
    }
    let store = workspace.folder.join("nextest");
    let config = workspace.folder.join("nextest-conformance.toml");
    fs::write(&config, profile(&store, options.timeout_s))?;
    let nextest = |words: &[&str]| {
        let mut cargo = workspace.cargo(words);
        cargo
            .arg("--config-file")
            .arg(&config)
            .args(&workspace.features);
        cargo.args(targets.iter().flat_map(Target::flags));
        cargo
    };
    let mut list = nextest(&["nextest", "list", "--message-format", "json"]);
    let mut tests = listed(&workspace.log.output_of(&mut list)?)?;
    let jobs = options.jobs.to_string();
    for _ in 0..options.repeat {
        let report = store.join("default/junit.xml");
        if report.exists() {
            fs::remove_file(&report)?;
        }
        let words = ["nextest", "run", "--no-fail-fast", "--test-threads", &jobs];
        let mut run: Command = nextest(&words);
        workspace.log.lines_of(&mut run)?;
        let report = fs::read_to_string(report)
            .map_err(|_| format!("nextest left no report; see {}", workspace.log.0.display()))?;
        note(&mut tests, outcomes(&report)?);
    }
    Ok(tests)
}

/// Adds the outcomes of a run; a test that had another one before is flaky.
fn note(tests: &mut Tests, run: Vec<(String, Outcome)>) {
    for (name, outcome) in run {
        let known = tests.entry(name).or_insert(Outcome::NotRun);
        let first = *known == Outcome::NotRun;
        *known = if first || *known == outcome {
            outcome
        } else {
            Outcome::Flaky
        };
    }
}

fn profile(store: &Path, timeout_s: u64) -> String {
    let store = toml::Value::from(store.to_string_lossy().into_owned());
    let limit = format!("period = \"{timeout_s}s\", terminate-after = 1, grace-period = \"1s\"");
    format!(
        "[store]\ndir = {store}\n\
         [profile.default]\nfail-fast = false\nretries = 0\nslow-timeout = {{ {limit} }}\n\
         status-level = \"none\"\nfinal-status-level = \"none\"\nfailure-output = \"immediate\"\n\
         [profile.default.junit]\npath = \"junit.xml\"\n"
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Listing {
    rust_suites: BTreeMap<String, ListedSuite>,
}

#[derive(Deserialize)]
struct ListedSuite {
    testcases: BTreeMap<String, ListedTest>,
}

#[derive(Deserialize)]
struct ListedTest {
    ignored: bool,
}

fn listed(json: &str) -> Result<Tests> {
    let listing: Listing = serde_json::from_str(json)?;
    let mut tests = Tests::new();
    for (suite, found) in &listing.rust_suites {
        for (name, test) in &found.testcases {
            let outcome = if test.ignored {
                Outcome::Ignored
            } else {
                Outcome::NotRun
            };
            tests.insert(key(suite, name), outcome);
        }
    }
    Ok(tests)
}

/// A test's name in reports: the target, then the test within it.
fn key(suite: &str, test: &str) -> String {
    let target = suite.rsplit("::").next().unwrap_or(suite);
    format!("{target}::{test}")
}

/// The outcomes in a JUnit report.
fn outcomes(xml: &str) -> Result<Vec<(String, Outcome)>> {
    let mut reader = Reader::from_str(xml);
    let mut report = JUnit::default();
    loop {
        match reader.read_event()? {
            Event::Start(element) | Event::Empty(element) => report.element(&element)?,
            Event::Eof => return Ok(report.found),
            _ => {}
        }
    }
}

#[derive(Default)]
struct JUnit {
    suite: String,
    found: Vec<(String, Outcome)>,
}

impl JUnit {
    fn element(&mut self, element: &BytesStart<'_>) -> Result {
        match element.name().as_ref() {
            b"testsuite" => self.suite = attribute(element, "name")?,
            b"testcase" => {
                let name = key(&self.suite, &attribute(element, "name")?);
                self.found.push((name, Outcome::Passed));
            }
            b"failure" | b"error" => {
                let last = self.found.last_mut().ok_or("a failure before any test")?;
                let timeout = attribute(element, "type")?.contains("timeout");
                last.1 = if timeout {
                    Outcome::Timeout
                } else {
                    Outcome::Failed
                };
            }
            _ => {}
        }
        Ok(())
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<String> {
    let found = element.try_get_attribute(name)?;
    let found = found.ok_or_else(|| Failure::from(format!("the report lacks a `{name}`")))?;
    Ok(found
        .normalized_value(XmlVersion::Implicit1_0)?
        .into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"<?xml version="1.0"?>
        <testsuites><testsuite name="tokio-conformance::rt_basic">
        <testcase name="good" time="0.1"/>
        <testcase name="bad"><failure type="test failure with exit code 101">x</failure></testcase>
        <testcase name="slow"><failure type="test timeout"/></testcase>
        </testsuite></testsuites>"#;

    #[test]
    fn a_report_says_what_became_of_each_test() {
        let found = outcomes(REPORT).unwrap();
        let named = |name: &str| found.iter().find(|(key, _)| key == name).unwrap().1;
        assert_eq!(named("rt_basic::good"), Outcome::Passed);
        assert_eq!(named("rt_basic::bad"), Outcome::Failed);
        assert_eq!(named("rt_basic::slow"), Outcome::Timeout);
    }

    #[test]
    fn a_test_with_two_outcomes_is_flaky() {
        let mut tests = Tests::new();
        note(
            &mut tests,
            vec![("a".into(), Outcome::Passed), ("b".into(), Outcome::Passed)],
        );
        note(
            &mut tests,
            vec![("a".into(), Outcome::Failed), ("b".into(), Outcome::Passed)],
        );
        note(&mut tests, vec![("a".into(), Outcome::Passed)]);
        assert_eq!(tests["a"], Outcome::Flaky);
        assert_eq!(tests["b"], Outcome::Passed);
    }

    #[test]
    fn the_listing_tells_ignored_tests_from_the_others() {
        let json = r#"{"rust-suites": {"x::t": {"testcases": {
            "a": {"ignored": true}, "b": {"ignored": false}}}}}"#;
        let tests = listed(json).unwrap();
        assert_eq!(tests["t::a"], Outcome::Ignored);
        assert_eq!(tests["t::b"], Outcome::NotRun);
    }
}
