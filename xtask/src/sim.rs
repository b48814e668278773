//! `cargo xtask sim`: simulated tests with so many seeds that `cargo test` leaves them out.

use std::time::Duration;

use crate::{Result, command};

/// A name on the command line, and the test programs whose tests that are left out are run.
const SUBJECTS: [(&str, &[&str]); 2] = [
    (
        "gallery",
        &["--package", "yamanote-sim-gallery", "--test", "gallery"],
    ),
    ("station", &["--package", "station", "--test", "sim"]),
];

/// Runs those that are named, or all, optimised, each for at most `--limit` seconds (3600).
///
/// *Errors*: a name is unknown; a test fails, or they do not end in time.
pub fn run(arguments: &[String]) -> Result {
    let (names, limit) = match arguments {
        [names @ .., option, seconds] if option == "--limit" => (names, seconds.parse()?),
        names => (names, 3600),
    };
    let is_known = |name: &String| SUBJECTS.iter().any(|(known, _)| name == known);
    if let Some(name) = names.iter().find(|name| !is_known(name)) {
        return Err(format!("sim knows gallery and station, not `{name}`").into());
    }
    let chosen = |name: &str| names.is_empty() || names.iter().any(|other| other == name);
    for (name, which) in SUBJECTS.iter().filter(|(name, _)| chosen(name)) {
        let mut test = command::cargo(&command::root());
        test.args(["test", "--release"]).args(*which);
        test.args(["--", "--ignored", "--nocapture", "--test-threads=1"]);
        match command::run_bounded(&mut test, Duration::from_secs(limit))? {
            Some(status) if status.success() => {}
            Some(status) => return Err(format!("{name}: {status}").into()),
            None => return Err(format!("{name} did not end within {limit} s").into()),
        }
    }
    Ok(())
}
