//! What one run came to: [`Outcome`], read from its world while that still stands.

use std::time::Duration;

use yamanote_runtime::sim::panics::SeenPanic;
use yamanote_runtime::sim::{Sim, SimError};
use yamanote_world::choice::Divergence;
use yamanote_world::trace::Record;
use yamanote_world::{Choice, ChoiceKind, World};

/// One run of a world.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// The hash of its trace.
    pub hash: u128,
    /// How many events and choices there were.
    pub steps: u64,
    /// The virtual time at its end.
    pub now: Duration,
    /// What shall sometimes hold, and whether it did.
    pub coverage: Vec<(String, bool)>,
    /// What failed.
    pub failure: Option<Failure>,
    /// The choices, if they were kept.
    pub choices: Vec<Choice>,
    /// The names of the hosts, by number.
    pub hosts: Vec<String>,
    /// Where a replay drew something else.
    pub divergence: Option<Divergence>,
    /// Every event and choice in words, if they were kept.
    pub records: Vec<Line>,
    /// What a report shows of a run that failed.
    pub scene: Scene,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Without particulars: the same fault has the same name in other runs.
    pub name: String,
    /// With particulars.
    pub text: String,
}

/// An event in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The virtual time since the beginning, in nanoseconds.
    pub at_ns: u64,
    /// What it was.
    pub text: String,
}

/// The world as it stood when the run ended.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// Every fault, as it began and ended.
    pub faults: Vec<Line>,
    /// The faults that were in force.
    pub in_force: Vec<Line>,
    /// The last events of each host, by its name.
    pub recent: Vec<(String, Vec<Line>)>,
    /// The tasks that waited.
    pub parked: String,
    /// Panics that no report names otherwise: those of tasks, too.
    pub panics: Vec<SeenPanic>,
}

impl Outcome {
    /// Reads the world of `sim`, whose run ended with `failure`.
    pub(crate) fn read(sim: &Sim, failure: Option<Failure>, panics: Vec<SeenPanic>) -> Self {
        let world = sim.world();
        let line = |record: &Record| Line {
            at_ns: record.at_ns,
            text: world.text_of(record),
        };
        let lines = |records: Vec<Record>| records.iter().map(line).collect::<Vec<_>>();
        let scene = failure.as_ref().map(|_| Scene {
            faults: lines(world.faults()),
            in_force: lines(world.faults_in_force()),
            recent: world
                .hosts()
                .iter()
                // On the first there is nothing but the test itself, and its nemesis.
                .skip(1)
                .map(|host| (host.name(), lines(world.recent(host.id()))))
                .collect(),
            parked: sim.parked(),
            panics,
        });
        let coverage = sim.coverage().into_iter();
        Self {
            seed: world.seed(),
            hash: world.trace_hash(),
            steps: world.steps(),
            now: world.now(),
            coverage: coverage
                .map(|(name, held)| (name.to_owned(), held))
                .collect(),
            failure,
            choices: world.choices(),
            hosts: world.hosts().iter().map(|host| host.name()).collect(),
            divergence: world.divergence(),
            records: lines(world.records()),
            scene: scene.unwrap_or_default(),
        }
    }

    /// A run of `world` that makes no step any more.
    pub(crate) fn stuck(seed: u64, world: &World) -> Self {
        let records = world.hosts().into_iter();
        let records = records.flat_map(|host| world.recent(host.id()));
        let last = records.max_by_key(|record| record.at_ns);
        let last = last.map_or_else(String::new, |record| world.text_of(&record));
        Self {
            seed,
            hash: world.trace_hash(),
            steps: world.steps(),
            now: world.now(),
            coverage: Vec::new(),
            failure: Some(Failure {
                name: "a poll that does not end".to_owned(),
                text: format!(
                    "a poll that does not end: no step for long in real time; the last event was \
                     {last}"
                ),
            }),
            choices: world.choices(),
            hosts: world.hosts().iter().map(|host| host.name()).collect(),
            divergence: world.divergence(),
            records: Vec::new(),
            scene: Scene::default(),
        }
    }

    /// The name of what failed, if anything did.
    #[must_use]
    pub fn failure_name(&self) -> Option<&str> {
        self.failure.as_ref().map(|failure| failure.name.as_str())
    }

    /// How many faults struck.
    #[must_use]
    pub fn faults_struck(&self) -> usize {
        let strikes = |choice: &&Choice| match choice.lane.kind {
            ChoiceKind::Strike => choice.value > 0,
            _ => false,
        };
        self.choices.iter().filter(strikes).count()
    }
}

impl From<SimError> for Failure {
    fn from(error: SimError) -> Self {
        Self {
            name: error.name(),
            text: error.text(),
        }
    }
}

impl Line {
    /// Its time, as reports have it.
    #[must_use]
    pub fn time(&self) -> String {
        time_text(Duration::from_nanos(self.at_ns))
    }
}

/// A virtual time, as reports have it.
pub(crate) fn time_text(time: Duration) -> String {
    format!("t={:.6}s", time.as_secs_f64())
}
