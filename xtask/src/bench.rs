//! `cargo xtask bench`: the benchmarks, side by side with the published tokio. `bench/runner` does
//! the work, in a workspace of its own.

use crate::{Result, command};

/// Builds and runs the runner, with the arguments as they are.
///
/// *Errors*: it does not build, or it fails; it has said why.
pub fn run(arguments: &[String]) -> Result {
    let bench = command::root().join("bench");
    let mut cargo = command::cargo(&bench);
    cargo.args(["run", "--locked", "--release", "-q", "-p", "bench-runner"]);
    cargo.args(["--bin", "bench-runner", "--"]).args(arguments);
    command::run(&mut cargo)
}
