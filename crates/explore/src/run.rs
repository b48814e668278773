//! One run of a world, on a thread of its own: [`run`].
//!
//! The thread is fresh, so that what a thread draws once (the keys of hash maps) is drawn anew.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use yamanote_base::quietly::quietly;
use yamanote_base::rng::{self, Rng};
use yamanote_base::simulated;
use yamanote_runtime::sim::panics::{self, SeenPanic};
use yamanote_runtime::sim::{ProgramResult, Sim, SimOptions};
use yamanote_world::World;

use crate::outcome::{Failure, Outcome};

/// The stack of a run: tests nest deeply, and memory that is not touched costs nothing.
const STACK_BYTES: usize = 8 << 20;

/// The real time after which a poll is given up.
pub(crate) const POLL_LONGEST: Duration = Duration::from_secs(15);

/// How often it is looked for a step in that time.
const LOOKS: u32 = 5;

type TestFuture = Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// The closure that builds a world and drives it.
#[derive(Clone)]
pub struct Test(Arc<dyn Fn(Sim) -> TestFuture + Send + Sync>);

impl Test {
    /// The test that `world` is.
    pub fn new<F, Fut>(world: F) -> Self
    where
        F: Fn(Sim) -> Fut + Send + Sync + 'static,
        Fut: Future + 'static,
        Fut::Output: ProgramResult,
    {
        let world = Arc::new(world);
        Self(Arc::new(move |sim| {
            let world = world.clone();
            // Called in the future, so that it stands in its world from its first line.
            Box::pin(async move { world(sim).await.into_result() })
        }))
    }
}

/// Runs `test` once, as `options` say.
///
/// A run in which one poll takes too long counts as failed; its thread is left alone, for nothing
/// can end it.
///
/// # Panics
/// When the system denies a thread.
#[must_use]
pub fn run(test: &Test, options: SimOptions) -> Outcome {
    let test = test.clone();
    let seed = options.seed;
    let (sender, messages) = mpsc::channel();
    let thread = thread::Builder::new()
        .name(format!("sim-{}", options.seed))
        .stack_size(STACK_BYTES)
        .spawn(move || run_here(&test, options, &sender));
    let thread = thread.expect("the system has a thread left for a simulation");
    match watch(&messages) {
        Watched::Ended => thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        Watched::Stuck(world) => Outcome::stuck(seed, &world),
    }
}

/// What was seen of a run from outside.
enum Watched {
    Ended,
    /// No step for long.
    Stuck(World),
}

/// Waits for the end of a run, whose thread first sends its world.
fn watch(messages: &Receiver<World>) -> Watched {
    let Ok(world) = messages.recv() else {
        return Watched::Ended;
    };
    match is_stuck(&world, messages, POLL_LONGEST) {
        true => Watched::Stuck(world),
        false => Watched::Ended,
    }
}

/// Waits until the other side of `messages` is gone, or until `world` makes no step for as long as
/// `longest`; returns whether that is so.
pub(crate) fn is_stuck<T>(world: &World, messages: &Receiver<T>, longest: Duration) -> bool {
    let (mut steps, mut looks) = (world.steps(), 0);
    // Bounded by the run's time limit, or by the first time that it makes no step.
    while looks < LOOKS {
        let Err(RecvTimeoutError::Timeout) = messages.recv_timeout(longest / LOOKS) else {
            return false;
        };
        let before = std::mem::replace(&mut steps, world.steps());
        looks = if before == steps { looks + 1 } else { 0 };
    }
    true
}

fn run_here(test: &Test, options: SimOptions, watcher: &Sender<World>) -> Outcome {
    let _watch = panics::watch();
    // What this thread draws, the keys of its hash maps too, follows from the seed.
    let _simulated = simulated::enter();
    let _rng = rng::enter_thread(Rng::new(options.seed));
    let sim = Sim::with_options(options);
    // Who has started this thread waits for it.
    let _ = watcher.send(sim.world().clone());
    let main = (test.0)(sim.clone());
    let ended = catch_unwind(AssertUnwindSafe(|| sim.run(main)));
    let seen = panics::seen();
    let failure = match ended {
        Ok(Ok(Ok(()))) => None,
        Ok(Ok(Err(error))) => Some(Failure {
            name: "error".to_owned(),
            text: format!("the test ended with an error: {error}"),
        }),
        Ok(Err(error)) => Some(Failure::from(error)),
        Err(payload) => Some(panicked(&seen, &*payload)),
    };
    let outcome = Outcome::read(&sim, failure, seen);
    // What tasks do when they are dropped is no part of the run.
    quietly(|| drop(sim));
    outcome
}

/// The test itself panicked.
fn panicked(seen: &[SeenPanic], payload: &(dyn Any + Send)) -> Failure {
    match seen.last() {
        Some(SeenPanic { place, message }) => Failure {
            name: format!("panic at {place}"),
            text: format!("panic at {place}: {message}"),
        },
        None => Failure {
            name: "panic".to_owned(),
            text: format!("panic: {}", panics::message_of(payload)),
        },
    }
}

impl fmt::Debug for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Test").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::{Explore, explore_test};

    #[test]
    fn seeds_that_cannot_be_run_have_not_passed() {
        let test = Test(Arc::new(|_| panic!("no world today")));
        let report = explore_test(&Explore::new("no_world"), &test);
        let failure = report.failure.expect("no seed was run");
        assert!(failure.text.ends_with(": no world today"), "{failure}");
    }

    #[test]
    fn a_world_that_makes_no_step_is_stuck_unless_it_has_ended() {
        let world = World::new(1);
        let (sender, messages) = mpsc::channel::<()>();
        assert!(is_stuck(&world, &messages, Duration::from_millis(1)));
        drop(sender);
        assert!(!is_stuck(&world, &messages, Duration::from_secs(60)));
    }
}
