//! `cargo xtask tidy`: the mechanical part of STYLE.md, checked.
//!
//! [`Project`] is what there is to check: the files that git knows or would add, the packages of
//! the workspace, the lists in `xtask/tidy.toml`. A rule is a function from it to findings.

pub mod config;
pub mod source;

mod cfgs;
mod edges;
mod safety;
mod shape;
mod text;
mod words;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::packages::{self, Package};
use crate::{Result, command};
use config::Config;
use source::SourceFile;

/// Everything that the rules look at.
pub struct Project {
    /// The text files, in the order of their paths.
    pub files: Vec<SourceFile>,
    /// The packages of the workspace.
    pub packages: Vec<Package>,
    /// The limits, edges and allow-lists.
    pub config: Config,
}

/// A place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, from the project's top directory.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub instead: String,
}

/// A point of the style guide: all places in the project that break it.
pub type Rule = fn(&Project) -> Vec<Finding>;

/// The file with the limits, edges and allow-lists.
pub const CONFIG: &str = "xtask/tidy.toml";

/// Every rule, with its name.
pub const RULES: &[(&str, Rule)] = &[
    ("files parse", text::parses),
    ("files are short", text::file_length),
    ("lines are short", text::line_length),
    ("no file names a folder of a machine", text::machine_paths),
    ("nothing is left for later", text::unfinished),
    ("a file begins with what it is", text::head_comment),
    ("a layer says that it is not an API", text::not_an_api),
    ("functions are short", shape::function_length),
    ("functions are flat", shape::levels),
    ("the oldest compiler knows the syntax", shape::let_chains),
    ("types say whose they are", shape::bare_names),
    ("what has a better word is not said", words::banned),
    ("cfg chooses modules", cfgs::allowed),
    ("unsafe stands in listed files", safety::allowed),
    ("other crates forbid unsafe", safety::forbidden_elsewhere),
    ("unsafe blocks name their fact", safety::commented),
    ("unsafe functions say what they ask", safety::documented),
    ("layers import downwards", edges::between_layers),
    ("crates of others are listed", edges::to_outside),
];

impl Project {
    /// The project below `root`, read from its files.
    ///
    /// *Errors*: git or cargo cannot be run there, or [`CONFIG`] cannot be read.
    pub fn read(root: &Path) -> Result<Project> {
        let text = fs::read_to_string(root.join(CONFIG))
            .map_err(|error| format!("cannot read {CONFIG}: {error}"))?;
        let config = Config::parse(&text).map_err(|error| format!("{CONFIG}: {error}"))?;
        Ok(Project {
            files: read_files(root)?,
            packages: packages::read(root)?,
            config,
        })
    }

    /// The findings of all rules in the files that lie at or below `paths`; everywhere if there
    /// are none.
    pub fn check(&self, paths: &[String]) -> Vec<Finding> {
        let wanted = |finding: &Finding| {
            paths.is_empty() || paths.iter().any(|path| lies_below(&finding.path, path))
        };
        let all = RULES.iter().flat_map(|(_, rule)| rule(self));
        let mut findings: Vec<Finding> = all.filter(wanted).collect();
        findings.sort();
        findings.dedup();
        findings
    }

    /// The files that are Rust and parse, each with its syntax.
    fn rust(&self) -> impl Iterator<Item = (&SourceFile, &source::Rust)> {
        self.files
            .iter()
            .filter_map(|file| Some((file, file.rust.as_ref().ok()?.as_ref()?)))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding {
            path,
            line,
            what,
            instead,
        } = self;
        write!(f, "{path}:{line}: {what}; {instead}")
    }
}

/// Checks the project and prints what was found; `--rules` prints what would be checked.
///
/// *Errors*: there are findings, or the project cannot be read.
pub fn run(paths: &[String]) -> Result {
    if paths == ["--rules"] {
        RULES.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(());
    }
    let project = Project::read(&command::root())?;
    let paths: Vec<String> = paths.iter().map(|path| normal(path)).collect();
    let findings = project.check(&paths);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(format!("{count} places to tidy").into()),
    }
}

/// A path as typed, without the `./` and `/` around it.
fn normal(path: &str) -> String {
    path.trim_start_matches("./")
        .trim_end_matches('/')
        .to_owned()
}

fn lies_below(path: &str, folder: &str) -> bool {
    folder == "."
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What git tracks, and what it would add: neither what is ignored nor what is not text.
fn read_files(root: &Path) -> Result<Vec<SourceFile>> {
    let mut git = Command::new("git");
    git.current_dir(root).args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let listed = command::output_of(&mut git)?;
    let mut paths: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
    paths.sort_unstable();
    paths.dedup();
    let text = |path: &&str| fs::read_to_string(root.join(path)).ok();
    Ok(paths
        .iter()
        .filter_map(|path| Some(SourceFile::new(path, text(path)?)))
        .collect())
}

#[cfg(test)]
mod tests;
