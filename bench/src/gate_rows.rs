//! Where a scheduler must not lose: equal tasks get equal shares, and more workers than cores do
//! no harm.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::yield_now;

use crate::measure::Bench;

const EQUALS: usize = 1000;
const FAMILIES: u64 = 64;

pub(crate) fn run(bench: &mut Bench) {
    bench.figure_row("progress of 1000 equal tasks, max/min", "x", equals);
    bench.eight_row(
        "spawn+join in 64 tasks (per spawn)",
        |operations| async move {
            let families = (0..FAMILIES).map(|_| tokio::spawn(family(operations / FAMILIES)));
            for family in families.collect::<Vec<_>>() {
                family.await.expect("it does not panic");
            }
        },
    );
    bench.eight_row(
        "mpsc(100) in 64 pairs (per message)",
        |operations| async move {
            let pairs = (0..FAMILIES).map(|_| tokio::spawn(pair(operations / FAMILIES)));
            for pair in pairs.collect::<Vec<_>>() {
                pair.await.expect("it does not panic");
            }
        },
    );
}

async fn family(children: u64) {
    for number in 0..children {
        let child = tokio::spawn(async move { number });
        black_box(child.await.expect("it does not panic"));
    }
}

async fn pair(messages: u64) {
    let (sender, mut receiver) = mpsc::channel(100);
    tokio::spawn(async move {
        for number in 0..messages {
            sender.send(number).await.expect("it is received");
        }
    });
    while let Some(number) = receiver.recv().await {
        black_box(number);
    }
}

/// How many times as far the first of many tasks that do the same has come as the last one.
async fn equals() -> f64 {
    // Relaxed throughout: counts, and a flag behind which there is nothing.
    let done = Arc::new(AtomicBool::new(false));
    let counts: Arc<[AtomicU64]> = (0..EQUALS).map(|_| AtomicU64::new(0)).collect();
    let tasks = (0..EQUALS).map(|number| {
        let (done, counts) = (done.clone(), counts.clone());
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                counts[number].fetch_add(1, Ordering::Relaxed);
                yield_now().await;
            }
        })
    });
    let tasks: Vec<_> = tasks.collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    done.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.expect("it does not panic");
    }
    let progress = || counts.iter().map(|count| count.load(Ordering::Relaxed));
    let (max, min) = (progress().max(), progress().min());
    max.unwrap_or(0) as f64 / min.unwrap_or(0).max(1) as f64
}
