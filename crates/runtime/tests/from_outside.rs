//! For how many polls of a busy worker a task from outside waits, if these are long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use yamanote_runtime::{Builder, yield_now};

/// The most of 20 waits, in polls of 1 ms by a worker that never has nothing to do.
fn longest_wait(builder: &mut Builder) -> u64 {
    let runtime = builder.worker_threads(1).build().unwrap();
    let polls = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    for _ in 0..40 {
        let (polls, over) = (polls.clone(), over.clone());
        runtime.spawn(async move {
            while !over.load(Ordering::SeqCst) {
                polls.fetch_add(1, Ordering::SeqCst);
                thread::sleep(Duration::from_millis(1));
                yield_now().await;
            }
        });
    }
    // Until the worker knows how long its polls are.
    while polls.load(Ordering::SeqCst) < 80 {
        thread::sleep(Duration::from_millis(1));
    }
    let waits = (0..20).map(|_| {
        let seen = polls.clone();
        let task = runtime.spawn(async move { seen.load(Ordering::SeqCst) });
        let before = polls.load(Ordering::SeqCst);
        runtime.block_on(task).unwrap().saturating_sub(before)
    });
    let longest = waits.max().expect("there were some");
    over.store(true, Ordering::SeqCst);
    longest
}

#[test]
fn a_task_from_outside_waits_for_two_long_polls() {
    let longest = longest_wait(&mut Builder::new_multi_thread());
    assert!(longest <= 2, "{longest} polls");
}

#[test]
fn a_task_from_outside_waits_for_as_many_polls_as_the_user_has_said() {
    let longest = longest_wait(Builder::new_multi_thread().global_queue_interval(31));
    assert!(longest > 2, "{longest} polls");
}
