//! Whether a variant makes a difference: with a switch that nobody reads, every run looks well.

use std::fs;
use std::path::PathBuf;

use toml::Table;

use super::prepare::Workspace;
use super::suites::{Suite, TOKIO};
use super::variants::Variant;
use super::{Rig, manifest};
use crate::Result;
use crate::command::{self, Log};

/// A test that fails if no runtime can be made for it.
const PROBE: &str = "#[tokio::test]\nasync fn it_runs() {}\n";

/// What no variable can be set to.
const NONSENSE: &str = "no-such-way";

/// Makes sure that runtimes read the variant's variable, and take its value on this machine.
///
/// *Errors*: they do not; a refusal is quoted.
pub(super) fn check(rig: &Rig<'_>, suite: &Suite, variant: &Variant) -> Result {
    let Some((name, value)) = variant.environment else {
        return Ok(());
    };
    let log = rig.log("switch");
    fs::write(&log, "")?;
    let mut workspace = Workspace::new(lay_out(rig)?, suite, variant, Log(log), rig)?;
    // What a test that fails says of it belongs to the errors.
    let words = ["test", "-q", "--lib", "--", "--nocapture"];
    let probe = |workspace: &Workspace| command::output_of(&mut workspace.cargo(&words));
    if let Err(why) = probe(&workspace) {
        return Err(format!("{name}={value} is refused here: {why}").into());
    }
    workspace.environment = Some((name, NONSENSE));
    match probe(&workspace) {
        Err(_) => Ok(()),
        Ok(_) => Err(format!(
            "{name}={NONSENSE} is not refused, so {name}={value} may not be read either"
        )
        .into()),
    }
}

/// A test that needs a runtime, with the dependencies that the suites have.
fn lay_out(rig: &Rig<'_>) -> Result<PathBuf> {
    let folder = rig.scratch.join("switch");
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), PROBE)?;
    fs::copy(rig.locks.join("tokio.lock"), folder.join("Cargo.lock"))?;
    let text = format!(
        "[package]\nname = \"switch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n\
         [dependencies.tokio]\nversion = \"={TOKIO}\"\nfeatures = [\"full\", \"test-util\"]\n"
    );
    let mut table: Table = toml::from_str(&text)?;
    table.insert("patch".to_owned(), manifest::patch(&rig.tokio));
    fs::write(folder.join("Cargo.toml"), toml::to_string(&table)?)?;
    Ok(folder)
}
