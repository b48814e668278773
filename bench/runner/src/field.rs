//! Ours beside several others: the runtimes that offer what a row does, or the published tokio with
//! each of its switches turned.

mod page;

use std::io;

use crate::Binaries;
use crate::machine;
use crate::plan::{Field, Plan};
use crate::ratio::PAIRS_MIN;
use crate::rows::{self, Measured, Program};
use crate::samples::Samples;
use crate::served;

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
    let mut samples = Samples::default();
    let mut add = |program: Program, row: Measured| {
        samples.add(program.name, [row.name, row.flavor, row.unit], row.value);
    };
    for round in 0..plan.rounds {
        eprintln!("round {} of {}", round + 1, plan.rounds);
        rows::round(plan, &folder, &programs, |at, row| add(programs[at], row))?;
        // What the one before leaves behind is another's in the next round.
        programs.reverse();
    }
    let (kept, slices) = ((&*folder, &programs[..]), plan.slices()?);
    served::measure(plan, kept, slices, |at, row| add(programs[at], row))?;
    let mut how = how(plan, &machine::about(&binaries.workspace));
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
    if plan.is_whole() {
        std::fs::write(binaries.workspace.join(name), text)?;
    }
    Ok(())
}

fn how(plan: &Plan, about: &str) -> String {
    let length = if plan.short { " short" } else { "" };
    format!(
        "cargo's release profile, {}{length} rounds in turn, and {PAIRS_MIN} of what is kept and \
         driven;\nmedians. {about}",
        plan.rounds
    )
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
