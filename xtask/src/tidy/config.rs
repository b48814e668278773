//! `xtask/tidy.toml`, parsed: the limits, the layer table and the allow-lists.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How long and how deep.
    pub limits: Limits,
    /// The first lines of files.
    pub heads: Heads,
    /// By the short name of a package of ours: what it may import.
    pub layers: BTreeMap<String, Layer>,
    /// By file or pattern: why it may contain `cfg`.
    pub cfg: BTreeMap<String, String>,
    /// By file: why it may contain `unsafe`.
    #[serde(rename = "unsafe")]
    pub unsafe_files: BTreeMap<String, String>,
    /// Names and folders that may not occur.
    pub names: Names,
    /// What is said in another way here.
    pub banned: Vec<Banned>,
}

/// How long and how deep things may be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Lines of a file.
    pub file_lines: usize,
    /// Lines of a function, from its signature to its last brace.
    pub function_lines: usize,
    /// Characters of a line.
    pub line_columns: usize,
    /// Levels of indentation in a function; its body is the first.
    pub levels: usize,
    /// The files that are measured.
    pub measured: Vec<String>,
}

/// The comments that files begin with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heads {
    /// Lines of `//!` at the top of a file.
    pub lines: usize,
    /// Files that may have more.
    pub long: Vec<String>,
}

/// What a package of ours may depend on.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// Packages of ours, by their short names.
    pub imports: Vec<String>,
    /// Packages of others.
    pub external: Vec<String>,
}

/// Names and folders that may not occur.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Type names that do not say whose.
    pub bare: Vec<String>,
    /// Words that mark what is left for later.
    pub unfinished: Vec<String>,
    /// Top folders of a machine: no absolute path below one may stand in a file.
    pub machine_folders: Vec<String>,
}

/// Something that is said in another way here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Banned {
    /// Rust tokens that may not stand in a row.
    pub tokens: String,
    /// What to say instead.
    pub say: String,
    /// The files where it holds; everywhere if not given.
    #[serde(default = "everywhere")]
    pub files: Vec<String>,
    /// The files among them where it does not.
    #[serde(default)]
    pub except: Vec<String>,
    /// Whether tests must keep it too.
    #[serde(default)]
    pub tests: bool,
}

impl Config {
    /// Reads the file's text.
    ///
    /// *Errors*: it is not TOML, or a key is missing or unknown.
    pub fn parse(text: &str) -> Result<Config, toml::de::Error> {
        toml::from_str(text)
    }
}

fn everywhere() -> Vec<String> {
    vec!["**".to_owned()]
}
