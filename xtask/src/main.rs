//! The command line of `cargo xtask`.

#![forbid(unsafe_code)]

use std::env;
use std::process::{Command, ExitCode};
use std::time::Duration;

use xtask::{
    Result, asan, bench, command, conformance, features, likeness, loom, platforms, sim, tidy,
};

const HELP: &str = include_str!("help.txt");

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result {
    let (command, rest) = match arguments {
        [command, rest @ ..] => (command.as_str(), rest),
        [] => ("help", arguments),
    };
    match command {
        "tidy" => tidy::run(rest),
        "conformance" => conformance::run(rest),
        "likeness" => likeness::run(rest),
        "loom" => loom::run(rest),
        "asan" => asan::run(rest),
        "bench" => bench::run(rest),
        "features" => features::run(rest),
        "platforms" => platforms::run(rest),
        "sim" => sim::run(rest),
        "bounded" => bounded(rest),
        "help" | "--help" | "-h" => {
            print!(
                "{}",
                HELP.replace("{variants}", &conformance::table_of_variants())
            );
            Ok(())
        }
        other => Err(format!("no command `{other}`; see `cargo xtask help`").into()),
    }
}

/// `bounded SECONDS PROGRAM ARGUMENTS..`: the runner of doctests, which have no limit of their own.
fn bounded(arguments: &[String]) -> Result {
    let [seconds, program, rest @ ..] = arguments else {
        return Err("bounded wants seconds and a program".into());
    };
    let limit = Duration::from_secs(seconds.parse()?);
    match command::run_bounded(Command::new(program).args(rest), limit)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("{program} failed ({status})").into()),
        None => Err(format!("{program} did not end within {seconds} s").into()),
    }
}
