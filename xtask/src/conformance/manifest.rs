//! The manifests of laid out suites, made from the published ones.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use crate::Result;

/// The manifest of a package, without what is not tested, and without the tests that bring a
/// `main` of their own.
pub(super) fn without_benches(mut manifest: Table) -> Table {
    for unused in ["workspace", "bench", "example", "patch"] {
        manifest.remove(unused);
    }
    if let Some(Value::Table(package)) = manifest.get_mut("package") {
        package.insert("autobenches".to_owned(), false.into());
        package.insert("autoexamples".to_owned(), false.into());
    }
    if let Some(Value::Array(tests)) = manifest.get_mut("test") {
        let has_harness =
            |test: &Value| test.get("harness").and_then(Value::as_bool).unwrap_or(true);
        tests.retain(has_harness);
    }
    manifest
}

/// The manifest of an empty crate with tokio's features and its dev-dependencies; `features` are
/// on by default.
pub(super) fn of_tokio_tests(original: &Table, features: &[&str]) -> Result<Table> {
    let package = table(original, "package")?;
    let string = |key: &str| {
        package
            .get(key)
            .cloned()
            .ok_or(format!("tokio has no {key}"))
    };
    let version = string("version")?;
    let version = version.as_str().ok_or("tokio's version is no string")?;

    let mut about = Table::new();
    about.insert("name".to_owned(), "tokio-conformance".into());
    about.insert("version".to_owned(), "0.0.0".into());
    about.insert("publish".to_owned(), false.into());
    about.insert("edition".to_owned(), string("edition")?);
    // Some tests look for it in the manifest beside them.
    about.insert("homepage".to_owned(), string("homepage")?);

    let needed = table(original, "dependencies")?;
    let mut dependencies = Table::new();
    for name in ["bytes", "pin-project-lite"] {
        let entry = needed.get(name).ok_or(format!("tokio has no {name}"))?;
        dependencies.insert(name.to_owned(), always(entry));
    }
    dependencies.insert("tokio".to_owned(), format!("={version}").into());

    let mut manifest = Table::new();
    manifest.insert("package".to_owned(), about.into());
    manifest.insert(
        "features".to_owned(),
        forwarded_features(original, features)?.into(),
    );
    manifest.insert("dependencies".to_owned(), dependencies.into());
    manifest.insert(
        "dev-dependencies".to_owned(),
        table(original, "dev-dependencies")?.into(),
    );
    let unstable = features.contains(&"tracing");
    manifest.insert(
        "target".to_owned(),
        platform_tests(original, unstable)?.into(),
    );
    Ok(manifest)
}

/// `[patch]` with `tokio` in place of the published one.
pub(super) fn patch(tokio: &Path) -> Value {
    let path = Value::from(tokio.to_string_lossy().into_owned());
    let entry = Table::from_iter([("path".to_owned(), path)]);
    let entries = Table::from_iter([("tokio".to_owned(), entry.into())]);
    Table::from_iter([("crates-io".to_owned(), Value::from(entries))]).into()
}

/// Adds the package of this name, in the folder beside the manifest's, to what tests depend on.
pub(super) fn depend_on_neighbour(manifest: &mut Table, name: &str) {
    let path = Value::from(format!("../{name}"));
    let entry = Table::from_iter([("path".to_owned(), path)]);
    let tests = manifest
        .entry("dev-dependencies")
        .or_insert_with(|| Table::new().into());
    if let Value::Table(tests) = tests {
        tests.insert(name.to_owned(), entry.into());
    }
}

/// Features of tokio's names that switch tokio's on. `full` names implicit ones, too.
fn forwarded_features(original: &Table, default: &[&str]) -> Result<Table> {
    let features = table(original, "features")?;
    let full = features
        .get("full")
        .and_then(Value::as_array)
        .ok_or("tokio has no `full`")?;
    let full: BTreeSet<&str> = full.iter().filter_map(Value::as_str).collect();
    let forward = |name: &str| Value::from(format!("tokio/{name}"));
    let mut forwarded = Table::new();
    let asked = default.iter().filter(|name| **name != "full");
    for name in full.iter().chain(&["test-util"]).chain(asked) {
        forwarded.insert((*name).to_owned(), vec![forward(name)].into());
    }
    let mut all = vec![forward("full")];
    all.extend(full.iter().map(|name| Value::from(*name)));
    forwarded.insert("full".to_owned(), all.into());
    forwarded.insert("default".to_owned(), default.to_vec().into());
    Ok(forwarded)
}

/// The dev-dependencies that only some platforms have; loom is for tokio's unit tests. Tests of
/// what is `unstable` also use what tokio itself depends on then.
fn platform_tests(original: &Table, unstable: bool) -> Result<Table> {
    let mut platforms = Table::new();
    for (platform, entries) in table(original, "target")? {
        let named = |key: &str| entries.get(key).and_then(Value::as_table).cloned();
        let mut tests = named("dev-dependencies").unwrap_or_default();
        if unstable && platform.contains("tokio_unstable") {
            let own = named("dependencies").unwrap_or_default();
            tests.extend(own.into_iter().map(|(name, entry)| (name, always(&entry))));
        }
        if !tests.is_empty() && !platform.contains("loom") {
            let only = Table::from_iter([("dev-dependencies".to_owned(), tests.into())]);
            platforms.insert(platform, only.into());
        }
    }
    Ok(platforms)
}

/// The dependency, optional or not, as one that is not.
fn always(dependency: &Value) -> Value {
    let mut dependency = dependency.clone();
    dependency
        .as_table_mut()
        .map(|entry| entry.remove("optional"));
    dependency
}

fn table(manifest: &Table, key: &str) -> Result<Table> {
    match manifest.get(key) {
        Some(Value::Table(table)) => Ok(table.clone()),
        _ => Err(format!("the published manifest has no [{key}]").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_is_what_tests_depend_on() {
        let mut manifest = Table::new();
        depend_on_neighbour(&mut manifest, "one");
        depend_on_neighbour(&mut manifest, "two");
        let wanted = "[dev-dependencies.one]\npath = \"../one\"\n\n\
                      [dev-dependencies.two]\npath = \"../two\"\n";
        assert_eq!(toml::to_string(&manifest).expect("a table is one"), wanted);
    }
}
