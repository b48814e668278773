//! Building a suite's test targets, each by itself: one that does not compile is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::prepare::Workspace;
use super::suites::Suite;
use crate::Result;
use crate::messages::{self, Message};

/// A target with tests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// The unit tests of the library of this name.
    Library(String),
    /// The file of this name below `tests/`.
    Test(String),
}

/// What came of a build.
#[derive(Default)]
pub(super) struct Built {
    /// Whether each target compiles.
    pub(super) targets: BTreeMap<Target, bool>,
    /// What the compiler said, by target (or by dependency).
    pub(super) errors: BTreeMap<String, Vec<String>>,
}

impl Target {
    /// What reports call it.
    pub(super) fn label(&self) -> String {
        match self {
            Target::Library(name) => format!("lib:{name}"),
            Target::Test(name) => name.clone(),
        }
    }

    /// The words that name it to cargo.
    pub(super) fn flags(&self) -> Vec<&str> {
        match self {
            Target::Library(_) => vec!["--lib"],
            Target::Test(name) => vec!["--test", name],
        }
    }

    fn of(kinds: &[String], name: &str) -> Option<Target> {
        let is = |kind: &str| kinds.iter().any(|have| have == kind);
        if is("test") {
            Some(Target::Test(name.to_owned()))
        } else if is("lib") || is("rlib") {
            Some(Target::Library(name.to_owned()))
        } else {
            None
        }
    }
}

/// Builds the targets whose labels are wanted.
///
/// *Errors*: cargo does not know the package, or none of its targets is wanted.
pub(super) fn build(
    workspace: &Workspace,
    suite: &Suite,
    wants: impl Fn(&str) -> bool,
) -> Result<Built> {
    let mut targets = targets_of(workspace, suite)?;
    let count = targets.len();
    targets.retain(|target, _| wants(&target.label()));
    if targets.is_empty() {
        return Err("it has no such test target".into());
    }
    let mut cargo = workspace.cargo(&["build", "--keep-going", "--message-format", "json"]);
    cargo
        .args(&workspace.features)
        .args(selection(&targets, targets.len() == count));
    let mut built = Built {
        targets,
        errors: BTreeMap::new(),
    };
    let own = workspace.folder.join("Cargo.toml");
    for message in messages::parse(&workspace.log.lines_of(&mut cargo)?) {
        let is_own = message.manifest_path == own;
        built.note(message, is_own);
    }
    Ok(built)
}

/// What to build. For a library's unit tests cargo has only the word that means all tests.
fn selection(targets: &BTreeMap<Target, bool>, is_whole: bool) -> Vec<&str> {
    let has_library = targets
        .keys()
        .any(|target| matches!(target, Target::Library(_)));
    match is_whole || has_library {
        true => vec!["--tests"],
        false => targets.keys().flat_map(Target::flags).collect(),
    }
}

impl Built {
    fn note(&mut self, message: Message, own: bool) {
        if message.test_executable().is_some() {
            let target = Target::of(&message.target.kind, &message.target.name);
            if let Some(done) = target
                .filter(|_| own)
                .and_then(|t| self.targets.get_mut(&t))
            {
                *done = true;
            }
        }
        if let Some(said) = message.message.filter(|said| said.level == "error") {
            let name = message.target.name;
            let name = if own {
                name
            } else {
                format!("dependency {name}")
            };
            self.errors
                .entry(name)
                .or_default()
                .push(said.rendered.unwrap_or_default());
        }
    }
}

/// The targets whose required features are on.
fn targets_of(workspace: &Workspace, suite: &Suite) -> Result<BTreeMap<Target, bool>> {
    let mut cargo = workspace.cargo(&["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Metadata = serde_json::from_str(&workspace.log.output_of(&mut cargo)?)?;
    let package = metadata.packages.first().ok_or("cargo sees no package")?;
    let on = closure(&package.features, suite);
    let runs = |found: &&FoundTarget| {
        found.test
            && found
                .required_features
                .iter()
                .all(|feature| on.contains(feature.as_str()))
    };
    let found = package
        .targets
        .iter()
        .filter(runs)
        .filter_map(|found| Target::of(&found.kind, &found.name));
    Ok(found.map(|target| (target, false)).collect())
}

/// The features that are on: the suite's, the default ones, and what those switch on.
fn closure<'a>(features: &'a BTreeMap<String, Vec<String>>, suite: &Suite) -> BTreeSet<&'a str> {
    let mut on = BTreeSet::new();
    let is_asked = |name: &&String| *name == "default" || suite.features.contains(&name.as_str());
    let mut todo: Vec<&String> = features.keys().filter(is_asked).collect();
    while let Some(name) = todo.pop() {
        if on.insert(name.as_str()) {
            let more = features.get(name).into_iter().flatten();
            todo.extend(more.filter(|more| features.contains_key(*more)));
        }
    }
    on
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<FoundPackage>,
}

#[derive(Deserialize)]
struct FoundPackage {
    features: BTreeMap<String, Vec<String>>,
    targets: Vec<FoundTarget>,
}

#[derive(Deserialize)]
struct FoundTarget {
    name: String,
    kind: Vec<String>,
    #[serde(default)]
    test: bool,
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}
