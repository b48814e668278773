//! How a world is made: [`SimOptions`].

use std::collections::BTreeSet;
use std::time::Duration;

use yamanote_sched::sim::Schedule;
use yamanote_world::{Script, World};

/// What a world follows, keeps and leaves out.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// Everything follows from it.
    pub seed: u64,
    /// In which order tasks run.
    pub schedule: Schedule,
    /// The virtual time at which a run gives up.
    pub time_limit: Option<Duration>,
    /// Hosts whose programs are never started.
    pub absent: BTreeSet<String>,
    /// Whether the run fails when a program does what the world does not decide: makes a thread.
    /// Noticed with the feature `sim` only.
    pub is_strict: bool,
    /// What is drawn, in the place of what the seed gives.
    #[doc(hidden)]
    pub script: Option<Script>,
    /// Whether there is a hash of what happens: without one, all runs look the same.
    #[doc(hidden)]
    pub keeps_hash: bool,
    /// Whether a list of all choices is kept.
    #[doc(hidden)]
    pub keeps_choices: bool,
    /// Whether a list of all events is kept.
    #[doc(hidden)]
    pub keeps_records: bool,
}

/// Which runtime the first one of a world is taken for.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guise {
    /// None: it is a world's.
    World,
    /// One on whose only thread nothing may block.
    OneWorker,
    /// One whose clock cannot be paused.
    ManyWorkers,
}

impl SimOptions {
    /// The usual, from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            schedule: Schedule::default(),
            time_limit: None,
            absent: BTreeSet::new(),
            is_strict: false,
            script: None,
            keeps_hash: true,
            keeps_choices: false,
            keeps_records: false,
        }
    }

    pub(super) fn world(&self) -> World {
        let world = World::new(self.seed);
        if let Some(script) = &self.script {
            world.follow(script.clone());
        }
        if !self.keeps_hash {
            world.forget_hash();
        }
        if self.keeps_choices {
            world.keep_choices();
        }
        if self.keeps_records {
            world.keep_records();
        }
        world
    }
}
