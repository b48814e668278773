//! Tests that the published tokio passes and that are not to pass here, each with the reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::measure::Share;
use super::report::Outcome;
use super::suites::Suite;
use super::variants::Variant;
use crate::Result;

const EXCEPTIONS: &str = "conformance/exceptions.toml";

/// By suite, or by suite and variant: tests, and why they are not to pass.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Exceptions(BTreeMap<String, BTreeMap<String, String>>);

impl Exceptions {
    /// The exceptions of the project at `root`.
    pub(super) fn read(root: &Path) -> Result<Exceptions> {
        let text = fs::read_to_string(root.join(EXCEPTIONS))
            .map_err(|error| format!("cannot read {EXCEPTIONS}: {error}"))?;
        Ok(toml::from_str(&text)?)
    }

    /// What is not to pass in a suite, however it is run.
    pub(super) fn of_suite(&self, suite: &Suite) -> Vec<&str> {
        self.of(suite.name)
    }

    /// What is not to pass because of what the variant is, with any tokio.
    pub(super) fn of_variant(&self, suite: &Suite, variant: &Variant) -> Vec<&str> {
        match variant.is_usual() {
            true => Vec::new(),
            false => self.of(&variant.label(suite)),
        }
    }

    fn of(&self, label: &str) -> Vec<&str> {
        let tests = self.0.get(label).into_iter().flatten();
        tests.map(|(name, _)| name.as_str()).collect()
    }
}

/// What to say of exceptions that passed.
pub(super) fn passing(label: &str, share: &Share, exceptions: &[&str]) -> Option<String> {
    let passed = |name: &&&str| share.tests.get(**name) == Some(&Outcome::Passed);
    let names: Vec<&str> = exceptions.iter().filter(passed).copied().collect();
    let names = (!names.is_empty()).then(|| names.join(", "))?;
    Some(format!(
        "{label}: passes, take it off {EXCEPTIONS}: {names}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command;
    use crate::conformance::measure::Baseline;
    use crate::conformance::report::Tests;
    use crate::conformance::suites::SUITES;
    use crate::conformance::variants::VARIANTS;

    #[test]
    fn each_exception_is_of_a_suite_and_in_its_baseline_and_has_a_reason() {
        let exceptions = Exceptions::read(&command::root()).unwrap();
        let baseline = Baseline::read(&command::root()).unwrap();
        for (label, tests) in &exceptions.0 {
            let suite = SUITES.iter().find(|suite| {
                let labels = VARIANTS.iter().map(|variant| variant.label(suite));
                labels.into_iter().any(|known| known == *label)
            });
            let suite = suite.unwrap_or_else(|| panic!("no suite and variant {label}"));
            for (name, why) in tests {
                assert!(baseline.holds(suite.name, name), "{label}: {name}");
                assert!(why.len() > 10, "{name}");
            }
        }
    }

    #[test]
    fn a_world_lacks_at_most_five_of_a_hundred_tests_that_are_not_about_the_real_system() {
        let exceptions = Exceptions::read(&command::root()).unwrap();
        let whole = Baseline::read(&command::root()).unwrap().len("tokio");
        let reasons = exceptions.0["tokio@sim"].values();
        let (real, lacking): (Vec<&String>, Vec<&String>) =
            reasons.partition(|why| why.starts_with("the real system: "));
        let most = (whole - real.len()) * 5 / 100;
        assert!(lacking.len() <= most, "{} of at most {most}", lacking.len());
    }

    #[test]
    fn an_exception_that_passes_is_told() {
        let tests = Tests::from([
            ("a::x".to_owned(), Outcome::Passed),
            ("a::y".to_owned(), Outcome::Failed),
        ]);
        let share = Share { tests };
        let said = passing("s", &share, &["a::x", "a::y", "a::z"]).unwrap();
        assert!(said.ends_with("exceptions.toml: a::x"), "{said}");
        assert_eq!(passing("s", &share, &["a::y", "a::z"]), None);
    }
}
