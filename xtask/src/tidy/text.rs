//! Rules over a file's lines: how long, how they begin, which paths they name.

use super::source::SourceFile;
use super::{CONFIG, Finding, Project};
use crate::pattern;

/// The longest head comment of a layer's `lib.rs` begins with this.
const DISCLAIMER: &str = "Not an API";

/// A Rust file parses.
pub(super) fn parses(project: &Project) -> Vec<Finding> {
    let broken = |file: &SourceFile| {
        let (line, reason) = file.rust.as_ref().err()?;
        Some(file.finding(
            *line,
            format!("this is not Rust: {reason}"),
            "make it compile",
        ))
    };
    project.files.iter().filter_map(broken).collect()
}

/// A file is an idea, and not longer than one.
pub(super) fn file_length(project: &Project) -> Vec<Finding> {
    let limit = project.config.limits.file_lines;
    let too_long = |file: &SourceFile| {
        let count = file.text.lines().count();
        let what = format!("the file has {count} lines, {limit} may be");
        (count > limit).then(|| file.finding(limit + 1, what, "split it by idea"))
    };
    measured(project).filter_map(too_long).collect()
}

/// A line fits on a screen. Markdown, where tables are lines, is not held to it; nor is a comment
/// that is an address.
pub(super) fn line_length(project: &Project) -> Vec<Finding> {
    let limit = project.config.limits.line_columns;
    let mut findings = Vec::new();
    for file in measured(project).filter(|file| !file.path.ends_with(".md")) {
        for (number, line) in numbered(file) {
            let count = line.chars().count();
            if count > limit && !is_address(line) {
                let what = format!("the line has {count} columns, {limit} may be");
                findings.push(file.finding(number, what, "break it"));
            }
        }
    }
    findings
}

/// No file names a folder of the machine it was written on.
pub(super) fn machine_paths(project: &Project) -> Vec<Finding> {
    let folders = &project.config.names.machine_folders;
    let mut findings = Vec::new();
    for file in &project.files {
        for (number, line) in numbered(file) {
            for folder in folders.iter().filter(|folder| names_folder(line, folder)) {
                let what = format!("a path of a machine (below /{folder})");
                findings.push(file.finding(number, what, "use a path from the project's top"));
            }
        }
    }
    findings
}

/// Nothing is marked as left for later.
pub(super) fn unfinished(project: &Project) -> Vec<Finding> {
    let marks = &project.config.names.unfinished;
    let is_mark = |word: &str| marks.iter().any(|mark| mark == word);
    let mut findings = Vec::new();
    for file in measured(project).filter(|file| file.path != CONFIG) {
        for (number, line) in numbered(file) {
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            findings.extend(words.filter(|word| is_mark(word)).map(|mark| {
                let what = format!("something is left for later: {mark}");
                file.finding(number, what, "do it, or open an issue and say nothing here")
            }));
        }
    }
    findings
}

/// A Rust file begins with `//!` lines that say what it is, and they are few.
pub(super) fn head_comment(project: &Project) -> Vec<Finding> {
    let heads = &project.config.heads;
    let mut findings = Vec::new();
    for file in project
        .files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
    {
        if !file.text.starts_with("//!") {
            let what = "the file does not say what it is".to_owned();
            let instead = "begin it with `//!` and one sentence";
            findings.push(file.finding(1, what, instead));
        }
        let prose = prose_of_head(&file.text);
        if prose > heads.lines && !pattern::fits_any(&heads.long, &file.path) {
            let what = format!(
                "the head has {prose} lines of prose, {} may be",
                heads.lines
            );
            let instead = "say it shorter, or beside the code that it is about";
            findings.push(file.finding(1, what, instead));
        }
    }
    findings
}

/// The lines of a file's head; tables, diagrams and empty lines are not counted.
fn prose_of_head(text: &str) -> usize {
    let head = text.lines().map_while(|line| line.strip_prefix("//!"));
    let mut in_diagram = false;
    let mut count = 0;
    for line in head.map(str::trim) {
        let fence = line.starts_with("```");
        in_diagram ^= fence;
        let skipped = fence || in_diagram || line.is_empty() || line.starts_with('|');
        count += usize::from(!skipped);
    }
    count
}

/// A layer's `lib.rs` says in its first line that programs are not to name it.
pub(super) fn not_an_api(project: &Project) -> Vec<Finding> {
    let layers = project
        .packages
        .iter()
        .filter(|package| package.name != package.short_name());
    let heads: Vec<String> = layers
        .filter(|package| package.manifest.starts_with("crates/"))
        .map(|package| format!("{}src/lib.rs", package.folder()))
        .collect();
    let silent = |file: &&SourceFile| {
        let first = file.text.lines().next().unwrap_or("");
        heads.contains(&file.path) && !first.contains(DISCLAIMER)
    };
    let what = || format!("the layer does not say `{DISCLAIMER}`");
    let instead = "begin with `//! Not an API: a layer of yamanote.`";
    project
        .files
        .iter()
        .filter(silent)
        .map(|file| file.finding(1, what(), instead))
        .collect()
}

fn measured(project: &Project) -> impl Iterator<Item = &SourceFile> {
    let patterns = &project.config.limits.measured;
    project
        .files
        .iter()
        .filter(|file| pattern::fits_any(patterns, &file.path))
}

fn numbered(file: &SourceFile) -> impl Iterator<Item = (usize, &str)> {
    file.text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

fn is_address(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let comment = words
        .next()
        .is_some_and(|word| word.starts_with("//") || word == "#");
    comment && words.next().is_some_and(|word| word.contains("://")) && words.next().is_none()
}

/// Whether an absolute path below `/folder/` stands in the line.
fn names_folder(line: &str, folder: &str) -> bool {
    let needle = format!("/{folder}/");
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '}' | '*' | '~');
    line.match_indices(&needle)
        .any(|(at, _)| !line[..at].ends_with(goes_on))
}
