//! The exploration of a world: seed after seed, until one fails. [`explore`].

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use yamanote_base::atomic::plain::{AtomicBool, Ordering};
use yamanote_runtime::sim::panics;
use yamanote_runtime::sim::{ProgramResult, Schedule, Sim, SimOptions};

use crate::check;
use crate::environment;
use crate::outcome::{Failure, Outcome};
use crate::perfetto;
use crate::progress::Progress;
use crate::report::{FailureReport, Report, Shrinking};
use crate::run::{Test, run};
use crate::seeds::{self, Seeds};
use crate::shrink;
use crate::trace_file::{TraceFile, build_id};
use crate::worker::{self, Asked, Children, Job, Lane, Message, Ran};

/// How long shrinking may take.
const SHRINK_BUDGET: Duration = Duration::from_secs(60);

/// What is explored, and how far.
///
/// ```no_run
/// use yamanote_explore::Explore;
///
/// let config = Explore {
///     seeds: 0..10_000,
///     workers: 4,
///     ..Explore::new("no_lost_writes")
/// };
/// ```
#[derive(Clone, Debug)]
pub struct Explore {
    /// The name: for traces, for the file of seeds, and so that other processes find the test.
    pub name: String,
    /// The seeds. `YAMANOTE_SIM` in the environment replaces them.
    pub seeds: Range<u64>,
    /// The virtual time at which a run fails.
    pub time_limit: Duration,
    /// The real time after which no more seeds are begun.
    pub wall_limit: Option<Duration>,
    /// How many processes run seeds; 1 is this one.
    pub workers: usize,
    /// In which order tasks run.
    pub schedule: Schedule,
    /// Whether each seed is run a second time, in another process, and must give the same run.
    pub check: bool,
    /// Whether a run that fails is made smaller.
    pub shrink: bool,
    /// Where seeds that failed are kept, to be run first the next time.
    pub seeds_folder: Option<PathBuf>,
    /// The arguments by which this program, called again, comes to the same exploration.
    pub arguments: Vec<String>,
    /// What replays this test when a trace is named in the environment.
    pub command: String,
}

/// What collects the results of all lanes.
struct Explorer<'a> {
    config: &'a Explore,
    test: &'a Test,
    report: Report,
    begin: Instant,
    /// First runs that wait for their second, and the other way round.
    halves: BTreeMap<u64, (Lane, Ran)>,
}

/// Why no more seeds are run.
enum Found {
    Failure(Ran),
    /// Two runs of one seed.
    Difference([Ran; 2]),
    /// What ran seeds ended before its time, and why.
    Died(String),
}

impl Explore {
    /// Ten seeds in this process, ten minutes each, shrunk if one fails.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            seeds: 0..10,
            time_limit: Duration::from_secs(600),
            wall_limit: None,
            workers: 1,
            schedule: Schedule::Random,
            check: false,
            shrink: true,
            seeds_folder: None,
            arguments: std::env::args().skip(1).collect(),
            command: "cargo test".to_owned(),
        }
    }

    /// The exploration of a test function, called `name` with its modules, of the crate in
    /// `folder`.
    #[must_use]
    pub fn of_test(name: &str, folder: Option<&str>) -> Self {
        let path = name.split_once("::").map_or(name, |(_, path)| path);
        let arguments = [
            path,
            "--exact",
            "--include-ignored",
            "--nocapture",
            "--test-threads=1",
        ];
        Self {
            seeds_folder: folder.map(|folder| Path::new(folder).join("tests/seeds")),
            arguments: arguments.map(str::to_owned).to_vec(),
            command: format!("cargo test {path}"),
            ..Self::new(name)
        }
    }

    /// How a seed is run.
    #[must_use]
    pub fn options(&self, seed: u64) -> SimOptions {
        SimOptions {
            schedule: self.schedule,
            time_limit: Some(self.time_limit),
            is_strict: self.check,
            ..SimOptions::new(seed)
        }
    }

    /// Where traces go: below `target`, or where temporary files are.
    pub(crate) fn trace_folder(&self) -> PathBuf {
        let program = std::env::current_exe().unwrap_or_default();
        let mut folders = program.ancestors().skip(1);
        let build = folders.find(|folder| folder.join("deps").is_dir());
        let target = build.and_then(Path::parent).map(Path::to_owned);
        target.unwrap_or_else(std::env::temp_dir).join("sim")
    }

    /// The seeds that failed before, then all others.
    fn all_seeds(&self) -> io::Result<Seeds> {
        if let Some(asked) = environment::asked_seeds() {
            return Ok(Seeds::new(Vec::new(), asked));
        }
        let known = match &self.seeds_folder {
            Some(folder) => seeds::read(&seeds::file_of(folder, &self.name))?,
            None => Vec::new(),
        };
        Ok(Seeds::new(known, self.seeds.clone()))
    }
}

