//! The figures of the README: how many seeds each bug takes, that no fixed form fails, and that a
//! trace is good for another build.
//!
//! `cargo xtask sim gallery` runs them, which takes minutes.

use std::future::Future;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;

use tokio::sim::{self, Explore, Report, Sim};

use crate::{Form, ack, frames, lease, pool, rename, replays, retry, torn, two_phase, vote};

/// How many beginnings are tried, 500 seeds apart.
const BEGINNINGS: u64 = 21;

type World = Pin<Box<dyn Future<Output = ()>>>;

/// The name of a subject, and its world.
type Subject = (&'static str, fn(Sim, Form) -> World);

const SUBJECTS: [Subject; 9] = [
    ("retry", |sim, form| Box::pin(retry::world(sim, form))),
    ("two_phase", |sim, form| {
        Box::pin(two_phase::world(sim, form))
    }),
    ("lease", |sim, form| Box::pin(lease::world(sim, form))),
    ("pool", |sim, form| Box::pin(pool::world(sim, form))),
    ("frames", |sim, form| Box::pin(frames::world(sim, form))),
    ("ack", |sim, form| Box::pin(ack::world(sim, form))),
    ("rename", |sim, form| Box::pin(rename::world(sim, form))),
    ("torn", |sim, form| Box::pin(torn::world(sim, form))),
    ("vote", |sim, form| Box::pin(vote::world(sim, form))),
];

fn explore((name, world): Subject, form: Form, seeds: Range<u64>) -> Report {
    let config = Explore {
        seeds,
        shrink: false,
        ..Explore::new(&format!("{name}_{form:?}"))
    };
    sim::explore(&config, move |sim| world(sim, form))
}

#[test]
#[ignore = "minutes: `cargo xtask sim gallery`"]
fn each_bug_is_found_within_500_seeds_from_wherever_one_begins() {
    for subject in SUBJECTS {
        let mut taken = Vec::new();
        for beginning in 0..BEGINNINGS {
            let first = beginning * 500;
            let report = explore(subject, Form::Buggy, first..first + 500);
            assert!(report.failure.is_some(), "{}: from {first} on", subject.0);
            taken.push(report.seeds);
        }
        taken.sort_unstable();
        let [median, most] = [taken[taken.len() / 2], taken[taken.len() - 1]];
        println!("{}: {median} seeds (median), {most} (at most)", subject.0);
    }
}

#[test]
#[ignore = "minutes: `cargo xtask sim gallery`"]
fn each_fixed_form_passes_2000_seeds() {
    for subject in SUBJECTS {
        let report = explore(subject, Form::Fixed, 0..2_000);
        report.assert_passed();
        println!("{}: {} seeds passed", subject.0, report.seeds);
    }
}

/// This program, built from nothing in a folder of its own, and without optimisation.
fn rebuilt() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rebuilt");
    let mut build = Command::new(env!("CARGO"));
    build.args(["test", "--locked", "--no-run", "--test", "gallery"]);
    build.args(["--message-format", "json", "--target-dir"]);
    let build = build.arg(&folder).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = build.output().expect("cargo starts");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).expect("it is text");
    let program = said.lines().find_map(|line| {
        let (_, path) = line.split_once(r#""executable":""#)?;
        path.split_once('"').map(|(path, _)| PathBuf::from(path))
    });
    program.expect("cargo names the program")
}

#[test]
#[ignore = "builds the program again: `cargo xtask sim gallery`"]
fn a_trace_replays_with_the_same_hash_after_a_rebuild() {
    let program = rebuilt();
    for subject in SUBJECTS {
        let name = subject.0;
        let config = Explore {
            seeds: 0..500,
            ..Explore::new(name)
        };
        let report = sim::explore(&config, move |sim| subject.1(sim, Form::Buggy));
        let failure = report.failure.expect("one of 500 seeds finds the bug");
        replays(&program, name, &failure);
        let hash = failure.outcome.expect("it ran").hash;
        println!("{name}: hash {hash:032x} after a rebuild, too");
    }
}
