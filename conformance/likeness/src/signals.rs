//! What tells that something is the case: notifications, barriers, values that are set once.

use std::sync::Arc;

use tokio::sync::{Barrier, Notify, OnceCell, Semaphore, SetOnce};

use crate::trial::{Operation, Outcome, Trial, go_on};

/// Notifications to one and to all, to futures that wait already and to those that do not yet.
pub(crate) fn notify(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Arc<Notify>>] = &[
        (4, notified),
        (2, enabled),
        (3, |notify, trial| {
            notify.notify_one();
            trial.tell("notify_one");
        }),
        (1, |notify, trial| {
            notify.notify_last();
            trial.tell("notify_last");
        }),
        (1, |notify, trial| {
            notify.notify_waiters();
            trial.tell("notify_waiters");
        }),
        (8, go_on),
    ];
    trial.run(100, &mut Arc::new(Notify::new()), OPERATIONS);
}

/// Made now, or when it is first polled: a notification to all reaches only what was made before.
fn notified(notify: &mut Arc<Notify>, trial: &mut Trial) {
    let notify = notify.clone();
    match trial.one_in(2) {
        true => trial.start("notified later", async move {
            Outcome::after(notify.notified()).await
        }),
        false => {
            let notified = notify.notified_owned();
            trial.start("notified", async { Outcome::after(notified).await });
        }
    }
}

fn enabled(notify: &mut Arc<Notify>, trial: &mut Trial) {
    let mut notified = Box::pin(notify.clone().notified_owned());
    let at_once = notified.as_mut().enable();
    trial.start(&format!("notified, enabled: {at_once}"), async {
        Outcome::after(notified).await
    });
}

/// Futures that wait for each other.
pub(crate) fn barrier(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Arc<Barrier>>] = &[
        (5, |barrier, trial| {
            let barrier = barrier.clone();
            trial.start("wait", async move {
                Outcome::of(barrier.wait().await.is_leader())
            });
        }),
        (9, |_, trial| trial.poll_one()),
        (1, go_on),
    ];
    let n = trial.below(4);
    trial.run(60, &mut Arc::new(Barrier::new(n)), OPERATIONS);
}

/// A cell, and the gates behind which its initialisers wait.
#[derive(Default)]
struct Cell {
    value: Arc<OnceCell<usize>>,
    gates: Vec<Arc<Semaphore>>,
}

/// A cell that several want to initialise, some in vain.
pub(crate) fn once_cell(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Cell>] = &[
        (4, initialise),
        (2, try_initialise),
        (2, |cell, trial| {
            if let Some(gate) = trial.pick(&cell.gates) {
                gate.add_permits(1);
                trial.tell("a gate opens");
            }
        }),
        (1, |cell, trial| {
            if trial.one_in(4) {
                let set = cell.value.set(77).map_err(|error| error.to_string());
                trial.tell(format_args!("set: {set:?}"));
            }
        }),
        (1, |cell, trial| {
            trial.tell(format_args!("get: {:?}", cell.value.get()))
        }),
        (5, go_on),
    ];
    trial.run(70, &mut Cell::default(), OPERATIONS);
}

fn initialise(cell: &mut Cell, trial: &mut Trial) {
    let (value, gate, n) = cell.with_gate();
    trial.start("get_or_init", async move {
        let init = async || {
            pass(&gate).await;
            n
        };
        Outcome::of(value.get_or_init(init).await)
    });
}

fn try_initialise(cell: &mut Cell, trial: &mut Trial) {
    let (value, gate, n) = cell.with_gate();
    let fails = trial.one_in(2);
    trial.start("get_or_try_init", async move {
        let init = async || {
            pass(&gate).await;
            if fails { Err(n) } else { Ok(n) }
        };
        Outcome::of(value.get_or_try_init(init).await)
    });
}

async fn pass(gate: &Semaphore) {
    if let Ok(permit) = gate.acquire().await {
        permit.forget();
    }
}

impl Cell {
    fn with_gate(&mut self) -> (Arc<OnceCell<usize>>, Arc<Semaphore>, usize) {
        let gate = Arc::new(Semaphore::new(0));
        self.gates.push(gate.clone());
        (self.value.clone(), gate, self.gates.len())
    }
}

/// A value that many wait for.
pub(crate) fn set_once(trial: &mut Trial) {
    const OPERATIONS: &[Operation<Arc<SetOnce<u32>>>] = &[
        (4, |cell, trial| {
            let cell = cell.clone();
            trial.start("wait", async move { Outcome::of(cell.wait().await) });
        }),
        (1, |cell, trial| {
            let set = cell.set(7).map_err(|error| error.to_string());
            trial.tell(format_args!("set: {set:?}"));
        }),
        (2, |cell, trial| {
            trial.tell(format_args!("get: {:?}", cell.get()))
        }),
        (8, go_on),
    ];
    trial.run(50, &mut Arc::new(SetOnce::new()), OPERATIONS);
}
