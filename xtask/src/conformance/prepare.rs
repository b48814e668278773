//! A suite's published source, laid out as a workspace of its own whose tokio is replaced.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use toml::{Table, Value};

use super::suites::{Kind, Platform, Suite};
use super::variants::Variant;
use super::{Rig, docs, manifest};
use crate::Result;
use crate::command::{self, Log};
use crate::wine::Wine;

/// A suite, laid out.
pub(super) struct Workspace {
    /// The folder of its manifest.
    pub(super) folder: PathBuf,
    /// What cargo is told of its features.
    pub(super) features: Vec<String>,
    /// Where cargo's and nextest's own words go.
    pub(super) log: Log,
    /// What tests find in their environment.
    pub(super) environment: Option<(&'static str, &'static str)>,
    target: PathBuf,
    rustflags: String,
    /// What builds for Windows and runs that, if the suite is one for that.
    wine: Option<Wine>,
}

impl Workspace {
    /// *Errors*: what the suite's platform takes is missing.
    pub(super) fn new(
        folder: PathBuf,
        suite: &Suite,
        variant: &Variant,
        log: Log,
        rig: &Rig<'_>,
    ) -> Result<Workspace> {
        // The suites made of tokio's own files have their features on by default.
        let features = match suite.kind == Kind::Package && !suite.features.is_empty() {
            true => vec!["--features".to_owned(), suite.features.join(",")],
            false => Vec::new(),
        };
        let flags = [suite.rustflags, variant.rustflags].into_iter();
        let flags: Vec<&str> = flags.filter(|flags| !flags.is_empty()).collect();
        let rustflags = flags.join(" ");
        let wine = match suite.platform {
            Platform::Own => None,
            Platform::Windows => Some(Wine::new(&rig.scratch)?),
        };
        Ok(Workspace {
            folder,
            features,
            log,
            environment: variant.environment,
            target: rig.scratch.join(target_folder(&rustflags)),
            rustflags,
            wine,
        })
    }

    /// The cargo command `words`, which will run in the workspace.
    pub(super) fn cargo(&self, words: &[&str]) -> Command {
        let mut cargo = command::cargo(&self.folder);
        cargo
            .args(words)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_TEST_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_TERM_COLOR", "never")
            .env("INSTA_UPDATE", "no")
            .env("RUST_BACKTRACE", "0")
            .env("RUSTDOCFLAGS", &self.rustflags)
            .envs(self.environment);
        let flags = format!("{} --cap-lints=warn", self.rustflags);
        match &self.wine {
            None => cargo.env("RUSTFLAGS", flags),
            Some(wine) => wine.equip(&mut cargo, &flags),
        };
        cargo
    }
}

/// The folder for what is built with these flags: cargo keeps only one build of each crate.
fn target_folder(rustflags: &str) -> String {
    let words = rustflags.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    std::iter::once("target")
        .chain(words)
        .collect::<Vec<_>>()
        .join("-")
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    version: String,
    manifest_path: PathBuf,
}

/// The folder with the published source of a package; cargo downloads it if need be.
pub(super) fn published(package: &str, version: &str, scratch: &Path) -> Result<PathBuf> {
    let folder = scratch.join("fetch").join(format!("{package}-{version}"));
    let needs = format!("[workspace]\n[dependencies]\n\"{package}\" = \"={version}\"\n");
    write_empty_package(&folder, "fetch", &needs)?;
    let mut cargo = command::cargo(&folder);
    let output = command::output_of(cargo.args(["metadata", "--format-version", "1"]))?;
    let metadata: Metadata = serde_json::from_str(&output)?;
    let same_version = |found: &str| found.split('+').next() == Some(version);
    let mut found = metadata.packages.into_iter();
    let found = found.find(|found| found.name == package && same_version(&found.version));
    let manifest = found.ok_or_else(|| format!("cargo does not find {package} {version}"))?;
    let folder = manifest.manifest_path.parent();
    Ok(folder.ok_or("a manifest lies in no folder")?.to_owned())
}

/// Writes a package without code, whose manifest ends with `rest`.
fn write_empty_package(folder: &Path, name: &str, rest: &str) -> Result {
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let about = format!("name = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2021\"");
    fs::write(
        folder.join("Cargo.toml"),
        format!("[package]\n{about}\n{rest}"),
    )?;
    Ok(())
}

