//! What the command line asks for.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::choice;
use crate::ratio::PAIRS_MIN;
use crate::served::Slices;
use crate::table::Side;

/// How the runner is called.
pub(crate) const USAGE: &str = "\
bench-runner [--short] [--rounds N] [--lto] [--against-itself] [--binaries DIR] [FILTER]
bench-runner --peers | --tuned [--short] [--rounds N] [FILTER]
bench-runner --echo [--short] [--rounds N] [--connections N] [--binaries DIR] [NAME|NAME ..]
bench-runner --servers [--rounds N] [--connections N] [--against-itself] [--binaries DIR] [FILTER]
bench-runner --sim [--short] [--rounds N] [--binaries DIR] [FILTER]
bench-runner --quick | --write-baseline";

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(crate) enum Task {
    /// Compare, and write the page.
    Compare,
    /// Compare with several, and write the page.
    Field(Field),
    /// Compare servers of the echo with bare loops, and write the page.
    Echo,
    /// Compare, but only servers, in so many rounds.
    Servers,
    /// Compare simulators, and write the page.
    Sim,
    /// Fail if a row costs more instructions than `baseline.toml` says.
    Check,
    /// Write `baseline.toml`.
    WriteBaseline,
}

/// Whom ours is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Other runtimes.
    Peers,
    /// The published tokio, each of its switches turned.
    Tuned,
}

/// The command line.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) task: Task,
    /// Samples are short: for a first look.
    pub(crate) short: bool,
    pub(crate) rounds: usize,
    /// Thin link-time optimisation, of both sides.
    pub(crate) lto: bool,
    pub(crate) against_itself: bool,
    /// Where the binaries are, if they are not to be built.
    pub(crate) binaries: Option<PathBuf>,
    /// How many connections there are, if not each number in turn.
    pub(crate) connections: Option<usize>,
    pub(crate) filter: Option<String>,
}

impl Plan {
    /// # Errors
    /// What is wrong with the arguments, in words.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut plan = Self {
            task: Task::Compare,
            short: false,
            rounds: 3,
            lto: false,
            against_itself: false,
            binaries: None,
            connections: None,
            filter: None,
        };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--echo" => plan.task = Task::Echo,
                "--servers" => plan.task = Task::Servers,
                "--sim" => plan.task = Task::Sim,
                "--quick" => plan.task = Task::Check,
                "--write-baseline" => plan.task = Task::WriteBaseline,
                "--peers" => plan.task = Task::Field(Field::Peers),
                "--tuned" => plan.task = Task::Field(Field::Tuned),
                "--short" => plan.short = true,
                "--lto" => plan.lto = true,
                "--against-itself" => plan.against_itself = true,
                "--rounds" => plan.rounds = positive(args.next()).ok_or("--rounds N")?,
                "--connections" => {
                    plan.connections = Some(positive(args.next()).ok_or("--connections N")?);
                }
                "--binaries" => {
                    plan.binaries = Some(args.next().ok_or("--binaries DIR")?.into());
                }
                _ if arg.starts_with('-') => return Err(format!("{arg}: not of\n{USAGE}")),
                _ => plan.filter = Some(arg),
            }
        }
        Ok(plan)
    }

    /// How many rounds there are, each a pair of which a ratio is made.
    ///
    /// # Errors
    /// When those are too few to tell an interval.
    pub(crate) fn pairs(&self) -> io::Result<usize> {
        match self.rounds {
            rounds @ PAIRS_MIN.. => Ok(rounds),
            _ => Err(io::Error::other(format!("--rounds {PAIRS_MIN} at least"))),
        }
    }

    /// How often each program is driven that is kept, and for how long.
    ///
    /// # Errors
    /// When it is too seldom to tell an interval.
    pub(crate) fn slices(&self) -> io::Result<Slices> {
        let (rounds, bouts_max, ms) = match self.task {
            Task::Servers => (self.pairs()?, 1, 200),
            // There are up to ten.
            Task::Field(_) => (PAIRS_MIN, 1, 100),
            _ => (2 * PAIRS_MIN, 4, 200),
        };
        let time = Duration::from_millis(ms);
        Ok(Slices {
            rounds,
            bouts_max,
            time,
        })
    }

    /// What the rows that are wanted have in their names; nothing, if all are.
    pub(crate) fn parts(&self) -> Vec<&str> {
        match (&self.filter, &self.task) {
            (Some(filter), _) => vec![filter],
            (None, Task::Field(Field::Peers)) => choice::OFFERED.to_vec(),
            (None, Task::Field(Field::Tuned)) => choice::SWITCHED.to_vec(),
            (None, Task::Compare) if self.lto => choice::INLINED.to_vec(),
            _ => Vec::new(),
        }
    }

    /// The name in its binaries of whichever stands for a side.
    pub(crate) fn binary(&self, side: Side) -> &'static str {
        match side {
            Side::Ours if !self.against_itself => "yamanote",
            _ => "published",
        }
    }

    /// Whether the outcome is the one to keep.
    pub(crate) fn is_whole(&self) -> bool {
        self.task != Task::Servers
            && self.filter.is_none()
            && self.connections.is_none()
            && !self.against_itself
            && self.binaries.is_none()
    }

    /// The cargo profile of both sides.
    pub(crate) fn profile(&self) -> &'static str {
        if self.lto { "thin" } else { "release" }
    }
}

fn positive(argument: Option<String>) -> Option<usize> {
    let number = argument?.parse().ok()?;
    (number > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_or_foreign_binaries_make_no_page() {
        let plan = |line: &str| Plan::parse(line.split_whitespace().map(str::to_owned));
        assert!(plan("--rounds 5 --lto").is_ok_and(|plan| plan.is_whole()));
        assert!(plan("mpsc").is_ok_and(|plan| !plan.is_whole()));
        assert!(plan("--servers").is_ok_and(|plan| !plan.is_whole()));
        assert!(plan("--binaries x").is_ok_and(|plan| !plan.is_whole()));
        assert!(plan("--rounds 0").is_err() && plan("--slow").is_err());
    }

    #[test]
    fn a_filter_stands_in_the_place_of_what_is_chosen_for_a_page() {
        let parts = |line: &str| {
            let plan = Plan::parse(line.split_whitespace().map(str::to_owned));
            plan.map(|plan| plan.parts().join(" "))
        };
        assert_eq!(parts("--tuned mpsc").as_deref(), Ok("mpsc"));
        assert!(parts("--tuned").is_ok_and(|all| all.contains("spawn_blocking from 1 ")));
        assert_eq!(parts("").as_deref(), Ok(""));
    }
}
