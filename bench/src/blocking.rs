//! What does `spawn_blocking` cost, with few and many callers, at full speed and at a low rate?
//!
//! Prints `callers, workers, rate, microseconds a call, CPU microseconds a call`. A rate of 0 is
//! full speed; else each caller sleeps between its calls, and the time of a call is that without
//! the sleep.
//!
//! `soak CALLS` makes that many calls from 16 threads, in bursts and with pauses in which the idle
//! threads of the pool leave. It fails if a call is not answered: then a wake-up was lost.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle};
use tokio::task::{JoinSet, spawn_blocking};

/// How long each measurement takes, about.
const SAMPLE: Duration = Duration::from_millis(400);

/// Threads of the soak.
const CALLERS: u64 = 16;
/// What a thread calls at once before it waits, at most.
const BURST: u64 = 64;
/// How long idle threads stay in the soak: about as long as a pause.
const KEEP_ALIVE: Duration = Duration::from_micros(20);
/// No call takes so long that is not lost.
const LOST: Duration = Duration::from_secs(30);

/// Threads that the pool of the soak has started.
static STARTED: AtomicU64 = AtomicU64::new(0);

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        None => measure_all(),
        Some("soak") if args.len() == 2 => {
            let calls = args[1].parse().expect("a number of calls");
            return soak(calls);
        }
        Some(_) => println!("blocking-.. [soak CALLS]"),
    }
    ExitCode::SUCCESS
}

fn measure_all() {
    for workers in [1, 2] {
        for callers in [1, 2, 8, 16] {
            measure(workers, callers, 0);
        }
        measure(workers, 1, 1000);
    }
}

fn soak(calls: u64) -> ExitCode {
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(8)
        .on_thread_start(|| {
            // Relaxed: a count.
            STARTED.fetch_add(1, Ordering::Relaxed);
        })
        .thread_keep_alive(KEEP_ALIVE)
        .build()
        .expect("a benchmark needs its runtime");
    let begin = Instant::now();
    let callers = (0..CALLERS).map(|caller| {
        let handle = runtime.handle().clone();
        thread::spawn(move || call_in_bursts(&handle, caller, calls / CALLERS))
    });
    let callers: Vec<_> = callers.collect();
    let answers = callers.into_iter().map(thread::JoinHandle::join);
    let answered: u64 = answers.map(|answered| answered.expect("it ends")).sum();
    let wanted = calls / CALLERS * CALLERS;
    // Relaxed: a count.
    let started = STARTED.load(Ordering::Relaxed);
    let took = begin.elapsed();
    println!("{answered} of {wanted} calls answered, {started} threads started, {took:?}");
    if answered == wanted {
        return ExitCode::SUCCESS;
    }
    // Threads of the pool may wait for ever.
    runtime.shutdown_background();
    ExitCode::FAILURE
}

/// How many of `calls` were answered, up to the first that was not.
fn call_in_bursts(handle: &Handle, caller: u64, calls: u64) -> u64 {
    let (tell, told) = mpsc::channel();
    let (mut answered, mut number) = (0, caller);
    while answered < calls {
        // Bursts of all lengths, in another order for each thread.
        number = number
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let burst = ((number >> 33) % BURST + 1).min(calls - answered);
        for _ in 0..burst {
            let tell = tell.clone();
            drop(handle.spawn_blocking(move || tell.send(calls_nobody(7))));
        }
        for _ in 0..burst {
            if told.recv_timeout(LOST).is_err() {
                return answered;
            }
            answered += 1;
        }
        if number >> 62 == 0 {
            thread::sleep(2 * KEEP_ALIVE);
        }
    }
    answered
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
