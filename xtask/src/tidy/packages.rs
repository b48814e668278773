//! The packages of the workspace and what they depend on, as cargo says.

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
}

/// An entry of a manifest's dependencies.
#[derive(Clone, Debug, Deserialize)]
pub struct Dependency {
    /// The package depended on.
    pub name: String,
    /// `dev` or `build`; none if it is an ordinary one.
    pub kind: Option<String>,
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
    cargo.args([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ]);
    let metadata: Metadata = serde_json::from_str(&command::output_of(&mut cargo)?)?;
    let root = root.canonicalize()?;
    let package = |found: MetadataPackage| {
        let manifest = Path::new(&found.manifest_path);
        let manifest = manifest.strip_prefix(&root).unwrap_or(manifest);
        let manifest = manifest.to_string_lossy().replace('\\', "/");
        Package {
            name: found.name,
            manifest,
            dependencies: found.dependencies,
        }
    };
    Ok(metadata.packages.into_iter().map(package).collect())
}