/// Runs `world`, a closure that builds a world and drives it, under each seed until one fails.
///
/// In a process that was started to do a part of this, it does not return.
///
/// # Panics
/// When the environment asks for what there is not, and when the system denies a thread or a
/// process.
pub fn explore<F, Fut>(config: &Explore, world: F) -> Report
where
    F: Fn(Sim) -> Fut + Send + Sync + 'static,
    Fut: Future + 'static,
    Fut::Output: ProgramResult,
{
    explore_test(config, &Test::new(world))
}

/// [`explore`] of a test function: prints the summary, and panics with the report of a failure.
///
/// # Panics
/// When a seed fails, and as [`explore`].
#[track_caller]
pub fn test<F, Fut>(config: &Explore, world: F)
where
    F: Fn(Sim) -> Fut + Send + Sync + 'static,
    Fut: Future + 'static,
    Fut::Output: ProgramResult,
{
    let report = explore(config, world);
    report.assert_passed();
    println!("{report}");
}

/// [`explore`] of a world that is a [`Test`] already.
pub(crate) fn explore_test(config: &Explore, test: &Test) -> Report {
    let nothing = Report {
        test: config.name.clone(),
        ..Report::default()
    };
    let seeds = config.all_seeds();
    let seeds = seeds.unwrap_or_else(|error| panic!("cannot read seeds: {error}"));
    match worker::asked(&config.name) {
        Asked::Mine(job) => worker::work(config, test, &seeds, &job),
        Asked::Others => return nothing,
        Asked::Nothing => {}
    }
    if let Some(path) = environment::asked_replay() {
        let trace = TraceFile::read(&path);
        let trace = trace.unwrap_or_else(|error| panic!("cannot read the trace: {error}"));
        return match trace.test == config.name {
            true => replay(test, &trace, nothing),
            false => nothing,
        };
    }
    let explorer = Explorer {
        config,
        test,
        report: nothing,
        begin: Instant::now(),
        halves: BTreeMap::new(),
    };
    explorer.explore(&seeds)
}

/// Runs what `trace` holds.
fn replay(test: &Test, trace: &TraceFile, mut report: Report) -> Report {
    let perfetto = environment::asked_perfetto();
    let options = SimOptions {
        keeps_records: perfetto.is_some(),
        ..trace.options()
    };
    let outcome = run(test, options);
    let mut remarks = Vec::new();
    let is_same = outcome.hash == trace.hash;
    remarks.push(match is_same {
        true => format!("replayed: the same run, hash {:032x}", outcome.hash),
        false => format!("hash {:032x} instead of {:032x}", outcome.hash, trace.hash),
    });
    if !is_same && trace.build != build_id() {
        remarks.push("the trace is of another build of this program".to_owned());
    }
    if let Some(divergence) = outcome.divergence {
        remarks.push(format!("it left the trace at {divergence}"));
    }
    if let Some(path) = perfetto {
        remarks.push(match std::fs::write(&path, perfetto::json(&outcome)) {
            Ok(()) => format!("for Perfetto: {}", path.display()),
            Err(error) => format!("cannot write {}: {error}", path.display()),
        });
    }
    report.seeds = 1;
    report.steps = outcome.steps;
    report.cover(&outcome.coverage);
    let failed = outcome.failure.clone();
    match failed {
        Some(failure) => {
            let mut told = FailureReport::new(trace.seed, failure);
            told.outcome = Some(outcome);
            told.remarks = remarks;
            report.failure = Some(Box::new(told));
        }
        None => remarks.iter().for_each(|remark| eprintln!("sim: {remark}")),
    }
    report
}

