//! The file that replays a run: a head to read, and the choices.
//!
//! ```text
//! yamanote trace 1
//! test: no_lost_writes
//! seed: 0x51f3
//! build: 5a0c..           which program it was; another one may run otherwise
//! schedule: random        fifo | random | pct N
//! time limit: 600000      in milliseconds
//! absent: n3 n4           hosts that were left out
//! failure: invariant "one leader"
//! hash: 32 digits
//! choices:
//! NextTask 0*12 3 0 2     a kind, values, how often each follows itself
//! Latency@2 81920         a kind on a host, by number
//! PowerLoss@2#1 3         one of several lanes of a kind
//! ```

use std::collections::BTreeSet;
use std::fmt::Write;
use std::io;
use std::path::Path;
use std::time::Duration;

use yamanote_runtime::sim::{Schedule, SimOptions};
use yamanote_world::{Choice, Lane, Rest, Script};

use crate::outcome::Outcome;

const FIRST_LINE: &str = "yamanote trace 1";
/// Columns after which a line of choices ends.
const WIDTH: usize = 96;

/// A run that can be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceFile {
    /// The name of the test.
    pub test: String,
    /// The seed that its worlds had.
    pub seed: u64,
    /// Which program it was.
    pub build: String,
    /// The order of tasks.
    pub schedule: Schedule,
    /// When a run gives up.
    pub time_limit: Duration,
    /// Hosts that were left out.
    pub absent: BTreeSet<String>,
    /// What failed, by name.
    pub failure: String,
    /// The hash of the run.
    pub hash: u128,
    /// What was drawn.
    pub choices: Vec<Choice>,
}

impl TraceFile {
    /// The trace of `outcome`, a run of `test` under `options` whose choices were kept.
    #[must_use]
    pub fn of(test: &str, options: &SimOptions, outcome: &Outcome) -> Self {
        Self {
            test: test.to_owned(),
            seed: options.seed,
            build: build_id(),
            schedule: options.schedule,
            time_limit: options.time_limit.unwrap_or_default(),
            absent: options.absent.clone(),
            failure: outcome.failure_name().unwrap_or("none").to_owned(),
            hash: outcome.hash,
            choices: outcome.choices.clone(),
        }
    }

    /// How the run is replayed.
    #[must_use]
    pub fn options(&self) -> SimOptions {
        SimOptions {
            schedule: self.schedule,
            time_limit: Some(self.time_limit),
            absent: self.absent.clone(),
            script: Some(Script {
                choices: self.choices.clone(),
                rest: Rest::Calm,
            }),
            keeps_choices: true,
            ..SimOptions::new(self.seed)
        }
    }

    /// Writes it to `path`; folders on the way are made.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, self.to_text())
    }

    /// Reads the trace at `path`.
    ///
    /// # Errors
    /// Those of the file system, and `InvalidData` when it is no trace of this version.
    pub fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)?;
        Self::parse(&text).map_err(|fault| {
            let fault = format!("{}: {fault}", path.display());
            io::Error::new(io::ErrorKind::InvalidData, fault)
        })
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let absent = self.absent.iter().cloned().collect::<Vec<_>>().join(" ");
        let mut text = format!(
            "{FIRST_LINE}\ntest: {}\nseed: {:#x}\nbuild: {}\nschedule: {}\ntime limit: {}\n\
             absent: {absent}\nfailure: {}\nhash: {:032x}\nchoices:",
            self.test,
            self.seed,
            self.build,
            schedule_text(self.schedule),
            self.time_limit.as_millis(),
            self.failure.replace('\n', " "),
            self.hash,
        );
        write_choices(&mut text, &self.choices);
        text.push('\n');
        text
    }

    /// The trace of which `text` is the file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (head, choices) = text
            .split_once("\nchoices:")
            .ok_or("it has no line `choices:`")?;
        let mut lines = head.lines();
        match lines.next() {
            Some(FIRST_LINE) => {}
            other => return Err(format!("not `{FIRST_LINE}` but {other:?}")),
        }
        let field = |name: &str| {
            let found = lines.clone().find_map(|line| line.strip_prefix(name));
            found
                .map(str::trim)
                .ok_or(format!("it has no line `{name}`"))
        };
        let seed = field("seed:")?.trim_start_matches("0x");
        let limit = field("time limit:")?.parse();
        let faulty = |name: &str| format!("its {name} is no number");
        Ok(Self {
            test: field("test:")?.to_owned(),
            seed: u64::from_str_radix(seed, 16).map_err(|_| faulty("seed"))?,
            build: field("build:")?.to_owned(),
            schedule: parse_schedule(field("schedule:")?)?,
            time_limit: Duration::from_millis(limit.map_err(|_| faulty("time limit"))?),
            absent: field("absent:")?
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            failure: field("failure:")?.to_owned(),
            hash: u128::from_str_radix(field("hash:")?, 16).map_err(|_| faulty("hash"))?,
            choices: parse_choices(choices)?,
        })
    }
}

