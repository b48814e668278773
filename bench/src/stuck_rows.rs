//! What becomes of others while a worker is stuck in a long poll, or all have plenty to do.
//!
//! Each row is a pathology that stands open in Tokio's tracker; its figure is a delay.

use std::future::Future;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::measure::{Bench, Flavor};

/// A poll that is far too long.
const STUCK: Duration = Duration::from_millis(60);
/// How often a task is woken behind such a poll, and how long no poll is long before.
const OFTEN: (usize, Duration) = (15, Duration::from_millis(5));
/// The same, where nobody expects it.
const ONCE: (usize, Duration) = (1, Duration::from_secs(1));
/// How long the rows with a load take.
const LOADED: Duration = Duration::from_millis(400);
/// Tasks that always have something to do, and how long each of their polls takes.
const BUSY: usize = 1000;
const BUSY_POLL: Duration = Duration::from_micros(10);

pub(crate) fn run(bench: &mut Bench) {
    let two = [Flavor::Two];
    // tokio-rs/tokio#4941
    bench.figure_row_on(
        &two,
        "woken behind a poll of 60 ms, median delay",
        "us",
        || woken_behind(OFTEN, STUCK),
    );
    bench.figure_row_on(
        &two,
        "woken behind the first poll of 300 ms, beside short ones, delay",
        "us",
        || async {
            let beside = tokio::spawn(ticks(Arc::default()));
            let delay = woken_behind(ONCE, 5 * STUCK).await;
            beside.abort();
            delay
        },
    );
    // tokio-rs/tokio#4730, tokio-rs/tokio#6315
    bench.figure_row_on(
        &two,
        "timers beside polls of 60 ms, p90 delay",
        "us",
        || async { beside_stuck_polls(ticks).await },
    );
    bench.figure_row_on(
        &two,
        "a socket beside polls of 60 ms, p90 delay",
        "us",
        || async { beside_stuck_polls(arrivals).await },
    );
    // tokio-rs/tokio#5712, tokio-rs/tokio#5720
    bench.figure_row(
        "spawned from outside beside 1000 busy tasks, median delay",
        "us",
        injected,
    );
}

/// Does nothing for others, for a while.
fn hog(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// The delay below which so many per cent are, in microseconds.
fn percentile(mut delays: Vec<Duration>, per_cent: usize) -> f64 {
    delays.sort();
    let at = delays.len() * per_cent / 100;
    let delay = delays.get(at).or(delays.last());
    delay.map_or(0.0, |delay| delay.as_secs_f64() * 1e6)
}

/// A task is woken by one that does not end its poll, while another worker has nothing to do.
async fn woken_behind((trials, calm): (usize, Duration), stuck: Duration) -> f64 {
    let mut delays = Vec::new();
    for _ in 0..trials {
        let (wake, woken) = oneshot::channel::<Instant>();
        let woken = tokio::spawn(async move {
            let begin = woken.await.expect("it is sent");
            begin.elapsed()
        });
        // It waits, and all sleep, before it is woken.
        sleep(calm).await;
        let stuck = tokio::spawn(async move {
            wake.send(Instant::now()).expect("it is awaited");
            hog(stuck);
        });
        delays.push(woken.await.expect("it does not panic"));
        stuck.await.expect("it does not panic");
    }
    percentile(delays, 50)
}

/// The delays of what `waits` waits for, while another task comes back to a poll that is too long
/// as soon as it has slept a little.
async fn beside_stuck_polls<F>(waits: impl FnOnce(Arc<AtomicBool>) -> F) -> f64
where
    F: Future<Output = Vec<Duration>> + Send + 'static,
{
    // Relaxed throughout: a flag behind which there is nothing.
    let done = Arc::new(AtomicBool::new(false));
    let waits = tokio::spawn(waits(done.clone()));
    let ends = done.clone();
    let stuck = tokio::spawn(async move {
        let begin = Instant::now();
        while begin.elapsed() < LOADED {
            sleep(Duration::from_millis(2)).await;
            hog(STUCK);
        }
        ends.store(true, Ordering::Relaxed);
    });
    stuck.await.expect("it does not panic");
    percentile(waits.await.expect("it does not panic"), 90)
}

/// How much too late timers fire.
async fn ticks(done: Arc<AtomicBool>) -> Vec<Duration> {
    const TICK: Duration = Duration::from_millis(1);
    let mut delays = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let begin = Instant::now();
        sleep(TICK).await;
        delays.push(begin.elapsed().saturating_sub(TICK));
    }
    delays
}

/// How long after it was sent a byte is read.
async fn arrivals(done: Arc<AtomicBool>) -> Vec<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are ports");
    let address = listener.local_addr().expect("it is bound");
    let mut near = TcpStream::connect(address).expect("it listens");
    near.set_nodelay(true).expect("it is connected");
    let (far, _) = listener.accept().expect("it was connected");
    far.set_nonblocking(true).expect("it is open");
    let mut far = tokio::net::TcpStream::from_std(far).expect("it is a socket");
    let begin = Instant::now();
    let sending = thread::spawn(move || {
        while !done.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
            let now = begin.elapsed().as_nanos() as u64;
            near.write_all(&now.to_le_bytes()).expect("it is read");
        }
    });
    let (mut delays, mut stamp) = (Vec::new(), [0; 8]);
    // Until the sender ends, and closes.
    while far.read_exact(&mut stamp).await.is_ok() {
        let sent = Duration::from_nanos(u64::from_le_bytes(stamp));
        delays.push(begin.elapsed().saturating_sub(sent));
    }
    sending.join().expect("it does not panic");
    delays
}

/// How long a task that is spawned from outside waits, when each worker has many to run.
async fn injected() -> f64 {
    let done = Arc::new(AtomicBool::new(false));
    let busy = (0..BUSY).map(|_| {
        let done = done.clone();
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                hog(BUSY_POLL);
                yield_now().await;
            }
        })
    });
    let busy: Vec<_> = busy.collect();
    let (handle, ends) = (Handle::current(), done.clone());
    let outside = thread::spawn(move || {
        let (mut delays, begin) = (Vec::new(), Instant::now());
        while begin.elapsed() < LOADED {
            thread::sleep(Duration::from_millis(2));
            let (tell, told) = std::sync::mpsc::channel();
            let spawned = Instant::now();
            handle.spawn(async move { tell.send(spawned.elapsed()) });
            delays.push(told.recv().expect("it is run"));
        }
        // Relaxed: see above.
        ends.store(true, Ordering::Relaxed);
        delays
    });
    for task in busy {
        task.await.expect("it does not panic");
    }
    percentile(outside.join().expect("it does not panic"), 50)
}
