//! The packages of the workspace, their targets and what they depend on, as cargo says.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::{Result, command};

/// A package of the workspace.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its manifest, from the project's top directory.
    pub manifest: String,
    /// What its manifest names.
    pub dependencies: Vec<Dependency>,
    /// The names of its features.
    pub features: Vec<String>,
    /// The names of the files below `tests/`.
    pub tests: Vec<String>,
}

/// An entry of a manifest's dependencies.
#[derive(Clone, Debug, Deserialize)]
pub struct Dependency {
    /// The package depended on.
    pub name: String,
    /// `dev` or `build`; none if it is an ordinary one.
    pub kind: Option<String>,
}

impl Package {
    /// The name in the layer table: without `yamanote-`.
    pub fn short_name(&self) -> &str {
        short(&self.name)
    }

    /// The folder that holds the package, ending in `/`.
    pub fn folder(&self) -> &str {
        self.manifest
            .strip_suffix("Cargo.toml")
            .unwrap_or(&self.manifest)
    }
}

impl Dependency {
    /// Whether only tests, benches and examples see it.
    pub fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// A package's name in the layer table.
pub fn short(name: &str) -> &str {
    name.strip_prefix("yamanote-").unwrap_or(name)
}

/// The packages of the workspace at `root`.
///
/// *Errors*: cargo cannot read the workspace.
pub fn read(root: &Path) -> Result<Vec<Package>> {
    let mut cargo = command::cargo(root);
    cargo.args(["metadata", "--format-version", "1", "--no-deps"]);
    let metadata: Metadata = serde_json::from_str(&command::output_of(&mut cargo)?)?;
    let root = root.canonicalize()?;
    let packages = metadata.packages.into_iter();
    Ok(packages.map(|package| package.relative_to(&root)).collect())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
    features: BTreeMap<String, Vec<String>>,
    targets: Vec<MetadataTarget>,
}

#[derive(Deserialize)]
struct MetadataTarget {
    name: String,
    kind: Vec<String>,
}

impl MetadataPackage {
    fn relative_to(self, root: &Path) -> Package {
        let manifest = Path::new(&self.manifest_path);
        let manifest = manifest.strip_prefix(root).unwrap_or(manifest);
        let is_test = |target: &MetadataTarget| target.kind.iter().any(|kind| kind == "test");
        let tests = self.targets.into_iter().filter(is_test);
        Package {
            name: self.name,
            manifest: manifest.to_string_lossy().replace('\\', "/"),
            dependencies: self.dependencies,
            features: self.features.into_keys().collect(),
            tests: tests.map(|target| target.name).collect(),
        }
    }
}
