//! What must hold: after every step ([`Sim::invariant`]), or in the end ([`Sim::eventually`]).

use std::sync::Arc;
use std::time::Duration;

use yamanote_base::hooks;
use yamanote_base::lock::Mutex;

use super::failure::SimError;
use super::{Sim, SimParts};

/// How often a condition that shall come about is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

type Rule = Box<dyn FnMut() -> Result<(), String> + Send>;

/// What is looked at after each poll of a task. Few: each costs a call then.
#[derive(Default)]
pub(super) struct Invariants(Mutex<Vec<(String, Rule)>>);

impl Sim {
    /// Has `rule` looked at after each step; if it is an error, the run fails at once.
    ///
    /// `rule` looks at what the programs leave for it, in memory that they share with the test. It
    /// must not wait, nor start anything.
    pub fn invariant(&self, name: &str, rule: impl FnMut() -> Result<(), String> + Send + 'static) {
        let mut rules = self.parts.invariants.0.lock();
        rules.push((name.to_owned(), Box::new(rule)));
        let is_first = rules.len() == 1;
        drop(rules);
        if is_first {
            let parts = Arc::downgrade(&self.parts);
            let watcher = move || parts.upgrade().into_iter().for_each(|parts| parts.look());
            self.parts.home.sim().set_watcher(Box::new(watcher));
        }
    }

    /// Waits until `holds`; the run fails if it does not within so much virtual time.
    pub async fn eventually(&self, name: &str, within: Duration, mut holds: impl FnMut() -> bool) {
        let deadline = self.now() + within;
        while !holds() {
            if self.now() >= deadline {
                let error = format!("not within {within:?}");
                let world = self.world();
                let error = SimError::broken(world, "eventually", name.to_owned(), error);
                self.parts.fail(error);
                return std::future::pending().await;
            }
            hooks::sleep(LOOK_EVERY).await;
        }
    }
}

impl Invariants {
    pub(super) fn forget(&self) {
        let rules = std::mem::take(&mut *self.0.lock());
        // Dropped outside of the lock: they are the user's.
        drop(rules);
    }
}

impl SimParts {
    fn look(&self) {
        let mut rules = self.invariants.0.lock();
        for (name, rule) in rules.iter_mut() {
            if let Err(error) = rule() {
                let name = name.clone();
                self.fail(SimError::broken(self.world(), "invariant", name, error));
                return;
            }
        }
    }
}
