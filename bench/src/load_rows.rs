//! What work costs that comes from many places at once.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{sleep, timeout};

use crate::measure::{Bench, Flavor, Runs};
use crate::runtime::Runtime;

const FAMILIES: u64 = 64;
const STAGES: usize = 16;
/// Of timeouts that do not fire: long enough.
const LONG: Duration = Duration::from_secs(30);

pub(crate) fn run(bench: &mut Bench) {
    let name = "timeout in 64 tasks beside 100000 timers (per timeout)";
    let sleepers = |runtime: &Runtime| runtime.run(sleepers());
    bench.prepared_row_on(
        &[Flavor::Two, Flavor::Eight],
        name,
        sleepers,
        |operations| async move {
            let families = (0..FAMILIES).map(|_| tokio::spawn(timeouts(operations / FAMILIES)));
            for family in families.collect::<Vec<_>>() {
                family.await.expect("it does not panic");
            }
        },
    );
    let name = "one million timeouts a second that never fire (each)";
    bench.figure_row(name, "ns of CPU", million_timeouts);
    bench.timed_row("chain of 16 tasks (per message)", chain);
}

/// Tasks that wait for timers on all workers.
async fn sleepers() {
    for _ in 0..100_000 {
        tokio::spawn(sleep(100 * LONG));
    }
    sleep(Duration::from_millis(50)).await;
}

async fn timeouts(number: u64) {
    for _ in 0..number {
        timeout(LONG, yield_now()).await.expect("a yield is short");
    }
}

/// CPU nanoseconds of a timeout, when 64 tasks make a million of them a second.
async fn million_timeouts() -> f64 {
    const MILLISECONDS: u64 = 300;
    const EACH: u64 = 1000 / FAMILIES;
    let before = cpu_nanos();
    let families = (0..FAMILIES).map(|_| {
        tokio::spawn(async {
            let mut ticks = tokio::time::interval(Duration::from_millis(1));
            for _ in 0..MILLISECONDS {
                ticks.tick().await;
                timeouts(EACH).await;
            }
        })
    });
    for family in families.collect::<Vec<_>>() {
        family.await.expect("it does not panic");
    }
    (cpu_nanos() - before) as f64 / (MILLISECONDS * EACH * FAMILIES) as f64
}

/// Messages go from task to task, as many as the channels take.
async fn chain(messages: u64) {
    let (first, mut last) = mpsc::channel(100);
    for _ in 0..STAGES {
        let (sender, receiver) = mpsc::channel(100);
        let from = std::mem::replace(&mut last, receiver);
        tokio::spawn(pass_on(from, sender));
    }
    tokio::spawn(async move {
        for number in 0..messages {
            first.send(number).await.expect("it is received");
        }
    });
    while let Some(message) = last.recv().await {
        black_box(message);
    }
}

async fn pass_on(mut from: mpsc::Receiver<u64>, to: mpsc::Sender<u64>) {
    while let Some(message) = from.recv().await {
        if to.send(message).await.is_err() {
            return;
        }
    }
}

/// Nanoseconds of processor time that the threads of this process have used.
fn cpu_nanos() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("proc is there");
    tasks.flatten().map(|task| cpu_of(&task.path())).sum()
}

/// Of a thread that may be gone.
fn cpu_of(thread: &Path) -> u64 {
    let line = std::fs::read_to_string(thread.join("schedstat"));
    let first = line
        .ok()
        .and_then(|line| line.split(' ').next()?.parse().ok());
    first.unwrap_or(0)
}
