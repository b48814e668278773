//! Tasks of a `LocalSet` that wake themselves, spawn and join, one of which yields; beside them
//! tasks of the runtime, if that runs them on the same thread. The log is the order of the polls.
//!
//! Left out: a second task that yields, as in `tasks`. And a set in a task that is polled again
//! because it was busy for longer than a set may be: ours takes up what has yielded then, too.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, LocalSet, spawn_local, yield_now};

use crate::trial::{Draws, Trial};

/// Tasks of a set, a bound for what spawns what it spawns.
const TASKS_MAX: usize = 12;

/// Operations of all tasks together; of fewer polls a set does not have enough.
const OPERATIONS: usize = 200;
const OPERATIONS_IN_A_TASK: usize = 30;

type Log = Arc<Mutex<Vec<String>>>;

/// What the tasks of a set use.
struct Common {
    log: Log,
    spawned: Cell<usize>,
    /// How many operations are left to do.
    operations: Cell<usize>,
    /// Whether some task yields: one alone does.
    yielder: Cell<bool>,
}

/// A task of the set: what it draws, and what it has spawned.
struct Body {
    common: Rc<Common>,
    draws: Draws,
    name: usize,
    yields: bool,
    handles: Vec<JoinHandle<usize>>,
}

/// One to three tasks of a set, and whatever comes of them.
pub(crate) fn local_sets(trial: &mut Trial) {
    let is_alone = !trial.one_in(4);
    let runtime = runtime(is_alone);
    let log = Log::default();
    for name in 0..trial.below(3) {
        if is_alone {
            runtime.spawn(wake_a_few_times(log.clone(), name, trial.below(6)));
        }
    }
    let set = LocalSet::new();
    let how = trial.below(3);
    let common = Rc::new(Common {
        log: log.clone(),
        spawned: Cell::new(0),
        operations: Cell::new(match how {
            2 => OPERATIONS_IN_A_TASK,
            _ => OPERATIONS,
        }),
        yielder: Cell::new(false),
    });
    let roots = (0..1 + trial.below(3)).map(|_| Body::new(&common, trial.draws()));
    let roots: Vec<Body> = roots.collect();
    match how {
        0 => set.block_on(&runtime, watched(&log, joined(roots))),
        1 => {
            set.spawn_local(joined(roots));
            runtime.block_on(watched(&log, set));
        }
        _ => {
            let inner = watched_in_a_task(log.clone(), roots);
            set.block_on(&runtime, async { drop(spawn_local(inner).await) });
        }
    }
    say(&log, "the set has ended");
    let log = log.lock().expect("no task panics while it writes");
    trial.tell(format_args!("alone: {is_alone}, way {how}"));
    log.iter().for_each(|line| trial.tell(line));
}

/// A runtime whose tasks run on the thread of the set, or elsewhere.
fn runtime(is_alone: bool) -> Runtime {
    let runtime = match is_alone {
        true => Builder::new_current_thread().build(),
        false => Builder::new_multi_thread().worker_threads(1).build(),
    };
    runtime.expect("a runtime needs no more than a thread")
}

/// A set in a task of another set.
async fn watched_in_a_task(log: Log, roots: Vec<Body>) {
    let set = LocalSet::new();
    set.run_until(watched(&log, joined(roots))).await;
}

async fn joined(roots: Vec<Body>) {
    for handle in roots.into_iter().map(Body::spawn).collect::<Vec<_>>() {
        drop(handle.await);
    }
}

/// Tells of each poll of the future.
async fn watched(log: &Log, future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    poll_fn(|cx| {
        say(log, "a poll");
        future.as_mut().poll(cx)
    })
    .await;
}

async fn wake_a_few_times(log: Log, name: usize, times: usize) {
    for _ in 0..times {
        say(&log, &format!("beside: {name}"));
        wake_itself().await;
    }
}

async fn wake_itself() {
    let mut woken = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut woken, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn say(log: &Log, line: &str) {
    let mut log = log.lock().expect("no task panics while it writes");
    log.push(line.to_owned());
}

impl Body {
    fn new(common: &Rc<Common>, draws: Draws) -> Body {
        Body {
            common: common.clone(),
            draws,
            name: common.spawned.replace(common.spawned.get() + 1),
            yields: !common.yielder.replace(true),
            handles: Vec::new(),
        }
    }

    fn spawn(self) -> JoinHandle<usize> {
        spawn_local(self.boxed())
    }

    fn boxed(self) -> Pin<Box<dyn Future<Output = usize>>> {
        Box::pin(self.run())
    }

    fn say(&self, what: &str) {
        say(&self.common.log, &format!("{}: {what}", self.name));
    }

    async fn run(mut self) -> usize {
        for _ in 0..3 + self.draws.below(24) {
            let left = self.common.operations.get();
            if left == 0 {
                break;
            }
            self.common.operations.set(left - 1);
            match self.draws.below(6) {
                0 if self.common.spawned.get() < TASKS_MAX => {
                    let child = Body::new(&self.common, self.draws.draws());
                    self.say(&format!("spawns {}", child.name));
                    self.handles.push(child.spawn());
                }
                1 => self.join().await,
                2 | 3 if self.yields => {
                    self.say("yields");
                    yield_now().await;
                }
                _ => {
                    self.say("wakes itself");
                    wake_itself().await;
                }
            }
        }
        self.say("ends");
        self.name
    }

    async fn join(&mut self) {
        if let Some(handle) = self.handles.pop() {
            self.say("joins");
            let joined = handle.await.map_err(|error| error.is_cancelled());
            self.say(&format!("has joined {joined:?}"));
        }
    }
}
