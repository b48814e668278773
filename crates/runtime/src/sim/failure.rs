//! What ends a simulation before its time: [`SimError`].

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::task::Waker;
use std::time::Duration;

use yamanote_base::lock::Mutex;
use yamanote_sched::sim::Deadlock;
use yamanote_world::World;

use super::panics;

/// Why a simulation could not go on.
#[derive(Debug)]
pub struct SimError {
    seed: u64,
    now: Duration,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    /// The program of a host ended with an error.
    Failed { host: String, error: String },
    /// The program of a host panicked.
    Panicked {
        host: String,
        message: String,
        /// File and line, where panics are watched.
        place: Option<String>,
    },
    /// Nothing can go on.
    Deadlock(Deadlock),
    /// It went on for too long.
    TimeLimit,
    /// Something waits for what is not simulated; this says what.
    Lost(String),
    /// What shall always hold does not.
    Broken {
        /// `invariant`, `always` or `eventually`.
        rule: &'static str,
        name: String,
        error: String,
    },
}

/// The first failure of a program, until somebody takes it.
#[derive(Default)]
pub(super) struct Failure(Mutex<FailurePlace>);

#[derive(Default)]
struct FailurePlace {
    error: Option<SimError>,
    watcher: Option<Waker>,
}

/// Says which world it was when a panic goes through `run`.
pub(super) struct Teller<'a>(pub(super) &'a World);

impl SimError {
    pub(super) fn deadlock(deadlock: Deadlock) -> Self {
        Self {
            seed: deadlock.seed(),
            now: deadlock.now(),
            cause: Cause::Deadlock(deadlock),
        }
    }

    pub(super) fn time_limit(world: &World) -> Self {
        Self {
            seed: world.seed(),
            now: world.now(),
            cause: Cause::TimeLimit,
        }
    }

    pub(super) fn lost(world: &World, why: String) -> Self {
        Self {
            seed: world.seed(),
            now: world.now(),
            cause: Cause::Lost(why),
        }
    }

    pub(super) fn failed(world: &World, host: String, error: String) -> Self {
        Self {
            seed: world.seed(),
            now: world.now(),
            cause: Cause::Failed { host, error },
        }
    }

    pub(super) fn panicked(world: &World, host: String, payload: &(dyn Any + Send)) -> Self {
        let (message, place) = (panics::message_of(payload), panics::last_place());
        Self {
            seed: world.seed(),
            now: world.now(),
            cause: Cause::Panicked {
                host,
                message,
                place,
            },
        }
    }

    pub(super) fn broken(world: &World, rule: &'static str, name: String, error: String) -> Self {
        Self {
            seed: world.seed(),
            now: world.now(),
            cause: Cause::Broken { rule, name, error },
        }
    }

    /// What failed, without the particulars: the same fault has the same name in other runs.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.cause {
            Cause::Failed { error, .. } => format!("program failed: {error}"),
            Cause::Panicked { place, .. } if place.is_some() => {
                format!("panic at {}", place.as_deref().unwrap_or_default())
            }
            Cause::Panicked { message, .. } => format!("program panicked: {message}"),
            Cause::Deadlock(_) => "deadlock".to_owned(),
            Cause::TimeLimit => "time limit".to_owned(),
            Cause::Lost(_) => "a wait for what is not simulated".to_owned(),
            Cause::Broken { rule, name, .. } => format!("{rule} \"{name}\""),
        }
    }

    /// The particulars, without seed and time.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.cause {
            Cause::Failed { host, error } => format!("the program of host {host} failed: {error}"),
            Cause::Panicked {
                host,
                message,
                place,
            } => {
                let at = place.as_ref().map(|place| format!(" at {place}"));
                let at = at.unwrap_or_default();
                format!("the program of host {host} panicked{at}: {message}")
            }
            Cause::Deadlock(_) => {
                "nothing is runnable, no timer is set and no event is to come".to_owned()
            }
            Cause::Lost(why) => why.clone(),
            Cause::TimeLimit => format!("not at its end at {:?}, its time limit", self.now),
            Cause::Broken { rule, name, error } => format!("{rule} \"{name}\": {error}"),
        }
    }

    /// The seed that leads here again.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The virtual time at which it happened.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Whether nothing could go on any more.
    #[must_use]
    pub fn is_deadlock(&self) -> bool {
        matches!(self.cause, Cause::Deadlock(_))
    }

    /// Whether the time limit was reached.
    #[must_use]
    pub fn is_time_limit(&self) -> bool {
        matches!(self.cause, Cause::TimeLimit)
    }

    /// The host whose program failed or panicked.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match &self.cause {
            Cause::Failed { host, .. } | Cause::Panicked { host, .. } => Some(host),
            Cause::Deadlock(_) | Cause::TimeLimit | Cause::Lost(_) | Cause::Broken { .. } => None,
        }
    }
}

impl Failure {
    /// Takes the failure in, unless there is one already, and tells the watcher.
    pub(super) fn set(&self, error: SimError) {
        let mut place = self.0.lock();
        place.error.get_or_insert(error);
        let watcher = place.watcher.take();
        drop(place);
        if let Some(watcher) = watcher {
            watcher.wake();
        }
    }

    /// The failure for which the run was stopped.
    pub(super) fn take_after_stop(&self) -> SimError {
        let error = self.0.lock().error.take();
        error.expect("a run is stopped after its failure was set")
    }

    /// The failure; if there is none yet, `waker` is woken when there is.
    pub(super) fn take_or_watch(&self, waker: &Waker) -> Option<SimError> {
        let watcher = waker.clone();
        let mut place = self.0.lock();
        let error = place.error.take();
        let before = place.watcher.replace(watcher);
        drop(place);
        drop(before);
        error
    }
}

impl Drop for Teller<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && !panics::is_watched() {
            let (seed, now) = (self.0.seed(), self.0.now());
            eprintln!("the simulation with seed {seed} panicked at {now:?} of virtual time");
        }
    }
}

impl fmt::Display for SimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Deadlock(deadlock) => deadlock.fmt(f),
            Cause::TimeLimit => write!(f, "seed {}: {}", self.seed, self.text()),
            _ => write!(f, "seed {} at {:?}: {}", self.seed, self.now, self.text()),
        }
    }
}

impl Error for SimError {}
