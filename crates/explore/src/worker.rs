//! Other processes that run seeds: the same program, called again with a job in its environment.
//!
//! ```text
//!  parent: spawn(job) ──▶ child: explore() finds the job, does it, prints lines, exits
//!     ▲                                             │
//!     └──── messages ◀── a thread that reads ◀──────┘   `@sim ran 0x7 HASH STEPS FAILURE`
//! ```

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use yamanote_runtime::sim::SimOptions;

use crate::environment::{JOB, JOB_TEST, REPLAY};
use crate::explore::Explore;
use crate::outcome::Outcome;
use crate::run::{Test, run};
use crate::seeds::{self, Seeds};

/// What a line for the parent begins with.
const MARK: &str = "@sim ";

/// What the child's surroundings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surroundings {
    /// As here.
    Same,
    /// Another environment, and addresses at random where the system does that.
    Other,
}

/// What a child is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Run each `of`th seed, beginning with the `first`th.
    Seeds { first: usize, of: usize },
    /// Run a seed and write its records to a file.
    Records { seed: u64, file: PathBuf },
}

/// Whose job the environment holds.
#[derive(Debug)]
pub(crate) enum Asked {
    /// This test's.
    Mine(Job),
    /// Another test's: this one is to do nothing.
    Others,
    /// Nobody's.
    Nothing,
}

/// What a run came to, as another process tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) seed: u64,
    pub(crate) hash: u128,
    pub(crate) steps: u64,
    pub(crate) failure: Option<String>,
    pub(crate) coverage: Vec<(String, bool)>,
}

/// What comes from where seeds are run.
#[derive(Debug)]
pub(crate) enum Message {
    Ran(Lane, Ran),
    /// There is no more from one of them: all was done, or why not.
    Ended(Result<(), String>),
}

/// Where a seed was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// For the first time.
    First(usize),
    /// Again, to see whether it is the same.
    Again(usize),
}

/// Child processes, which are killed when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Children(Vec<Child>);

impl From<&Outcome> for Ran {
    fn from(outcome: &Outcome) -> Self {
        Self {
            seed: outcome.seed,
            hash: outcome.hash,
            steps: outcome.steps,
            failure: outcome.failure_name().map(str::to_owned),
            coverage: outcome.coverage.clone(),
        }
    }
}

/// The job that the environment has for `test`.
pub(crate) fn asked(test: &str) -> Asked {
    let (Ok(job), Ok(of)) = (std::env::var(JOB), std::env::var(JOB_TEST)) else {
        return Asked::Nothing;
    };
    match Job::parse(&job) {
        Some(job) if of == test => Asked::Mine(job),
        _ => Asked::Others,
    }
}

/// Does `job` and ends the process.
pub(crate) fn work(config: &Explore, test: &Test, seeds: &Seeds, job: &Job) -> ! {
    let done = match job {
        Job::Seeds { first, of } => {
            let mut mine = seeds.iter().skip(*first).step_by(*of);
            mine.try_for_each(|seed| {
                let outcome = run(test, config.options(seed));
                tell(&Ran::from(&outcome).to_line())
            })
        }
        Job::Records { seed, file } => {
            let options = SimOptions {
                keeps_records: true,
                ..config.options(*seed)
            };
            let records = run(test, options).records;
            let lines = records.iter();
            let lines = lines.map(|line| format!("{} {}\n", line.time(), line.text));
            std::fs::write(file, lines.collect::<String>())
        }
    };
    let done = done.and_then(|()| tell("done"));
    std::process::exit(i32::from(done.is_err()));
}

/// A line of its own, whatever the test has printed before it.
fn tell(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\n{MARK}{line}")?;
    out.flush()
}

/// Runs `seed` in a fresh process, which writes its records to `file`.
pub(crate) fn write_records(
    config: &Explore,
    seed: u64,
    file: &Path,
    surroundings: Surroundings,
) -> io::Result<()> {
    let job = Job::Records {
        seed,
        file: file.to_owned(),
    };
    let status = command(config, &job, surroundings)?
        .stdout(Stdio::null())
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("the process ended with {status}")))
    }
}

fn command(config: &Explore, job: &Job, surroundings: Surroundings) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(&config.arguments)
        .env(JOB, job.to_text())
        .env(JOB_TEST, &config.name)
        .env_remove(REPLAY)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    if surroundings == Surroundings::Other {
        let padding = "another environment moves the stack and the heap. ".repeat(40);
        command
            .env("YAMANOTE_SIM_RANDOM_ADDRESSES", "1")
            .env("YAMANOTE_SIM_PADDING", padding);
    }
    Ok(command)
}

