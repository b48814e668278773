//! What an exploration came to, in words: [`Report`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::check::Difference;
use crate::outcome::{Line, Outcome, Scene, time_text};

/// Events of a host that a report shows.
const RECENT_SHOWN: usize = 12;
/// Faults that a report shows.
const FAULTS_SHOWN: usize = 20;

/// All runs of an exploration.
#[derive(Clone, Debug, Default)]
#[must_use = "a report may tell of a failure: see `assert_passed`"]
pub struct Report {
    /// The name of the test.
    pub test: String,
    /// How many seeds were run.
    pub seeds: u64,
    /// How many of them were run a second time, in another process.
    pub checked: u64,
    /// Events and choices of all runs.
    pub steps: u64,
    /// How long it took, in real time.
    pub took: Duration,
    /// What shall sometimes hold, and in how many runs it did.
    pub coverage: BTreeMap<String, u64>,
    /// The first failure; no further seeds were begun after it.
    pub failure: Option<Box<FailureReport>>,
    /// Whether the time for the exploration was up before all seeds were run.
    pub is_cut_short: bool,
}

/// One failure, shrunk if that was asked for.
#[derive(Clone, Debug)]
pub struct FailureReport {
    /// The seed.
    pub seed: u64,
    /// What failed, without particulars.
    pub name: String,
    /// What failed.
    pub text: String,
    /// The run that is shown: the smallest that was found.
    pub outcome: Option<Outcome>,
    /// What shrinking did, if it was tried.
    pub shrinking: Option<Shrinking>,
    /// Where the run first differed from the same run elsewhere.
    pub difference: Option<Difference>,
    /// The trace that replays it.
    pub trace: Option<PathBuf>,
    /// The command that replays it.
    pub replay: Option<String>,
    /// What else there is to say.
    pub remarks: Vec<String>,
}

/// From what to what a run was shrunk.
#[derive(Clone, Debug, Default)]
pub struct Shrinking {
    /// Faults before and after.
    pub faults: [usize; 2],
    /// Hosts that did something, before and after.
    pub hosts: [usize; 2],
    /// Events and choices, before and after.
    pub steps: [u64; 2],
    /// How many candidates were run.
    pub replays: usize,
    /// How long it took.
    pub took: Duration,
}

impl Report {
    /// Panics if a seed failed; the message is the report.
    ///
    /// # Panics
    /// If a seed failed.
    #[track_caller]
    pub fn assert_passed(&self) {
        if let Some(failure) = &self.failure {
            panic!("{failure}");
        }
    }

    /// Counts what a run covered.
    pub(crate) fn cover(&mut self, coverage: &[(String, bool)]) {
        for (name, held) in coverage {
            *self.coverage.entry(name.clone()).or_default() += u64::from(*held);
        }
    }

    /// What never held in any run.
    pub fn uncovered(&self) -> impl Iterator<Item = &str> {
        let never = self.coverage.iter().filter(|(_, count)| **count == 0);
        never.map(|(name, _)| name.as_str())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            test, seeds, steps, ..
        } = self;
        let took = self.took.as_secs_f64();
        write!(f, "sim {test}: {seeds} seeds, {steps} steps in {took:.1} s")?;
        if self.checked > 0 {
            write!(f, ", {} of them checked in another process", self.checked)?;
        }
        if self.is_cut_short {
            f.write_str("; the time was up before the rest")?;
        }
        for (name, count) in &self.coverage {
            let never = if *count == 0 { ": NEVER" } else { "" };
            write!(
                f,
                "\n  sometimes \"{name}\": in {count} of {seeds} runs{never}"
            )?;
        }
        match &self.failure {
            Some(failure) => write!(f, "\n{failure}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for FailureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, text, .. } = self;
        match &self.outcome {
            Some(outcome) => {
                let (now, steps) = (time_text(outcome.now), outcome.steps);
                writeln!(
                    f,
                    "sim: seed {seed:#x} failed at {now}, step {steps}: {text}"
                )?;
            }
            None => writeln!(f, "sim: seed {seed:#x} failed: {text}")?,
        }
        if let Some(shrinking) = &self.shrinking {
            writeln!(f, "  {shrinking}")?;
        }
        if let Some(difference) = &self.difference {
            writeln!(f, "  {difference}")?;
        }
        if let Some(outcome) = &self.outcome {
            outcome.scene.fmt(f)?;
        }
        for remark in &self.remarks {
            writeln!(f, "  {remark}")?;
        }
        if let Some(trace) = &self.trace {
            writeln!(f, "  trace: {}", trace.display())?;
        }
        if let Some(replay) = &self.replay {
            writeln!(f, "  replay: {replay}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Shrinking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            faults,
            hosts,
            steps,
            replays,
            took,
        } = self;
        write!(
            f,
            "shrunk: {} faults -> {}, {} hosts -> {}, {} steps -> {} ({replays} replays, {:.1} s)",
            faults[0],
            faults[1],
            hosts[0],
            hosts[1],
            steps[0],
            steps[1],
            took.as_secs_f64()
        )
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let section = |f: &mut fmt::Formatter<'_>, title: &str, lines: &[Line], most: usize| {
            if lines.is_empty() {
                return Ok(());
            }
            writeln!(f, "  {title}:")?;
            let shown = &lines[lines.len().saturating_sub(most)..];
            shown
                .iter()
                .try_for_each(|line| writeln!(f, "    {} {}", line.time(), line.text))
        };
        section(f, "faults", &self.faults, FAULTS_SHOWN)?;
        section(f, "in force at the end", &self.in_force, FAULTS_SHOWN)?;
        for panic in &self.panics {
            writeln!(f, "  panicked at {}: {}", panic.place, panic.message)?;
        }
        for (host, lines) in &self.recent {
            let title = format!("last events on {host}");
            section(f, &title, lines, RECENT_SHOWN)?;
        }
        if self.parked.is_empty() {
            return Ok(());
        }
        writeln!(f, "  tasks that wait:{}", self.parked)
    }
}
