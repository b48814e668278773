//! One round of programs that measure rows.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::plan::Plan;

/// A side's programs, and how they are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program {
    /// Its name on the page.
    pub(crate) name: &'static str,
    /// What its binaries' names end in.
    pub(crate) binary: &'static str,
    /// Switches of its runtime, if it has some.
    pub(crate) switches: &'static str,
}

impl Program {
    /// One without switches, which is called as its binary is.
    pub(crate) const fn of(binary: &'static str) -> Self {
        Self {
            name: binary,
            binary,
            switches: "",
        }
    }
}

/// What a program says of one row.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) flavor: String,
    pub(crate) unit: String,
    pub(crate) value: f64,
    pub(crate) allocations: Option<f64>,
}

/// Runs each of `programs` once, from those in the folder `binaries`: all that the plan wants.
/// `take` gets the number of one, and what it has measured.
///
/// # Errors
/// Those of running them, and if one fails or says something else.
pub(crate) fn round(
    plan: &Plan,
    binaries: &Path,
    programs: &[Program],
    mut take: impl FnMut(usize, Measured),
) -> io::Result<()> {
    for (at, program) in programs.iter().enumerate() {
        eprintln!("rows: {}", program.name);
        for row in rows(plan, binaries, program)? {
            take(at, row);
        }
    }
    Ok(())
}

fn rows(plan: &Plan, binaries: &Path, program: &Program) -> io::Result<Vec<Measured>> {
    let path = binaries.join(format!("rows-{}", program.binary));
    let output = Command::new(&path)
        .args(plan.short.then_some("--short"))
        .args(plan.parts())
        .arg(format!("--switches={}", program.switches))
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        let said = format!("{}: {}", path.display(), output.status);
        return Err(io::Error::other(said));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(parse).collect()
}

fn parse(line: &str) -> io::Result<Measured> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [name, flavor, unit, value, allocations] = cells[..] else {
        return Err(io::Error::other(format!("not a row: {line}")));
    };
    let number = |cell: &str| cell.parse::<f64>().map_err(io::Error::other);
    Ok(Measured {
        name: name.to_owned(),
        flavor: flavor.to_owned(),
        unit: unit.to_owned(),
        value: number(value)?,
        allocations: Some(number(allocations)?),
    })
}