/// Which program runs: its length, and a hash of its bytes.
#[must_use]
pub fn build_id() -> String {
    let program = std::env::current_exe().and_then(std::fs::read);
    let Ok(program) = program else {
        return "unknown".to_owned();
    };
    let mut hash = yamanote_world::TraceHash::new(program.len() as u64);
    hash.fold_bytes(&program);
    format!("{:032x}", hash.finish())
}

fn schedule_text(schedule: Schedule) -> String {
    match schedule {
        Schedule::Fifo => "fifo".to_owned(),
        Schedule::Pct { depth } => format!("pct {depth}"),
        _ => "random".to_owned(),
    }
}

fn parse_schedule(text: &str) -> Result<Schedule, String> {
    let depth = text.strip_prefix("pct ").map(str::parse);
    match (text, depth) {
        ("fifo", _) => Ok(Schedule::Fifo),
        ("random", _) => Ok(Schedule::Random),
        (_, Some(Ok(depth))) => Ok(Schedule::Pct { depth }),
        _ => Err(format!("there is no schedule `{text}`")),
    }
}

fn write_choices(text: &mut String, choices: &[Choice]) {
    let mut lane = None;
    let mut column = 0;
    for same in choices.chunk_by(|one, other| one == other) {
        let choice = same[0];
        if lane != Some(choice.lane) || column > WIDTH {
            lane = Some(choice.lane);
            let _ = write!(text, "\n{}", choice.lane);
            column = 0;
        }
        let before = text.len();
        let _ = write!(text, " {}", choice.value);
        if same.len() > 1 {
            let _ = write!(text, "*{}", same.len());
        }
        column += text.len() - before;
    }
}

fn parse_choices(text: &str) -> Result<Vec<Choice>, String> {
    let mut choices = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let faulty = || format!("the choices `{line}` are not understood");
        let mut words = line.split(' ');
        let lane = words.next().ok_or_else(faulty)?;
        let lane: Lane = lane.parse().map_err(|()| faulty())?;
        for word in words {
            let (value, count) = word.split_once('*').unwrap_or((word, "1"));
            let value = value.parse().map_err(|_| faulty())?;
            let count: usize = count.parse().map_err(|_| faulty())?;
            choices.extend(std::iter::repeat_n(Choice { lane, value }, count));
        }
    }
    Ok(choices)
}

#[cfg(test)]
mod tests {
    use yamanote_world::{ChoiceKind, HostId};

    use super::*;

    fn choice(kind: ChoiceKind, host: Option<u32>, value: u64) -> Choice {
        let lane = Lane::of(kind, host.map(HostId::from_number));
        Choice { lane, value }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut choices = vec![choice(ChoiceKind::NextTask, None, 0); 12];
        choices.push(choice(ChoiceKind::NextTask, None, 3));
        let mut second = choice(ChoiceKind::PowerLoss, Some(2), 1);
        second.lane.number = 2;
        choices.push(second);
        choices.extend((0..100).map(|n| choice(ChoiceKind::Latency, Some(n % 2), u64::from(n))));
        let trace = TraceFile {
            test: "a::b".to_owned(),
            seed: 0x51f3,
            build: "5".to_owned(),
            schedule: Schedule::Pct { depth: 3 },
            time_limit: Duration::from_secs(600),
            absent: ["n3".to_owned(), "n4".to_owned()].into(),
            failure: "invariant \"x\"".to_owned(),
            hash: 5 << 100,
            choices,
        };
        let text = trace.to_text();
        assert!(
            text.contains("\nNextTask 0*12 3\nPowerLoss@2#2 1\n"),
            "{text}"
        );
        assert_eq!(TraceFile::parse(&text), Ok(trace));
    }

    #[test]
    fn what_is_no_trace_is_refused_with_the_reason() {
        for (text, fault) in [
            ("", "no line `choices:`"),
            ("yamanote trace 2\nchoices:", "not `yamanote trace 1`"),
            (
                "yamanote trace 1\nseed: 1\nchoices:",
                "no line `time limit:`",
            ),
        ] {
            let error = TraceFile::parse(text).unwrap_err();
            assert!(error.contains(fault), "{error}");
        }
    }
}
