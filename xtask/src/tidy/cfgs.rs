//! Where `cfg` may stand: before tests and before a platform's module; elsewhere in listed files.

use std::collections::BTreeSet;

use super::source::{Rust, Token};
use super::{CONFIG, Finding, Project};
use crate::pattern;

/// The words of a `cfg` that asks for the platform alone.
const PLATFORM: &[&str] = &[
    "cfg",
    "all",
    "any",
    "not",
    "unix",
    "windows",
    "target_arch",
    "target_os",
    "target_family",
];

/// What chooses tests or a platform's module may stand anywhere, any other `cfg` only in the files
/// of the list; and each file of the list has one.
pub(super) fn allowed(project: &Project) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = BTreeSet::new();
    for (file, rust) in project.rust() {
        let lines = lines_with_cfg(rust);
        let mut entries = project.config.cfg.keys();
        match entries.find(|entry| pattern::fits(entry, &file.path)) {
            Some(entry) if !lines.is_empty() => drop(used.insert(entry)),
            Some(_) => {}
            None => findings.extend(lines.into_iter().map(|line| {
                let what = "a `cfg` in a file that may have none".to_owned();
                let instead = "choose a whole module where the platforms are told apart";
                file.finding(line, what, instead)
            })),
        }
    }
    let stale = project
        .config
        .cfg
        .keys()
        .filter(|entry| !used.contains(entry));
    findings.extend(
        stale
            .filter(|entry| !entry.contains('*'))
            .map(|entry| Finding {
                path: CONFIG.to_owned(),
                line: 1,
                what: format!("`{entry}` has no `cfg`"),
                instead: "take it off the list".to_owned(),
            }),
    );
    findings
}

/// The lines of `#[cfg(..)]`, `#[cfg_attr(..)]` and `cfg!(..)`, but not of those that choose tests
/// or a platform's module.
fn lines_with_cfg(rust: &Rust) -> Vec<usize> {
    let rows = (0..rust.tokens.len()).map(|at| &rust.tokens[at..]);
    let needs_permission =
        |row: &&[Token]| begins_cfg(row) && !only_tests(row) && !chooses_module(row);
    rows.filter(needs_permission)
        .map(|row| row[0].line)
        .collect()
}

fn begins_cfg(row: &[Token]) -> bool {
    reads(row, &["[", "cfg", "("])
        || reads(row, &["[", "cfg_attr", "("])
        || reads(row, &["cfg", "!", "("])
}

/// Whether what `row` begins with is `cfg(test)` or `cfg(all(test, ..))`.
fn only_tests(row: &[Token]) -> bool {
    reads(row, &["[", "cfg", "(", "test", ")"])
        || reads(row, &["[", "cfg", "(", "all", "(", "test", ","])
}

/// Whether `row` begins with a `cfg` that asks for the platform alone, and a module or its names
/// follow.
fn chooses_module(row: &[Token]) -> bool {
    let end = row
        .iter()
        .position(|token| token.text == "]")
        .unwrap_or(row.len());
    let mut names = row[..end].iter().filter(|token| is_name(&token.text));
    names.all(|token| PLATFORM.contains(&token.text.as_str())) && begins_module(&row[end..])
}

fn is_name(text: &str) -> bool {
    text.starts_with(char::is_alphabetic)
}

/// Whether `mod` or `use` comes after the attribute that ends here, and those that follow it.
fn begins_module(end: &[Token]) -> bool {
    let mut rest = &end[1.min(end.len())..];
    while reads(rest, &["#", "["]) {
        let close = rest
            .iter()
            .position(|token| token.text == "]")
            .unwrap_or(rest.len() - 1);
        rest = &rest[close + 1..];
    }
    if reads(rest, &["pub"]) {
        rest = &rest[1..];
    }
    if reads(rest, &["("]) {
        rest = rest.get(3..).unwrap_or_default();
    }
    reads(rest, &["mod"]) || reads(rest, &["use"])
}

fn reads(row: &[Token], words: &[&str]) -> bool {
    row.len() >= words.len()
        && row
            .iter()
            .zip(words)
            .all(|(token, word)| token.text == *word)
}
