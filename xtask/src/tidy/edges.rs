//! Who may import whom: cargo's view of the workspace against the layer table.

use std::collections::BTreeSet;

use super::{Finding, Project};
use crate::packages::{Dependency, Package, short};

/// A package of ours imports those that the layer table names. Tests import more, and so do the
/// examples in docs, which are written as users write them.
pub(super) fn between_layers(project: &Project) -> Vec<Finding> {
    let ours = names_of_ours(project);
    let layers = &project.config.layers;
    let mut findings = Vec::new();
    for package in &project.packages {
        let Some(layer) = layers.get(package.short_name()) else {
            findings.push(without_place(project, package));
            continue;
        };
        let wrong = |dependency: &&Dependency| {
            let to = short(&dependency.name);
            let listed = layer.imports.iter().any(|name| name == to);
            !dependency.is_dev() && ours.contains(to) && !listed
        };
        let instead = "ask for what is needed through a layer below both";
        findings.extend(package.dependencies.iter().filter(wrong).map(|dependency| {
            let what = format!("`{}` may not import `{}`", package.name, dependency.name);
            finding(project, package, &dependency.name, what, instead)
        }));
    }
    findings
}

/// A package of others is on the list of the package that uses it; tests may use more.
pub(super) fn to_outside(project: &Project) -> Vec<Finding> {
    let ours = names_of_ours(project);
    let instead = "do without, or give its reason in ARCHITECTURE.md and list it";
    let mut findings = Vec::new();
    for package in &project.packages {
        let Some(layer) = project.config.layers.get(package.short_name()) else {
            continue;
        };
        let unlisted = |dependency: &&Dependency| {
            let outside = !dependency.is_dev() && !ours.contains(short(&dependency.name));
            outside && !layer.external.contains(&dependency.name)
        };
        findings.extend(
            package
                .dependencies
                .iter()
                .filter(unlisted)
                .map(|dependency| {
                    let what =
                        format!("`{}` may not depend on `{}`", package.name, dependency.name);
                    finding(project, package, &dependency.name, what, instead)
                }),
        );
    }
    findings
}

fn names_of_ours(project: &Project) -> BTreeSet<&str> {
    project.packages.iter().map(Package::short_name).collect()
}

fn without_place(project: &Project, package: &Package) -> Finding {
    let what = format!("`{}` is not in the layer table", package.name);
    let instead = "give it a place in xtask/tidy.toml and in ARCHITECTURE.md";
    finding(project, package, &package.name, what, instead)
}

/// A finding at the line of the package's manifest that names `word`.
fn finding(
    project: &Project,
    package: &Package,
    word: &str,
    what: String,
    instead: &str,
) -> Finding {
    let manifest = project
        .files
        .iter()
        .find(|file| file.path == package.manifest);
    let text = manifest.map_or("", |file| &file.text);
    let names = |line: &str| line.trim_start_matches('"').starts_with(word);
    let line = text.lines().position(names).map_or(1, |index| index + 1);
    Finding {
        path: package.manifest.clone(),
        line,
        what,
        instead: instead.to_owned(),
    }
}
