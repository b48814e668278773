//! The examples in a crate's documentation: gathered into an empty crate, and run there.
//!
//! An example runs against the tokio under test because it is compiled as part of another crate:
//! each documented item becomes an empty struct with the same comment.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::options::Options;
use super::prepare::Workspace;
use super::report::{Outcome, Tests};
use super::suites::Selection;
use crate::Result;

/// A source file with the doc comments of all files below `source` that hold an example.
pub(super) fn items(source: &Path) -> Result<String> {
    let mut out = String::from("#![allow(dead_code, rustdoc::all)]\n");
    let mut count = 0;
    add_folder(source, "", &mut out, &mut count)?;
    Ok(out)
}

/// Runs the examples that are selected, and says what became of each.
pub(super) fn run(
    workspace: &Workspace,
    selection: &Selection<'_>,
    options: &Options,
) -> Result<Tests> {
    let own = env::current_exe()?;
    let runner = [
        own.to_string_lossy().into_owned(),
        "bounded".into(),
        options.timeout_s.to_string(),
    ];
    let runner = format!(
        "target.'cfg(all())'.runner = {}",
        toml::Value::from(runner.to_vec())
    );
    let mut cargo = workspace.cargo(&["test", "--doc", "--no-fail-fast", "--config", &runner]);
    cargo
        .args(&workspace.features)
        .args(["--", "--test-threads", &options.jobs.to_string()])
        .args(filters(workspace, selection)?);
    let output = workspace.log.lines_of(&mut cargo)?;
    fs::write(workspace.folder.join("doctest.out"), &output)?;
    let tests: Tests = output.lines().filter_map(outcome).collect();
    match tests.is_empty() {
        true => Err("no example was run: the crate does not compile".into()),
        false => Ok(tests),
    }
}

/// What libtest is told of the examples that are selected: nothing if all are.
///
/// *Errors*: none is.
fn filters(workspace: &Workspace, selection: &Selection<'_>) -> Result<Vec<String>> {
    if selection.is_whole() {
        return Ok(Vec::new());
    }
    let source = fs::read_to_string(workspace.folder.join("src/lib.rs"))?;
    let modules = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "));
    let modules = modules.filter_map(|rest| rest.strip_suffix(" {"));
    let wanted = modules.filter(|module| selection.wants(module));
    let filters: Vec<String> = wanted.map(|module| format!("- {module}::")).collect();
    match filters.is_empty() {
        true => Err("it has no such examples".into()),
        false => Ok(filters),
    }
}

/// The files of a folder, then its folders, both by name; so items keep their numbers.
fn add_folder(folder: &Path, prefix: &str, out: &mut String, count: &mut usize) -> Result {
    let mut files = Vec::new();
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let into = if entry.file_type()?.is_dir() {
            &mut folders
        } else {
            &mut files
        };
        into.push(name);
    }
    files.sort();
    folders.sort();
    for name in files.iter().filter(|name| !name.starts_with("mocks")) {
        if let Some(stem) = name.strip_suffix(".rs") {
            let text = fs::read_to_string(folder.join(name))?;
            add_file(&identifier(&format!("{prefix}{stem}")), &text, out, count)?;
        }
    }
    let other_builds = ["tests", "loom", "windows"];
    for name in folders
        .iter()
        .filter(|name| !other_builds.contains(&name.as_str()))
    {
        add_folder(&folder.join(name), &format!("{prefix}{name}/"), out, count)?;
    }
    Ok(())
}

fn add_file(module: &str, text: &str, out: &mut String, count: &mut usize) -> Result {
    let mut examples = doc_comments(text);
    examples.retain(|block| {
        block
            .iter()
            .any(|line| line.trim_start().starts_with("```"))
    });
    if examples.is_empty() {
        return Ok(());
    }
    writeln!(out, "pub mod {module} {{")?;
    for block in examples {
        for line in block {
            writeln!(out, "    ///{line}")?;
        }
        writeln!(out, "    pub struct D{count};")?;
        *count += 1;
    }
    writeln!(out, "}}")?;
    Ok(())
}

/// The runs of `///` and `//!` lines, without the slashes; attributes may stand between.
fn doc_comments(text: &str) -> Vec<Vec<&str>> {
    let mut blocks = Vec::new();
    let mut block = Vec::new();
    for line in text.lines() {
        let start = line.trim_start();
        let doc = start
            .strip_prefix("///")
            .or_else(|| start.strip_prefix("//!"));
        let attribute = start.starts_with("#[cfg_attr") || start.starts_with("#[doc");
        match doc.filter(|rest| !rest.starts_with('/')) {
            Some(rest) => block.push(rest.trim_end()),
            None if block.is_empty() || attribute => {}
            None => blocks.push(std::mem::take(&mut block)),
        }
    }
    blocks
}

fn identifier(path: &str) -> String {
    path.chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect()
}

/// Reads a line such as `test src/lib.rs - sync::D7 (line 12) - compile ... ok`.
fn outcome(line: &str) -> Option<(String, Outcome)> {
    let (name, word) = line
        .strip_prefix("test src/lib.rs - ")?
        .rsplit_once(" ... ")?;
    let outcome = match word {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        "ignored" => Outcome::Ignored,
        _ => return None,
    };
    let (item, rest) = name.split_once(" (line ")?;
    let (line, kind) = rest.split_once(')')?;
    Some((format!("{item}:{line}{kind}"), outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_libtest_gives_the_name_and_the_outcome() {
        let read = |line: &str| outcome(line).unwrap();
        let line = "test src/lib.rs - sync_mod::D7 (line 12) - compile ... ok";
        assert_eq!(
            read(line),
            ("sync_mod::D7:12 - compile".to_owned(), Outcome::Passed)
        );
        let line = "test src/lib.rs - a::D1 (line 3) ... FAILED";
        assert_eq!(read(line), ("a::D1:3".to_owned(), Outcome::Failed));
        assert_eq!(outcome("test result: FAILED. 1 passed"), None);
    }

    #[test]
    fn only_comments_with_an_example_become_items() {
        let text = "/// Plain.\nfn a() {}\n/// ```\n#[doc(hidden)]\n/// ```\nfn b() {}\n";
        let (mut out, mut count) = (String::new(), 4);
        add_file("m", text, &mut out, &mut count).unwrap();
        assert_eq!(
            out,
            "pub mod m {\n    /// ```\n    /// ```\n    pub struct D4;\n}\n"
        );
        assert_eq!(count, 5);
    }

    #[test]
    fn rulers_of_slashes_are_not_documentation() {
        assert!(doc_comments("//// no\n// no\nfn a() {}").is_empty());
        assert_eq!(doc_comments("//! yes  \n\n"), [[" yes"]]);
    }
}