impl Children {
    /// Starts a process for `job`, whose messages go to `messages`.
    pub(crate) fn start(
        &mut self,
        config: &Explore,
        job: &Job,
        lane: Lane,
        messages: &Sender<Message>,
    ) -> io::Result<()> {
        let surroundings = match lane {
            Lane::First(_) => Surroundings::Same,
            Lane::Again(_) => Surroundings::Other,
        };
        let mut child = command(config, job, surroundings)?
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().expect("it was asked for");
        self.0.push(child);
        let messages = messages.clone();
        let read = move || {
            let mut is_done = false;
            // Bounded by the child: it prints a line for each seed.
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let Some(line) = line.strip_prefix(MARK) else {
                    continue;
                };
                is_done |= line == "done";
                let ran = Ran::parse(line).map(|ran| Message::Ran(lane, ran));
                if ran.is_some_and(|ran| messages.send(ran).is_err()) {
                    return;
                }
            }
            let done = is_done.then_some(()).ok_or_else(|| {
                format!("a process ({lane:?}); run with `workers = 1` and without check to see why")
            });
            let _ = messages.send(Message::Ended(done));
        };
        thread::Builder::new()
            .name("sim-reader".to_owned())
            .spawn(read)?;
        Ok(())
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Job {
    fn to_text(&self) -> String {
        match self {
            Job::Seeds { first, of } => format!("seeds {first} {of}"),
            Job::Records { seed, file } => format!("records {seed:#x} {}", file.display()),
        }
    }

    fn parse(text: &str) -> Option<Job> {
        let (kind, rest) = text.split_once(' ')?;
        let (first, second) = rest.split_once(' ')?;
        match kind {
            "seeds" => Some(Job::Seeds {
                first: first.parse().ok()?,
                of: second.parse().ok()?,
            }),
            "records" => Some(Job::Records {
                seed: seeds::parse(first)?,
                file: PathBuf::from(second),
            }),
            _ => None,
        }
    }
}

impl Ran {
    /// What it came to, as a report has it.
    pub(crate) fn end(&self) -> String {
        let Self { hash, steps, .. } = self;
        let how = match &self.failure {
            Some(name) => format!("failed ({name})"),
            None => "passed".to_owned(),
        };
        format!("{how} after {steps} steps, hash {hash:032x}")
    }

    fn to_line(&self) -> String {
        let Self {
            seed, hash, steps, ..
        } = self;
        let mut line = format!("ran {seed:#x} {hash:032x} {steps}");
        for (name, held) in &self.coverage {
            let _ = write!(line, "\t{}{}", if *held { '+' } else { '-' }, clean(name));
        }
        if let Some(failure) = &self.failure {
            let _ = write!(line, "\t!{}", clean(failure));
        }
        line
    }

    fn parse(line: &str) -> Option<Ran> {
        let mut fields = line.strip_prefix("ran ")?.split('\t');
        let mut numbers = fields.next()?.split(' ');
        let mut ran = Ran {
            seed: seeds::parse(numbers.next()?)?,
            hash: u128::from_str_radix(numbers.next()?, 16).ok()?,
            steps: numbers.next()?.parse().ok()?,
            failure: None,
            coverage: Vec::new(),
        };
        for field in fields {
            match (field.get(..1)?, field.get(1..)?) {
                ("!", name) => ran.failure = Some(name.to_owned()),
                (sign, name) => ran.coverage.push((name.to_owned(), sign == "+")),
            }
        }
        Some(ran)
    }
}

/// A name that fits into a field of a line.
fn clean(name: &str) -> String {
    name.replace(['\t', '\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_child_tells_is_understood() {
        let ran = Ran {
            seed: 7,
            hash: 1 << 90,
            steps: 12,
            failure: Some("panic at a b.rs:1".to_owned()),
            coverage: vec![("two leaders".to_owned(), true), ("none".to_owned(), false)],
        };
        assert_eq!(Ran::parse(&ran.to_line()), Some(ran));
        assert_eq!(Ran::parse("done"), None);
    }

    #[test]
    fn a_job_is_understood() {
        for job in [
            Job::Seeds { first: 1, of: 3 },
            Job::Records {
                seed: 9,
                file: PathBuf::from("a folder/file"),
            },
        ] {
            assert_eq!(Job::parse(&job.to_text()), Some(job));
        }
    }
}
