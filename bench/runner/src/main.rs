//! Runs the benchmarks of both sides in turn, in one go, and compares them: `cargo xtask bench`.
//!
//! Writes `RESULTS.md` (with `--lto`: `RESULTS-LTO.md`), `ratios.svg` and `growths.svg` beside this
//! workspace's manifest, unless only a part was asked for. `--against-itself` shows the noise. With
//! `--binaries` it builds nothing and takes what is in that folder: two versions of ours, say.
//! `--peers` compares with other runtimes, `--tuned` with tokio and its switches: `PEERS.md` and
//! `TUNED.md`. These, and that with `--lto`, have the rows that `choice` says. `--echo` compares
//! with loops without a runtime: `ECHO.md`; `--servers` measures the rows of kept programs alone;
//! `--sim` compares simulated worlds with turmoil's: `SIM.md`. `--quick` measures no time: it fails
//! if a row costs more instructions than `baseline.toml` says.

mod baseline;
mod choice;
mod client;
mod cores;
mod counts;
mod echo;
mod field;
mod floor;
mod machine;
mod plan;
mod plot;
mod process;
#[path = "../../src/ratio.rs"]
mod ratio;
mod rows;
mod samples;
mod served;
mod sim;
mod table;
mod turns;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use baseline::Baseline;
use plan::{Plan, Task};
use rows::{Measured, Program};
use table::{Results, Side};

fn main() -> ExitCode {
    let done = Plan::parse(std::env::args().skip(1))
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
    let binaries = Binaries { workspace, plan };
    match plan.task {
        Task::Compare | Task::Servers => compare(plan, &binaries),
        Task::Field(field) => field::compare(plan, &binaries, field),
        Task::Echo => echo_beside_floor(plan, &binaries),
        Task::Sim => simulators(plan, &binaries),
        Task::Check => check(&binaries),
        Task::WriteBaseline => {
            let pairs = binaries.count_both()?;
            let baseline = Baseline::new(machine::rustc(), pairs);
            std::fs::write(binaries.baseline(), baseline.to_toml())
        }
    }
}

fn compare(plan: &Plan, binaries: &Binaries<'_>) -> io::Result<()> {
    let slices = plan.slices()?;
    let mut sides = [Side::Published, Side::Ours];
    let folder = binaries.build(&sides)?;
    let mut results = Results::default();
    let mut take = |side, row: Measured| {
        let name = (format!("{} | {}", row.name, row.flavor), row.unit);
        results.add(name, side, row.value, row.allocations);
    };
    if plan.task == Task::Compare {
        for round in 0..plan.rounds {
            eprintln!("round {} of {}", round + 1, plan.rounds);
            let programs = sides.map(|side| Program::of(plan.binary(side)));
            rows::round(plan, &folder, &programs, |at, row| take(sides[at], row))?;
            // Not always the same first: what that leaves behind would favour the second.
            sides.reverse();
        }
    }
    let programs = sides.map(|side| Program::of(plan.binary(side)));
    let servers = (&*folder, &programs[..]);
    served::measure(plan, servers, slices, |at, row| take(sides[at], row))?;
    if plan.task == Task::Compare {
        if let Some(counts) = binaries.counts()? {
            results.add_instructions(&counts);
        }
    }
    let text = results.to_markdown(&how(plan, &binaries.workspace));
    print!("{text}");
    if plan.is_whole() {
        let page = if plan.lto {
            "RESULTS-LTO.md"
        } else {
            let ratios = plot::ratios(&results.to_bars());
            std::fs::write(binaries.workspace.join("ratios.svg"), ratios)?;
            let growths = plot::growths(&results.to_growths());
            std::fs::write(binaries.workspace.join("growths.svg"), growths)?;
            "RESULTS.md"
        };
        std::fs::write(binaries.workspace.join(page), text)?;
    }
    Ok(())
}

/// The echo beside loops that do nothing else.
fn echo_beside_floor(plan: &Plan, binaries: &Binaries<'_>) -> io::Result<()> {
    let folder = binaries.build(&[Side::Published, Side::Ours])?;
    if plan.binaries.is_none() {
        binaries.cargo_build(&binaries.workspace, &["-p", "bench-floor"], "")?;
    }
    let text = floor::page(plan, &folder, &machine::about(&binaries.workspace))?;
    print!("{text}");
    if plan.is_whole() {
        std::fs::write(binaries.workspace.join("ECHO.md"), text)?;
    }
    Ok(())
}

/// Simulated worlds beside turmoil's.
fn simulators(plan: &Plan, binaries: &Binaries<'_>) -> io::Result<()> {
    let folder = binaries.build_packages(&["turmoil"])?;
    if plan.binaries.is_none() {
        binaries.build_http()?;
    }
    let text = sim::page(plan, &folder, &machine::about(&binaries.workspace))?;
    print!("{text}");
    if plan.is_whole() {
        let page = binaries.workspace.join("SIM.md");
        let kept = std::fs::read_to_string(&page).unwrap_or_default();
        std::fs::write(page, sim::renewed(&kept, &text))?;
    }
    Ok(())
}

