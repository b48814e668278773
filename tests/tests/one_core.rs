//! Several workers on a single core.
#![cfg(target_os = "linux")]

use std::sync::mpsc;
use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

/// A runtime whose two workers have one core; so has the current thread from here on.
fn on_one_core() -> Runtime {
    let allowed = sched_getaffinity(None).unwrap();
    let first = (0..CpuSet::MAX_CPU).find(|core| allowed.is_set(*core));
    let mut set = CpuSet::new();
    set.set(first.unwrap());
    sched_setaffinity(None, &set).unwrap();
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn a_worker_that_blocks_is_helped_by_one_on_its_core() {
    let runtime = on_one_core();
    for _ in 0..20 {
        let (sender, receiver) = mpsc::channel();
        let blocked = runtime.spawn(async move {
            // The first goes to the ring when the second comes; nobody else is to push.
            tokio::spawn(async move { sender.send(()).unwrap() });
            tokio::spawn(async {});
            receiver.recv_timeout(Duration::from_secs(20))
        });
        assert_eq!(runtime.block_on(blocked).unwrap(), Ok(()));
    }
}

#[test]
fn workers_on_one_core_run_all_there_is() {
    const TASKS: usize = 100;
    let runtime = on_one_core();
    let tasks = (0..TASKS).map(|_| {
        runtime.spawn(async {
            for _ in 0..200 {
                yield_now().await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        runtime.block_on(task).unwrap();
    }
}
