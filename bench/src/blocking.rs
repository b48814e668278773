//! What does `spawn_blocking` cost, with few and many callers, at full speed and at a low rate?
//!
//! Prints `callers, workers, rate, microseconds a call, CPU microseconds a call`. A rate of 0 is
//! full speed; else each caller sleeps between its calls, and the time of a call is that without
//! the sleep.

use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::task::{JoinSet, spawn_blocking};

/// How long each measurement takes, about.
const SAMPLE: Duration = Duration::from_millis(400);

fn main() {
    for workers in [1, 2] {
        for callers in [1, 2, 8, 16] {
            measure(workers, callers, 0);
        }
        measure(workers, 1, 1000);
    }
}

fn measure(workers: usize, callers: u32, rate: u32) {
    let mut builder = if workers == 1 {
        Builder::new_current_thread()
    } else {
        Builder::new_multi_thread()
    };
    let runtime = builder
        .worker_threads(workers)
        .enable_all()
        .build()
        .expect("a benchmark needs its runtime");
    // The threads are there when the measurement begins.
    runtime.block_on(calls(callers, 0, Duration::from_millis(50)));
    let cpu_before = cpu_nanos();
    let (calls, busy) = runtime.block_on(calls(callers, rate, SAMPLE));
    let cpu = (cpu_nanos() - cpu_before) as f64 / 1e3 / calls as f64;
    let wall = busy.as_secs_f64() * 1e6 / calls as f64;
    println!("{callers}\t{workers}\t{rate}\t{wall:.2}\t{cpu:.2}");
}

/// Returns how many calls there were, and how long they have taken.
async fn calls(callers: u32, rate: u32, limit: Duration) -> (u64, Duration) {
    let begin = Instant::now();
    let mut all = JoinSet::new();
    for _ in 0..callers {
        all.spawn(call_until(begin + limit, rate));
    }
    let results = all.join_all().await;
    let calls = results.iter().map(|(calls, _)| calls).sum();
    let busy = match rate {
        0 => begin.elapsed(),
        _ => results.iter().map(|(_, busy)| *busy).sum(),
    };
    (calls, busy)
}

async fn call_until(end: Instant, rate: u32) -> (u64, Duration) {
    let (mut calls, mut busy) = (0, Duration::ZERO);
    while Instant::now() < end {
        let called = Instant::now();
        let call = spawn_blocking(|| calls_nobody(7));
        call.await.expect("it does not panic");
        busy += called.elapsed();
        calls += 1;
        if rate > 0 {
            tokio::time::sleep(Duration::from_secs(1) / rate).await;
        }
    }
    (calls, busy)
}

fn calls_nobody(n: u64) -> u64 {
    std::hint::black_box(n)
}

/// The CPU time that the threads of this process have used.
fn cpu_nanos() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("proc is there");
    tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|line| line.split(' ').next()?.parse::<u64>().ok())
        .sum()
}