/// Lays the suite out below the scratch folder; returns the folder of its manifest.
pub(super) fn lay_out(rig: &Rig<'_>, suite: &Suite) -> Result<PathBuf> {
    let source = published(suite.package, suite.version, &rig.scratch)?;
    let above = rig.scratch.join("suites").join(suite.name);
    if above.exists() {
        fs::remove_dir_all(&above)?;
    }
    let folder = above.join("crate");
    fs::create_dir_all(folder.join("src"))?;
    let original: Table = toml::from_str(&fs::read_to_string(source.join("Cargo.toml"))?)?;
    let mut table = match suite.kind {
        Kind::Package => {
            copy_package(&source, &folder)?;
            // Some tests read the file above them.
            if folder.join("README.md").exists() {
                fs::copy(folder.join("README.md"), above.join("README.md"))?;
            }
            manifest::without_benches(original)
        }
        Kind::TokioTests => {
            fs::write(folder.join("src/lib.rs"), "")?;
            copy_folder(&source.join("tests"), &folder.join("tests"))?;
            manifest::of_tokio_tests(&original, suite.features)?
        }
        Kind::TokioDocs => {
            fs::write(folder.join("src/lib.rs"), docs::items(&source.join("src"))?)?;
            manifest::of_tokio_tests(&original, suite.features)?
        }
    };
    for name in suite.unpublished {
        write_empty_package(&above.join(name), name, "")?;
        manifest::depend_on_neighbour(&mut table, name);
    }
    table.insert("workspace".to_owned(), Value::Table(Table::new()));
    table.insert("patch".to_owned(), manifest::patch(&rig.tokio));
    fs::write(folder.join("Cargo.toml"), toml::to_string(&table)?)?;
    let lock = rig.locks.join(format!("{}.lock", suite.name));
    if lock.exists() {
        fs::copy(lock, folder.join("Cargo.lock"))?;
    }
    Ok(folder)
}

/// Resolves the dependencies, makes sure that the only tokio among them is the one under test,
/// and keeps the lock file if there is none yet.
pub(super) fn resolve(rig: &Rig<'_>, suite: &Suite, workspace: &Workspace) -> Result {
    let mut cargo = workspace.cargo(&["metadata", "--format-version", "1"]);
    workspace.log.output_of(cargo.args(&workspace.features))?;
    let path = workspace.folder.join("Cargo.lock");
    let lock: LockFile = toml::from_str(&fs::read_to_string(&path)?)?;
    let tokios = || {
        lock.package
            .iter()
            .filter(|package| package.name == "tokio")
    };
    if !tokios().any(|package| package.source.is_none()) {
        return Err("the patch is not used: its version does not fit what is asked for".into());
    }
    if tokios().any(|package| package.source.is_some() && package.version.starts_with("1.")) {
        return Err("a second tokio 1.x is among the dependencies".into());
    }
    let kept = rig.locks.join(format!("{}.lock", suite.name));
    let keep = rig.options.write_floor || !kept.exists();
    if keep && !rig.options.published {
        fs::create_dir_all(&rig.locks)?;
        fs::copy(path, kept)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct LockFile {
    package: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
    source: Option<String>,
}

/// Copies a package, but not what would fix its tools or its dependencies.
fn copy_package(from: &Path, to: &Path) -> Result {
    copy_folder(from, to)?;
    for entry in fs::read_dir(to)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let fixes = name == "Cargo.lock" || name.starts_with("rust-toolchain");
        if name.starts_with(".cargo") && path.is_dir() {
            fs::remove_dir_all(path)?;
        } else if fixes || name.starts_with(".cargo") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::suites::SUITES;

    #[test]
    fn each_set_of_flags_has_a_target_folder() {
        assert_eq!(target_folder(""), "target");
        assert_eq!(target_folder("--cfg a_b"), "target-cfg-a-b");
    }

    const INDEX: &str = "registry+https://github.com/rust-lang/crates.io-index";

    #[test]
    fn each_suite_has_a_lock_file_of_public_packages() {
        let locks = command::root().join("conformance/locks");
        for suite in SUITES {
            let path = locks.join(format!("{}.lock", suite.name));
            let text = fs::read_to_string(&path).expect("the suite has its lock file");
            let lock: LockFile = toml::from_str(&text).expect("it is one");
            let mut sources = lock
                .package
                .iter()
                .filter_map(|package| package.source.as_ref());
            assert!(sources.all(|source| source == INDEX), "{}", path.display());
        }
    }
}
