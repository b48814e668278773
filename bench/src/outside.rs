//! What it costs to have something done for a thread that is no worker.
//!
//! `outside-.. ct|mt blocking|task THREADS` reads for how many milliseconds so many threads are to
//! call, each again and again when it has its answer, and prints `calls, nanoseconds`; and again,
//! until its input ends.

mod builder;

use std::future::pending;
use std::hint::black_box;
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [flavor, what, threads] = [0, 1, 2].map(|at| args.get(at).map_or("", String::as_str));
    let call = match what {
        "blocking" => call_blocking,
        _ => call_task,
    };
    let threads = threads.parse().map_err(io::Error::other)?;
    let runtime = builder::of((flavor == "mt").then_some(2)).build()?;
    let callers = Callers::start(threads, runtime.handle(), call);
    thread::spawn(move || {
        callers.obey().expect("who reads this gives numbers");
        std::process::exit(0);
    });
    // The runtime has its threads to itself meanwhile.
    runtime.block_on(pending())
}

/// A thread's call, which waits for its answer.
type Call = fn(&Handle, u64);

fn call_blocking(handle: &Handle, number: u64) {
    let (tell, told) = mpsc::channel();
    drop(handle.spawn_blocking(move || tell.send(black_box(number))));
    black_box(told.recv().expect("it is run"));
}

fn call_task(handle: &Handle, number: u64) {
    let (tell, told) = mpsc::channel();
    drop(handle.spawn(async move { tell.send(black_box(number)) }));
    black_box(told.recv().expect("it is run"));
}

/// How often a thread has called when that time has come.
fn call_until(end: Instant, handle: &Handle, call: Call) -> u64 {
    let mut calls = 0;
    while Instant::now() < end {
        call(handle, calls);
        calls += 1;
    }
    calls
}

/// Threads that call until they are told to stop, then say how often.
struct Callers {
    until: Vec<mpsc::Sender<Instant>>,
    calls: mpsc::Receiver<u64>,
}

impl Callers {
    fn start(threads: usize, handle: &Handle, call: Call) -> Self {
        let (tell, calls) = mpsc::channel();
        let until = (0..threads).map(|_| {
            let (until, orders) = mpsc::channel();
            let (handle, tell) = (handle.clone(), tell.clone());
            thread::spawn(move || {
                for end in orders {
                    let calls = call_until(end, &handle, call);
                    tell.send(calls).expect("it is waited for");
                }
            });
            until
        });
        Self {
            until: until.collect(),
            calls,
        }
    }

    fn obey(&self) -> io::Result<()> {
        for line in io::stdin().lines() {
            let ms = line?.parse().map_err(io::Error::other)?;
            let begin = Instant::now();
            for until in &self.until {
                let end = begin + Duration::from_millis(ms);
                until.send(end).map_err(io::Error::other)?;
            }
            let told = self.calls.iter().take(self.until.len());
            println!("{}\t{}", told.sum::<u64>(), begin.elapsed().as_nanos());
        }
        Ok(())
    }
}
