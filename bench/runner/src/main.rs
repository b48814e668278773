//! Runs the benchmarks of both sides in turn, in one go, and compares them.
//!
//! `cargo run --release -p bench-runner -- [--quick] [--rounds N] [--against-itself]
//! [--binaries DIR] [FILTER]` writes `RESULTS.md` beside this workspace's manifest, unless there is
//! a filter or it is quick. With `--binaries` it builds nothing and takes what is in `DIR`: two
//! versions of ours, say.

mod echo;
mod poller;
mod table;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use table::{Results, Side};

struct Plan {
    quick: bool,
    rounds: usize,
    against_itself: bool,
    /// Where the binaries are, if they are not to be built.
    binaries: Option<PathBuf>,
    filter: Option<String>,
}

impl Plan {
    fn from_args() -> Result<Self, String> {
        let mut plan = Self {
            quick: false,
            rounds: 3,
            against_itself: false,
            binaries: None,
            filter: None,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => (plan.quick, plan.rounds) = (true, 1),
                "--against-itself" => plan.against_itself = true,
                "--rounds" => {
                    let rounds = args.next().and_then(|rounds| rounds.parse().ok());
                    plan.rounds = rounds.filter(|&rounds| rounds > 0).ok_or("--rounds N")?;
                }
                "--binaries" => {
                    plan.binaries = Some(args.next().ok_or("--binaries DIR")?.into());
                }
                _ if arg.starts_with('-') => return Err(format!("{arg}: no such option")),
                _ => plan.filter = Some(arg),
            }
        }
        Ok(plan)
    }

    /// The name in its binaries of whichever stands for a side.
    fn binary(&self, side: Side) -> &'static str {
        match side {
            Side::Ours if !self.against_itself => "yamanote",
            _ => "published",
        }
    }
}

fn main() -> ExitCode {
    let done = Plan::from_args()
        .map_err(io::Error::other)
        .and_then(|plan| run(&plan));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-runner: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(plan: &Plan) -> io::Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let binaries = match &plan.binaries {
        Some(folder) => folder.clone(),
        None => build(&workspace, plan)?,
    };
    let mut results = Results::default();
    for round in 0..plan.rounds {
        // Not always the same side first: what the first leaves behind would favour the second.
        let sides = [Side::Published, Side::Ours];
        let sides = if round % 2 == 0 {
            sides
        } else {
            [sides[1], sides[0]]
        };
        for side in sides {
            eprintln!(
                "round {} of {}: {}",
                round + 1,
                plan.rounds,
                plan.binary(side)
            );
            rows(plan, &binaries, side, &mut results)?;
        }
        echo::rows(
            plan.quick,
            plan.filter.as_deref(),
            &sides,
            &mut results,
            &|side| binaries.join(format!("echo-{}", plan.binary(side))),
        )?;
    }
    let text = results.to_markdown(plan.rounds, plan.against_itself);
    print!("{text}");
    if plan.filter.is_none() && !plan.quick && !plan.against_itself && plan.binaries.is_none() {
        std::fs::write(workspace.join("RESULTS.md"), text)?;
    }
    Ok(())
}

fn build(workspace: &Path, plan: &Plan) -> io::Result<PathBuf> {
    for side in [Side::Published, Side::Ours] {
        let package = format!("bench-{}", plan.binary(side));
        // Each on its own: the features of one must not change the other.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--release", "-q", "-p", &package])
            .current_dir(workspace)
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!("{package} does not build")));
        }
    }
    let own = std::env::current_exe()?;
    let folder = own
        .parent()
        .ok_or_else(|| io::Error::other("a program is in a folder"))?;
    // Built beside this program, whichever profile that has.
    Ok(folder.with_file_name("release"))
}

fn rows(plan: &Plan, binaries: &Path, side: Side, results: &mut Results) -> io::Result<()> {
    let program = binaries.join(format!("rows-{}", plan.binary(side)));
    let mut command = Command::new(&program);
    command
        .args(plan.quick.then_some("--quick"))
        .args(&plan.filter);
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, flavor, unit, value, allocations] = cells[..] else {
            return Err(io::Error::other(format!("not a row: {line}")));
        };
        let number = |cell: &str| cell.parse::<f64>().map_err(io::Error::other);
        let row = (format!("{name} | {flavor}"), unit.to_owned());
        results.add(row, side, number(value)?, Some(number(allocations)?));
    }
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{}: {}",
        program.display(),
        output.status
    )))
}
