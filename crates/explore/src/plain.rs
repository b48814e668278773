//! A test that knows nothing of simulation, run in a world of one host: [`PlainTest`].

use std::future::Future;
use std::io::{self, Write};
use std::ops::Range;
use std::panic::resume_unwind;
use std::process::{self, ExitCode, Termination};
use std::sync::mpsc::{self, Sender};
use std::thread;

use yamanote_runtime::Builder;
use yamanote_runtime::sim::{Guise, Sim, SimOptions};

use crate::environment;
use crate::outcome::Outcome;
use crate::run;

/// What a process ends with whose test has failed.
const FAILED: i32 = 101;

/// What `YAMANOTE_SIM` asks of a test.
#[derive(Clone, Debug)]
pub struct PlainTest {
    name: String,
    seeds: Range<u64>,
    /// What its runtime looks like.
    guise: Guise,
}

impl PlainTest {
    /// The test `name` of `module`, if the environment wants it simulated.
    ///
    /// # Panics
    /// As [`environment::asked_seeds`].
    #[must_use]
    pub fn asked(module: &str, name: &str, is_multi_thread: bool) -> Option<Self> {
        Some(Self {
            guise: match is_multi_thread {
                true => Guise::ManyWorkers,
                false => Guise::OneWorker,
            },
            seeds: environment::asked_seeds()?,
            name: format!("{module}::{name}"),
        })
    }

    /// Runs the test under each seed; what the last run gave is the result.
    ///
    /// Each run has a thread on which no other one was, so that what a thread keeps for itself
    /// begins anew; the last one has this thread.
    ///
    /// # Panics
    /// When a run fails; in which way, and under which seed, is printed.
    #[track_caller]
    pub fn run<Fut>(
        self,
        configure: impl Fn(&mut Builder) + Sync,
        body: impl Fn() -> Fut + Sync,
    ) -> Fut::Output
    where
        Fut: Future,
        Fut::Output: Termination,
    {
        let last = self.seeds.end - 1;
        let others = self.seeds.start..last;
        let test = &self;
        thread::scope(|scope| {
            for seed in others {
                let (configure, body) = (&configure, &body);
                let run = move || test.run_one(seed, configure, body).map(is_success);
                let thread = thread::Builder::new().name(self.name.clone());
                let thread = thread.spawn_scoped(scope, run);
                let thread = thread.expect("the system has a thread left for a simulation");
                let ended = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
                match ended {
                    Ok(true) => {}
                    Ok(false) => panic!("{} failed with seed {seed:#x}", self.name),
                    Err(error) => panic!("{error}"),
                }
            }
        });
        self.run_one(last, &configure, &body)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn run_one<Fut: Future>(
        &self,
        seed: u64,
        configure: &impl Fn(&mut Builder),
        body: &impl Fn() -> Fut,
    ) -> Result<Fut::Output, String> {
        let options = SimOptions::new(seed);
        let sim = Sim::configured(options, self.guise, configure);
        let _watch = watch(&self.name, &sim);
        let ended = sim.run(body());
        ended.map_err(|error| format!("{} failed: {error}{}", self.name, sim.parked()))
    }
}

/// Ends the process with a report if a poll of `sim` does not end, until what is returned is
/// dropped. The poll has the test's own thread, which nothing else can end.
///
/// # Panics
/// When the system denies a thread.
fn watch(name: &str, sim: &Sim) -> Sender<()> {
    let (sender, ended) = mpsc::channel();
    let (name, world) = (name.to_owned(), sim.world().clone());
    let watch = move || {
        if run::is_stuck(&world, &ended, run::POLL_LONGEST) {
            let outcome = Outcome::stuck(world.seed(), &world);
            let text = outcome.failure.map(|failure| failure.text);
            let text = text.unwrap_or_default();
            // Past what tests print, which is shown when they end.
            let _ = writeln!(
                io::stderr(),
                "\n{name} failed, and with it its process: {text}"
            );
            process::exit(FAILED);
        }
    };
    let thread = thread::Builder::new().name("sim-watch".to_owned());
    let thread = thread.spawn(watch);
    thread.expect("the system has a thread left to watch a simulation");
    sender
}

fn is_success(output: impl Termination) -> bool {
    // An exit code tells no more of itself than this.
    format!("{:?}", output.report()) == format!("{:?}", ExitCode::SUCCESS)
}
