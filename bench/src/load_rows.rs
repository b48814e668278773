//! What work costs that comes from many places at once, and what it costs when there is little.

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
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
    bench.figure_row("1000 requests a second (each)", "us of CPU", || async {
        requests().await.cpu_us
    });
    bench.figure_row("1000 requests a second (each)", "sleeps", || async {
        requests().await.sleeps
    });
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

/// What a request costs at a low rate: of the process, but for the client.
struct Cost {
    cpu_us: f64,
    sleeps: f64,
}

/// A client on a thread of its own asks a thousand times a second, over a socket.
async fn requests() -> Cost {
    const REQUESTS: u64 = 400;
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("there are ports");
    let address = listener.local_addr().expect("it is bound");
    let of_client = Arc::new([const { AtomicU64::new(0) }; 2]);
    let told = of_client.clone();
    let before = (cpu_nanos(), sleeps());
    let client = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("it is connected");
        let begin = Instant::now();
        for number in 0..REQUESTS {
            let due = begin + Duration::from_millis(number);
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let mut bytes = [1; 64];
            stream.write_all(&bytes).expect("it is read");
            stream.read_exact(&mut bytes).expect("it is answered");
        }
        // Relaxed: read once the stream is at its end.
        told[0].store(cpu_of("thread-self"), Ordering::Relaxed);
        told[1].store(sleeps_of("thread-self"), Ordering::Relaxed);
        stream
            .shutdown(std::net::Shutdown::Write)
            .expect("it is open");
        stream.read_exact(&mut [0]).expect_err("the server closes");
    });
    let (mut stream, _) = listener.accept().await.expect("it connects");
    let mut bytes = [0; 64];
    while stream.read_exact(&mut bytes).await.is_ok() {
        stream.write_all(&bytes).await.expect("it is read");
    }
    let after = (cpu_nanos(), sleeps());
    drop(stream);
    client.join().expect("it does not panic");
    // Relaxed: see above.
    let of_client = [0, 1].map(|at| of_client[at].load(Ordering::Relaxed));
    let each = |all: u64| all as f64 / REQUESTS as f64;
    Cost {
        cpu_us: each((after.0 - before.0).saturating_sub(of_client[0])) / 1e3,
        sleeps: each((after.1 - before.1).saturating_sub(of_client[1])),
    }
}

/// Nanoseconds of processor time that the threads of this process have used.
pub(crate) fn cpu_nanos() -> u64 {
    of_threads(cpu_of)
}

/// How often threads of this process went to sleep.
fn sleeps() -> u64 {
    of_threads(sleeps_of)
}

fn of_threads(what: impl Fn(&str) -> u64) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("proc is there");
    let names = tasks.flatten().map(|task| task.file_name());
    names
        .filter_map(|name| Some(what(&format!("self/task/{}", name.to_str()?))))
        .sum()
}

/// Of a thread that may be gone.
fn cpu_of(thread: &str) -> u64 {
    let line = std::fs::read_to_string(format!("/proc/{thread}/schedstat"));
    let first = line
        .ok()
        .and_then(|line| line.split(' ').next()?.parse().ok());
    first.unwrap_or(0)
}

fn sleeps_of(thread: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status"));
    let status = status.unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|number| number.trim().parse().ok())
        .unwrap_or(0)
}