/// Fails if a row of ours costs more instructions than was written down.
fn check(binaries: &Binaries<'_>) -> io::Result<()> {
    if !counts::is_possible() {
        return Err(io::Error::other("valgrind is needed: install it"));
    }
    let baseline = Baseline::read(&binaries.baseline())?;
    let risen = if baseline.rustc == machine::rustc() {
        baseline.risen(&binaries.count(Side::Ours)?)
    } else {
        println!("another compiler than {}", baseline.rustc);
        baseline.risen_in_share(&binaries.count_both()?)
    };
    if risen.is_empty() {
        println!("no row costs more instructions than `baseline.toml` says");
        return Ok(());
    }
    let fault = format!(
        "{}\nif that is worth it, say why, and `cargo xtask bench --write-baseline`",
        risen.join("\n")
    );
    Err(io::Error::other(fault))
}

/// A sentence or three on how it was measured.
fn how(plan: &Plan, workspace: &Path) -> String {
    let ours = if plan.against_itself {
        "the same again"
    } else {
        "yamanote"
    };
    let length = if plan.short { " short" } else { "" };
    let lto = if plan.lto {
        "thin link-time optimisation"
    } else {
        "cargo's release profile"
    };
    format!(
        "The published tokio 1.54.1 and {ours}: the same source with {lto}, {}{length} rounds in \
         turn,\nmedians; what is kept in slices of 0.2 s in turn, four times as many where the \
         ratios scatter. {}",
        plan.rounds,
        machine::about(workspace)
    )
}

/// The benchmarks' programs.
struct Binaries<'a> {
    workspace: PathBuf,
    plan: &'a Plan,
}

impl Binaries<'_> {
    fn baseline(&self) -> PathBuf {
        self.workspace.join("baseline.toml")
    }

    /// Builds the programs of `sides`, unless there are some; where they are.
    fn build(&self, sides: &[Side]) -> io::Result<PathBuf> {
        let names: Vec<&str> = sides.iter().map(|&side| self.plan.binary(side)).collect();
        let folder = self.build_packages(&names)?;
        if names.contains(&"yamanote") && self.plan.binaries.is_none() {
            self.build_http()?;
        }
        Ok(folder)
    }

    /// What is on ours with axum: in a workspace of its own, for what is patched there.
    fn build_http(&self) -> io::Result<()> {
        let http = self.workspace.join("http");
        self.cargo_build(&http, &["--target-dir", "../target"], "")
    }

    /// Builds those packages, unless there are programs; where they are.
    fn build_packages(&self, names: &[&str]) -> io::Result<PathBuf> {
        if let Some(folder) = &self.plan.binaries {
            return Ok(folder.clone());
        }
        for name in names {
            let package = format!("bench-{name}");
            let flags = match *name {
                "tuned" => "--cfg tokio_unstable",
                _ => "",
            };
            // Each on its own: the features of one must not change the other.
            self.cargo_build(&self.workspace, &["-p", &package], flags)?;
        }
        let own = std::env::current_exe()?;
        let folder = own
            .parent()
            .ok_or_else(|| io::Error::other("a program is in a folder"))?;
        // Built beside this program, whichever profile that has.
        Ok(folder.with_file_name(self.plan.profile()))
    }

    fn cargo_build(&self, workspace: &Path, what: &[&str], flags: &str) -> io::Result<()> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        if !flags.is_empty() {
            build.env("RUSTFLAGS", flags);
        }
        let status = build
            .args(["build", "--locked", "-q", "--profile", self.plan.profile()])
            .args(what)
            .current_dir(workspace)
            .status()?;
        match status.success() {
            true => Ok(()),
            false => Err(io::Error::other(format!("{what:?} does not build"))),
        }
    }

    /// Instructions an operation of one side's rows.
    fn count(&self, side: Side) -> io::Result<counts::Counts> {
        let folder = self.build(&[side])?;
        let program = folder.join(format!("rows-{}", self.plan.binary(side)));
        counts::of(&program, &self.plan.parts())
    }

    /// Of both sides, for the table; in a short run those that were written down, if they are of
    /// this compiler and this profile.
    fn counts(&self) -> io::Result<Option<counts::Pairs>> {
        if self.plan.short && !self.plan.lto {
            let baseline = Baseline::read(&self.baseline())?;
            let is_ours = baseline.rustc == machine::rustc();
            return Ok(is_ours.then(|| baseline.into_pairs()));
        }
        if !counts::is_possible() {
            eprintln!("without valgrind no instructions are counted");
            return Ok(None);
        }
        eprintln!("counting instructions");
        self.count_both().map(Some)
    }

    /// Of both sides: the published tokio's and ours.
    fn count_both(&self) -> io::Result<counts::Pairs> {
        let published = self.count(Side::Published)?;
        Ok(counts::pairs(published, self.count(Side::Ours)?))
    }
}
