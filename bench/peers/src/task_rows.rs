//! Tasks, yields, timeouts and blocking work, as each of these runtimes offers them.

use std::future::{pending, ready};
use std::hint::black_box;
use std::mem::ManuallyDrop;
use std::time::Duration;

use crate::measure::Bench;
use crate::runtime::{self, Task};

const CROWD: u64 = 1000;
const LONG: Duration = Duration::from_secs(30);

pub(crate) fn run(bench: &mut Bench) {
    bench.row("spawn+join, one by one", |operations| async move {
        for number in 0..operations {
            black_box(runtime::join(runtime::spawn(async move { number })).await);
        }
    });
    bench.row("spawn 1000, join all (per task)", |operations| async move {
        let mut tasks = Vec::with_capacity(CROWD as usize);
        for _ in 0..operations.div_ceil(CROWD) {
            tasks.extend((0..CROWD).map(|number| runtime::spawn(async move { number })));
            for task in tasks.drain(..) {
                black_box(runtime::join(task).await);
            }
        }
    });
    bench.row("yield_now", |operations| async move {
        for _ in 0..operations {
            runtime::yield_now().await;
        }
    });
    bench.row("timeout around ready", |operations| async move {
        for number in 0..operations {
            black_box(runtime::timeout(LONG, ready(number)).await);
        }
    });
    bench.row("timeout around a yield", |operations| async move {
        for _ in 0..operations {
            runtime::timeout(LONG, runtime::yield_now()).await;
        }
    });
    bench.timed_row("spawn_blocking round trip", |operations| async move {
        for number in 0..operations {
            black_box(runtime::spawn_blocking(move || number).await);
        }
    });
    bench.bytes_row("bytes of an idle task", |number| {
        crowd(number, || runtime::spawn(pending()))
    });
    bench.bytes_row("bytes of a sleeping task", |number| {
        crowd(number, || {
            runtime::spawn(runtime::sleep(Duration::from_secs(3600)))
        })
    });
}

/// Spawns many, and returns once each was polled. They are left to the runtime: some may only be
/// dropped where one runs.
async fn crowd(number: u64, spawn: impl Fn() -> Task<()>) -> ManuallyDrop<Vec<Task<()>>> {
    let mut crowd = Vec::new();
    crowd.reserve_exact(number as usize);
    for _ in 0..number {
        crowd.push(spawn());
    }
    runtime::sleep(Duration::from_millis(50)).await;
    ManuallyDrop::new(crowd)
}
