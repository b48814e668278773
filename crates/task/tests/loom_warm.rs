//! Model checks of tasks that are kept warm while they wait.
#![cfg(loom)]

mod common;

use std::task::Waker;

use loom::thread;
use yamanote_base::atomic::{Arc, AtomicBool, Ordering};
use yamanote_task::JoinHandle;

use common::{Claiming, Drops, result, waiting};

/// A task that waits for what `flag` says and is kept warm for this thread, and two of its wakers.
struct Waiting {
    scheduler: Claiming,
    drops: Drops,
    flag: Arc<AtomicBool>,
    join: JoinHandle<()>,
    wakers: [Waker; 2],
}

impl Waiting {
    fn new() -> Self {
        let (scheduler, drops) = (Claiming::claiming(1), Drops::default());
        let flag = Arc::new(AtomicBool::new(false));
        scheduler.keep_warm_here();
        let (join, waker) = waiting(&scheduler, &flag, &drops);
        let wakers = [waker.clone(), waker];
        Self {
            scheduler,
            drops,
            flag,
            join,
            wakers,
        }
    }

    /// Runs what there is, and lets go of what is kept then.
    fn run_out(&self) {
        self.scheduler.run_all();
        while self.scheduler.let_go() {
            self.scheduler.run_all();
        }
    }

    /// The task has ended, well or not, and all of it is gone.
    fn ends(self, well: bool) {
        drop(self.wakers);
        assert_eq!(result(self.join).is_ok(), well);
        assert_eq!((self.drops.count(), self.scheduler.tasks().alive()), (1, 0));
    }
}

/// Sets the flag and wakes, on a thread for which nothing is kept.
fn wake_elsewhere(waiting: &Waiting) -> thread::JoinHandle<()> {
    let (flag, waker) = (waiting.flag.clone(), waiting.wakers[0].clone());
    thread::spawn(move || {
        flag.store(true, Ordering::Relaxed);
        waker.wake();
    })
}

#[test]
fn loom_warm_a_wake_elsewhere_is_seen_by_who_lets_go() {
    loom::model(|| {
        let waiting = Waiting::new();
        let waking = wake_elsewhere(&waiting);
        waiting.run_out();
        waking.join().unwrap();
        waiting.run_out();
        waiting.ends(true);
    });
}

#[test]
fn loom_warm_a_wake_elsewhere_is_seen_beside_one_here() {
    loom::model(|| {
        let waiting = Waiting::new();
        let waking = wake_elsewhere(&waiting);
        waiting.wakers[1].wake_by_ref();
        // It may be warm again, and is woken here once more.
        waiting.scheduler.run_all();
        waiting.wakers[1].clone().wake();
        waiting.run_out();
        waking.join().unwrap();
        waiting.run_out();
        waiting.ends(true);
    });
}

#[test]
fn loom_warm_two_that_take_it_out_do_not_both_run_it() {
    loom::model(|| {
        let waiting = Waiting::new();
        let waking = wake_elsewhere(&waiting);
        let other = waiting.scheduler.clone();
        let taking = thread::spawn(move || {
            other.let_go();
            other.run_all();
        });
        waiting.wakers[1].wake_by_ref();
        waiting.scheduler.run_all();
        waking.join().unwrap();
        taking.join().unwrap();
        waiting.run_out();
        waiting.ends(true);
    });
}

#[test]
fn loom_warm_an_abort_elsewhere_drops_the_future_once() {
    loom::model(|| {
        let waiting = Waiting::new();
        let abort = waiting.join.abort_handle();
        let aborting = thread::spawn(move || abort.abort());
        waiting.wakers[1].wake_by_ref();
        waiting.run_out();
        aborting.join().unwrap();
        waiting.run_out();
        waiting.ends(false);
    });
}

#[test]
fn loom_warm_a_list_that_closes_leaves_it_to_who_has_it() {
    loom::model(|| {
        let waiting = Waiting::new();
        let other = waiting.scheduler.clone();
        let closing = thread::spawn(move || other.tasks().close_and_cancel_all());
        waiting.run_out();
        closing.join().unwrap();
        waiting.run_out();
        waiting.ends(false);
    });
}