impl Explorer<'_> {
    fn explore(mut self, seeds: &Seeds) -> Report {
        let found = self.collect(seeds);
        if let Some(found) = found {
            self.report.failure = Some(Box::new(self.investigate(found)));
        }
        self.report.took = self.begin.elapsed();
        self.report
    }

    /// Starts all lanes and takes their results, until something is found.
    fn collect(&mut self, seeds: &Seeds) -> Option<Found> {
        let (sender, messages) = mpsc::channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let mut children = Children::default();
        let lanes = self.start(seeds, &sender, &mut children, &is_over);
        let lanes = lanes.unwrap_or_else(|error| panic!("cannot run seeds: {error}"));
        drop(sender);
        let mut progress = Progress::new(&self.config.name, seeds.count());
        let found = self.take_all(&messages, lanes, &mut progress);
        // Relaxed: it only has to be seen at some time.
        is_over.store(true, Ordering::Relaxed);
        found
    }

    /// Starts what runs seeds; returns how many there are.
    fn start(
        &self,
        seeds: &Seeds,
        messages: &Sender<Message>,
        children: &mut Children,
        is_over: &Arc<AtomicBool>,
    ) -> io::Result<usize> {
        let of = self.config.workers.max(1);
        for first in 0..of {
            let job = Job::Seeds { first, of };
            if self.config.check {
                children.start(self.config, &job, Lane::Again(first), messages)?;
            }
            if of > 1 {
                children.start(self.config, &job, Lane::First(first), messages)?;
            }
        }
        if of == 1 {
            self.start_here(seeds, messages, is_over)?;
        }
        Ok(if self.config.check { 2 * of } else { of })
    }

    /// Runs all seeds in this process, on a thread.
    fn start_here(
        &self,
        seeds: &Seeds,
        messages: &Sender<Message>,
        is_over: &Arc<AtomicBool>,
    ) -> io::Result<()> {
        let (config, test, seeds) = (self.config.clone(), self.test.clone(), seeds.clone());
        let (messages, is_over) = (messages.clone(), is_over.clone());
        let lane = Lane::First(0);
        let work = move || {
            // Relaxed: as where it is set.
            let mut seeds = seeds
                .iter()
                .take_while(|_| !is_over.load(Ordering::Relaxed));
            // A panic is none of the test, which would be a failure of its run.
            let done = catch_unwind(AssertUnwindSafe(|| {
                seeds.all(|seed| {
                    let ran = Ran::from(&run(&test, config.options(seed)));
                    messages.send(Message::Ran(lane, ran)).is_ok()
                })
            }));
            let done = done.map(drop);
            let done = done.map_err(|payload| panics::message_of(&*payload));
            let _ = messages.send(Message::Ended(done));
        };
        let thread = thread::Builder::new().name("sim-seeds".to_owned());
        thread.spawn(work).map(drop)
    }

    fn take_all(
        &mut self,
        messages: &Receiver<Message>,
        mut lanes: usize,
        progress: &mut Progress,
    ) -> Option<Found> {
        while lanes > 0 {
            let left = self.config.wall_limit.map_or(Duration::MAX, |limit| {
                limit.saturating_sub(self.begin.elapsed())
            });
            let found = match messages.recv_timeout(left) {
                Ok(Message::Ended(Err(why))) => Some(Found::Died(why)),
                Ok(Message::Ended(Ok(()))) => {
                    lanes -= 1;
                    None
                }
                Ok(Message::Ran(lane, ran)) => self.take(lane, ran, progress),
                Err(RecvTimeoutError::Timeout) => {
                    self.report.is_cut_short = true;
                    return None;
                }
                Err(RecvTimeoutError::Disconnected) => return None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Takes the result of one run.
    fn take(&mut self, lane: Lane, ran: Ran, progress: &mut Progress) -> Option<Found> {
        if matches!(lane, Lane::First(_)) {
            progress.advance();
            self.report.seeds += 1;
            self.report.steps += ran.steps;
            self.report.cover(&ran.coverage);
        }
        let seed = ran.seed;
        if self.config.check {
            let Some((_, half)) = self.halves.remove(&seed) else {
                self.halves.insert(seed, (lane, ran));
                return None;
            };
            self.report.checked += 1;
            if half.hash != ran.hash || half.failure != ran.failure {
                return Some(Found::Difference([half, ran]));
            }
        }
        ran.failure.is_some().then_some(Found::Failure(ran))
    }

    /// Makes a report of what was found.
    fn investigate(&self, found: Found) -> FailureReport {
        match found {
            Found::Failure(ran) => self.investigate_failure(ran),
            Found::Difference(runs) => self.not_deterministic(&runs),
            Found::Died(why) => {
                let text = format!("what ran the seeds ended before its time: {why}");
                let name = "seeds were not run".to_owned();
                FailureReport::new(0, Failure { name, text })
            }
        }
    }

    fn investigate_failure(&self, ran: Ran) -> FailureReport {
        let seed = ran.seed;
        let mut options = self.config.options(seed);
        options.keeps_choices = true;
        let outcome = run(self.test, options.clone());
        if outcome.failure_name() != ran.failure.as_deref() {
            return self.not_deterministic(&[ran, Ran::from(&outcome)]);
        }
        let first = outcome.clone();
        let mut shrinking = None;
        let mut last = (outcome, options);
        if self.config.shrink {
            let shrunk = shrink::shrink(self.test, last.0, &last.1, SHRINK_BUDGET);
            shrinking = Some(Shrinking {
                faults: [first.faults_struck(), shrunk.outcome.faults_struck()],
                hosts: [
                    first.hosts.len() - 1,
                    shrunk.outcome.hosts.len() - 1 - shrunk.options.absent.len(),
                ],
                steps: [first.steps, shrunk.outcome.steps],
                replays: shrunk.replays,
                took: shrunk.took,
            });
            last = (shrunk.outcome, shrunk.options);
        }
        let (outcome, options) = last;
        let name = ran.failure.unwrap_or_default();
        let text = name.clone();
        let failure = outcome.failure.clone();
        let failure = failure.unwrap_or(Failure { name, text });
        let mut told = FailureReport::new(seed, failure);
        told.shrinking = shrinking;
        self.keep(&mut told, &outcome, &options);
        told.outcome = Some(outcome);
        told
    }

    /// Makes a report of two runs of one seed that were not equal.
    fn not_deterministic(&self, runs: &[Ran; 2]) -> FailureReport {
        let [one, other] = runs.each_ref().map(Ran::end);
        let failure = Failure {
            name: "not deterministic".to_owned(),
            text: format!("two runs of it are not equal: one {one}, the other {other}"),
        };
        let seed = runs[0].seed;
        let mut told = FailureReport::new(seed, failure);
        told.difference = Some(check::find(self.config, seed));
        told
    }

    /// Writes the trace and the seed of a failure.
    fn keep(&self, told: &mut FailureReport, outcome: &Outcome, options: &SimOptions) {
        let Explore { name, command, .. } = self.config;
        let file = format!("{}-{:x}.trace", seeds::file_name(name), told.seed);
        let path = self.config.trace_folder().join(file);
        match TraceFile::of(name, options, outcome).write(&path) {
            Ok(()) => {
                let (variable, path_text) = (environment::REPLAY, path.display());
                told.replay = Some(format!("{variable}={path_text} {command}"));
                told.trace = Some(path);
            }
            Err(error) => told.remarks.push(format!("no trace was written: {error}")),
        }
        if let Some(folder) = &self.config.seeds_folder {
            let file = seeds::file_of(folder, name);
            if let Err(error) = seeds::add(&file, told.seed, &told.name) {
                told.remarks.push(format!("the seed was not kept: {error}"));
            }
        }
    }
}

impl FailureReport {
    fn new(seed: u64, failure: Failure) -> Self {
        Self {
            seed,
            name: failure.name,
            text: failure.text,
            outcome: None,
            shrinking: None,
            difference: None,
            trace: None,
            replay: None,
            remarks: Vec::new(),
        }
    }
}
