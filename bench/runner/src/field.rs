//! Ours beside several others: the runtimes that offer what a row does, or the published tokio with
//! each of its switches turned.

mod page;

use std::io;
use std::time::Duration;

use crate::Binaries;
use crate::machine;
use crate::plan::{Field, Plan};
use crate::rows::{self, Measured, Program};
use crate::samples::Samples;
use crate::served::{self, Slices};

/// Those that all others are compared with.
const OURS: Program = Program::of("yamanote");
const PUBLISHED: Program = Program::of("published");

const PEERS: [Program; 4] = [
    Program::of("smol"),
    Program::of("monoio"),
    Program::of("glommio"),
    Program::of("compio"),
];

/// Each alone: what a row gains by one, another may lose by it.
const TUNED: [Program; 8] = [
    tuned("enable_alt_timer"),
    tuned("enable_eager_driver_handoff"),
    tuned("enable_sharded_blocking_queue"),
    tuned("enable_io_uring"),
    tuned("disable_lifo_slot"),
    tuned("event_interval=16"),
    tuned("event_interval=1024"),
    tuned("global_queue_interval=1024"),
];

const fn tuned(switches: &'static str) -> Program {
    Program {
        name: switches,
        binary: "tuned",
        switches,
    }
}

/// Measures, and writes the page.
///
/// # Errors
/// What does not build, and those of running it.
pub(crate) fn compare(plan: &Plan, binaries: &Binaries<'_>, field: Field) -> io::Result<()> {
    let folder = binaries.build_packages(match field {
        Field::Peers => &["published", "yamanote", "peers"],
        Field::Tuned => &["published", "yamanote", "tuned"],
    })?;
    let mut programs = vec![PUBLISHED, OURS];
    programs.extend_from_slice(field.others());
    let mut samples = match &plan.kept {
        Some(file) => Samples::read(file)?,
        None => Samples::default(),
    };
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        let mut take = |at: usize, row: Measured| {
            let key = [row.name, row.flavor, row.unit];
            samples.add(programs[at].name, key, row.value);
        };
        rows::round(plan, &folder, &programs, &mut take)?;
        let slices = Slices {
            rounds: 1,
            time: Duration::from_millis(if plan.short { 500 } else { 2000 }),
        };
        served::measure(plan, (&folder, &programs), served::echoes(), slices, take)?;
        // What the one before leaves behind is another's in the next round.
        programs.reverse();
    }
    if let Some(file) = &plan.kept {
        samples.write(file)?;
    }
    let mut how = how(plan, &samples, &machine::about(&binaries.workspace));
    if field == Field::Peers {
        let lock = std::fs::read_to_string(binaries.workspace.join("Cargo.lock"))?;
        let named = PEERS.map(|peer| format!("{} {}", peer.name, version(&lock, peer.name)));
        how = format!("{how}\n{}.", named.join(", "));
    }
    let (name, text) = match field {
        Field::Peers => ("PEERS.md", page::of_peers(&samples, &how)?),
        Field::Tuned => ("TUNED.md", page::of_tuned(&samples, &how)?),
    };
    print!("{text}");
    // In pieces, the last that was measured writes it.
    if plan.is_whole() || plan.kept.is_some() {
        std::fs::write(binaries.workspace.join(name), text)?;
    }
    Ok(())
}

fn how(plan: &Plan, samples: &Samples, about: &str) -> String {
    let length = if plan.short { " short" } else { "" };
    let rounds = samples.rounds();
    format!("cargo's release profile, {rounds}{length} rounds in turn, medians.\n{about}")
}

/// Of a package, what the lock file says.
fn version<'a>(lock: &'a str, package: &str) -> &'a str {
    let (_, from) = lock
        .split_once(&format!("name = \"{package}\"\nversion = \""))
        .unwrap_or_default();
    from.split('"').next().unwrap_or_default()
}

impl Field {
    fn others(self) -> &'static [Program] {
        match self {
            Field::Peers => &PEERS,
            Field::Tuned => &TUNED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_that_of_the_package_of_that_name() {
        let lock = "name = \"a-b\"\nversion = \"1.0\"\n\nname = \"b\"\nversion = \"2.3.4\"\n";
        assert_eq!((version(lock, "b"), version(lock, "c")), ("2.3.4", ""));
    }
}
