//! What it costs to have something done for a thread that is no worker.

use std::hint::black_box;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::load_rows::cpu_nanos;
use crate::measure::Bench;

/// Calls of all threads in a round: with more threads, each makes fewer.
const CALLS: u64 = 1024;
/// Short rounds, many: in some of them the system gives a core to somebody else, or takes long
/// to wake a thread up. Their median is of the others.
const ROUNDS: usize = 101;

pub(crate) fn run(bench: &mut Bench) {
    for threads in [1, 2, 8, 16] {
        let name = format!("spawn_blocking from {threads} threads (per call)");
        bench.figure_row(&name, "ns", move || async move {
            rounds(threads, call_blocking).await.nanos
        });
        bench.figure_row(&name, "ns of CPU", move || async move {
            rounds(threads, call_blocking).await.cpu_nanos
        });
    }
    let name = "spawn from outside, and its answer";
    bench.figure_row(name, "ns", || async { rounds(1, call_task).await.nanos });
}

/// What a call takes in the median of the rounds.
struct Cost {
    nanos: f64,
    cpu_nanos: f64,
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

/// Many `threads` call at once, round by round; the threads are the same in all.
async fn rounds(threads: usize, call: Call) -> Cost {
    let handle = Handle::current();
    let (tell, told) = oneshot::channel();
    // The runtime has its threads to itself meanwhile.
    thread::spawn(move || tell.send(rounds_outside(&handle, threads, call)).is_ok());
    told.await.expect("it does not panic")
}

fn rounds_outside(handle: &Handle, threads: usize, call: Call) -> Cost {
    let gate = Arc::new(Barrier::new(threads + 1));
    let callers = (0..threads).map(|_| {
        let (handle, gate) = (handle.clone(), gate.clone());
        thread::spawn(move || {
            for _ in 0..ROUNDS {
                gate.wait();
                (0..CALLS / threads as u64).for_each(|number| call(&handle, number));
                gate.wait();
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    let (mut nanos, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = cpu_nanos();
        let begin = Instant::now();
        gate.wait();
        gate.wait();
        nanos.push(begin.elapsed().as_nanos() as f64 / CALLS as f64);
        cpu.push((cpu_nanos() - before) as f64 / CALLS as f64);
    }
    for caller in callers {
        caller.join().expect("it does not panic");
    }
    Cost {
        nanos: median(nanos),
        cpu_nanos: median(cpu),
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
