//! A test that knows nothing of simulation, run in a world of one host: [`PlainTest`].

use std::future::Future;
use std::ops::Range;
use std::process::{ExitCode, Termination};
use std::time::Duration;

use yamanote_runtime::sim::{Sim, SimOptions};

use crate::environment;

/// When a run gives up: a test that waits for what is not simulated waits for ever.
const TIME_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// What `YAMANOTE_SIM` asks of a test.
#[derive(Clone, Debug)]
pub struct PlainTest {
    name: String,
    seeds: Range<u64>,
}

impl PlainTest {
    /// The test `name` of `module`, if the environment wants it simulated.
    ///
    /// # Panics
    /// As [`environment::asked_seeds`].
    #[must_use]
    pub fn asked(module: &str, name: &str) -> Option<Self> {
        Some(Self {
            seeds: environment::asked_seeds()?,
            name: format!("{module}::{name}"),
        })
    }

    /// Runs the test under each seed; what the last run gave is the result.
    ///
    /// # Panics
    /// When a run fails; in which way, and under which seed, is printed.
    #[track_caller]
    pub fn run<Fut>(self, body: impl Fn() -> Fut) -> Fut::Output
    where
        Fut: Future,
        Fut::Output: Termination,
    {
        let mut last = None;
        for seed in self.seeds.clone() {
            if let Some(output) = last.take() {
                let code = Termination::report(output);
                let is_success = format!("{code:?}") == format!("{:?}", ExitCode::SUCCESS);
                assert!(is_success, "{} failed with seed {:#x}", self.name, seed - 1);
            }
            let sim = Sim::with_options(SimOptions {
                time_limit: Some(TIME_LIMIT),
                ..SimOptions::new(seed)
            });
            match sim.run(body()) {
                Ok(output) => last = Some(output),
                Err(error) => panic!("{} failed: {error}{}", self.name, sim.parked()),
            }
        }
        last.expect("a range of seeds has at least one")
    }
}
