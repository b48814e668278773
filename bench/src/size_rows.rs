//! What a spawn, a wake and a timer cost beside a thousand and a million others that wait.

use std::future::pending;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{sleep, timeout};

use crate::measure::{Bench, Runs};
use crate::runtime::Runtime;

const CROWDS: [u64; 2] = [1_000, 1_000_000];

pub(crate) fn run(bench: &mut Bench) {
    for crowd in CROWDS {
        let wait = || tokio::spawn(pending());
        let name = format!("spawn+join beside {crowd} tasks");
        bench.prepared_row(&name, beside(crowd, wait), |operations| async move {
            for number in 0..operations {
                let task = tokio::spawn(async move { number });
                black_box(task.await.expect("it does not panic"));
            }
        });
        let name = format!("wake beside {crowd} tasks");
        bench.prepared_row(&name, beside(crowd, wait), wakes);
        let name = format!("timeout around a yield beside {crowd} timers");
        bench.prepared_row(&name, beside(crowd, sleeper), |operations| async move {
            for _ in 0..operations {
                let yields = timeout(Duration::from_secs(30), yield_now());
                yields.await.expect("a yield is short");
            }
        });
    }
}

/// Has a runtime run `crowd` tasks that wait, each made by `make`.
fn beside(crowd: u64, make: fn() -> JoinHandle<()>) -> impl Fn(&Runtime) {
    move |runtime| runtime.run(gather(crowd, make))
}

/// Makes as many tasks, and returns once each was polled, and waits.
async fn gather(crowd: u64, make: fn() -> JoinHandle<()>) {
    for number in 0..crowd {
        drop(make());
        if number % 1000 == 0 {
            yield_now().await;
        }
    }
    // Queues are first in, first out; other workers are given time besides.
    sleep(Duration::from_millis(50)).await;
}

/// Two tasks wake each other; each wake is an operation.
async fn wakes(operations: u64) {
    let (there, back) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (called, calls) = (there.clone(), back.clone());
    let rounds = operations / 2;
    let other = tokio::spawn(async move {
        for _ in 0..rounds {
            called.notified().await;
            calls.notify_one();
        }
    });
    for _ in 0..rounds {
        there.notify_one();
        back.notified().await;
    }
    other.await.expect("it does not panic");
}

/// A task that sleeps for hours, each a little longer than the one before.
fn sleeper() -> JoinHandle<()> {
    // Relaxed: only the numbers must differ.
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    tokio::spawn(sleep(Duration::from_millis(3_600_000 + number % 3_600_000)))
}
