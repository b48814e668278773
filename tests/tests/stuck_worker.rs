//! A worker that is stuck in a long poll strands neither its sockets nor its timers.

use std::future::Future;
use std::io::Write;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, worker_index};
use tokio::task::JoinHandle;

/// Spawns `waits` on the caller's worker, begins it there, and blocks the worker until it ends.
///
/// `begun` is called when it waits. Returns `false` if another worker took it: try again.
async fn block_over<F>(waits: F, begun: impl FnOnce()) -> bool
where
    F: Future<Output = ()> + Send + 'static,
{
    let (ended, end) = mpsc::channel();
    let (polled, poll) = mpsc::channel();
    let task = tokio::spawn(async move {
        polled.send(worker_index()).unwrap();
        waits.await;
        ended.send(()).unwrap();
    });
    let here = loop {
        tokio::task::yield_now().await;
        if let Ok(there) = poll.try_recv() {
            break there == worker_index();
        }
    };
    if !here {
        task.abort();
        return false;
    }
    begun();
    end.recv_timeout(Duration::from_secs(20))
        .expect("another thread turned the driver");
    true
}

fn on_two_workers<F: Future<Output = ()> + Send + 'static>(test: F) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::spawn(test).await.unwrap() });
}

#[test]
fn its_sockets_are_read_by_the_other_worker() {
    on_two_workers(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        loop {
            let mut client = std::net::TcpStream::connect(addr).unwrap();
            let (mut server, _) = listener.accept().await.unwrap();
            let read = async move {
                server.read_exact(&mut [0; 4]).await.unwrap();
            };
            if block_over(read, move || client.write_all(b"ping").unwrap()).await {
                return;
            }
        }
    });
}

/// The least time that an answer takes, of those that a worker waits for which does nothing else.
fn fastest_answer(client: &mut std::net::TcpStream, answers: &mpsc::Receiver<()>) -> Duration {
    let ask = |_| {
        let asked = Instant::now();
        client.write_all(&[1]).unwrap();
        let answer = answers.recv_timeout(Duration::from_secs(20));
        answer.expect("another thread turned the driver");
        asked.elapsed()
    };
    (0..20).map(ask).min().expect("it has asked")
}

/// The monitor looks each 10 ms; what comes meanwhile is another worker's.
#[test]
fn its_sockets_wait_for_the_first_look_only() {
    on_two_workers(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        let (answer, answers) = mpsc::channel();
        tokio::spawn(async move {
            while server.read_u8().await.is_ok() {
                answer.send(()).unwrap();
            }
        });
        let fastest = fastest_answer(&mut client, &answers);
        assert!(fastest < Duration::from_millis(5), "{fastest:?}");
    });
}

#[test]
fn its_timers_fire_on_the_other_worker() {
    on_two_workers(async {
        let sleep = || tokio::time::sleep(Duration::from_millis(30));
        while !block_over(sleep(), || ()).await {}
    });
}

/// Polls of 15 ms, one after the other.
async fn poll_long() {
    for _ in 0..60 {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(15) {
            std::hint::spin_loop();
        }
        tokio::task::yield_now().await;
    }
}

async fn tick() {
    let mut interval = tokio::time::interval(Duration::from_millis(5));
    loop {
        interval.tick().await;
    }
}

/// What is due would only come between what waits already.
#[test]
fn its_timers_wait_while_the_other_worker_has_enough_to_do() {
    on_two_workers(async {
        let ticks: Vec<_> = (0..8).map(|_| tokio::spawn(tick())).collect();
        let polls: Vec<_> = (0..4).map(|_| tokio::spawn(poll_long())).collect();
        let metrics = Handle::current().metrics();
        let before = metrics.remote_schedule_count();
        for poll in polls {
            poll.await.unwrap();
        }
        let injected = metrics.remote_schedule_count() - before;
        ticks.iter().for_each(JoinHandle::abort);
        assert!(injected < 45, "{injected} tasks were taken from a worker");
    });
}
