//! Tasks: spawned, joined, yielding, idle; and blocking work.

use std::hint::black_box;
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet, spawn_blocking, yield_now};

use crate::measure::Bench;

const CROWD: u64 = 1000;

pub(crate) fn run(bench: &mut Bench) {
    bench.row("spawn+join, one by one", |operations| async move {
        for number in 0..operations {
            black_box(
                tokio::spawn(async move { number })
                    .await
                    .expect("it does not panic"),
            );
        }
    });
    bench.row("spawn 1000, join all (per task)", |operations| async move {
        let mut handles = Vec::with_capacity(CROWD as usize);
        for _ in 0..operations.div_ceil(CROWD) {
            handles.extend((0..CROWD).map(|number| tokio::spawn(async move { number })));
            for handle in handles.drain(..) {
                black_box(handle.await.expect("it does not panic"));
            }
        }
    });
    bench.row(
        "JoinSet: spawn 1000, join_next (per task)",
        |operations| async move {
            for _ in 0..operations.div_ceil(CROWD) {
                let mut set = JoinSet::new();
                for number in 0..CROWD {
                    set.spawn(async move { number });
                }
                while let Some(joined) = set.join_next().await {
                    black_box(joined.expect("it does not panic"));
                }
            }
        },
    );
    bench.row("yield_now", |operations| async move {
        for _ in 0..operations {
            yield_now().await;
        }
    });
    bench.timed_row("spawn_blocking round trip", |operations| async move {
        for number in 0..operations {
            black_box(
                spawn_blocking(move || number)
                    .await
                    .expect("it does not panic"),
            );
        }
    });
    bench.bytes_row("bytes of an idle task", |number| async move {
        crowd(number, || tokio::spawn(std::future::pending())).await
    });
    bench.bytes_row("bytes of a sleeping task", |number| async move {
        let sleeper = || tokio::spawn(tokio::time::sleep(Duration::from_secs(3600)));
        crowd(number, sleeper).await
    });
}

/// Spawns many, and returns once each was polled.
async fn crowd(number: u64, spawn: impl Fn() -> JoinHandle<()>) -> Vec<JoinHandle<()>> {
    let mut crowd = Vec::new();
    crowd.reserve_exact(number as usize);
    for _ in 0..number {
        crowd.push(spawn());
    }
    // Queues are first in, first out; other workers are given time besides.
    tokio::time::sleep(Duration::from_millis(50)).await;
    crowd
}
