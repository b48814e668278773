//! What becomes of jobs when threads come and go, and when the pool shuts down.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use yamanote_pool::{Config, Job, Pool};

fn pool(threads_max: usize, keep_alive: Duration) -> Pool {
    Pool::new(Config::plain("pool-test", threads_max, keep_alive))
}

#[test]
fn shutting_down_cancels_what_waits_but_for_the_mandatory() {
    let pool = pool(1, Duration::from_secs(10));
    let (go, gate) = mpsc::channel::<()>();
    let (tx, rx) = mpsc::channel();
    let (begin, begun) = mpsc::channel();
    let first = Job::new(move || {
        begin.send(()).unwrap();
        gate.recv().unwrap();
    });
    pool.submit(first).unwrap();
    begun.recv().unwrap();
    let dropped = tx.clone();
    pool.submit(Job::new(move || dropped.send("optional").unwrap()))
        .unwrap();
    pool.submit(Job::mandatory(move || tx.send("mandatory").unwrap()))
        .unwrap();
    assert!(!pool.shut_down(Some(Duration::from_millis(10))));
    go.send(()).unwrap();
    assert!(pool.shut_down(None));
    assert_eq!(rx.iter().collect::<Vec<_>>(), ["mandatory"]);
}

#[test]
fn no_job_is_lost_when_threads_come_and_go() {
    let pool = pool(4, Duration::from_micros(50));
    let (tx, rx) = mpsc::channel();
    for i in 0..2000 {
        let tx = tx.clone();
        pool.submit(Job::new(move || tx.send(i).unwrap())).unwrap();
        if i % 64 == 0 {
            // Waits until all threads are gone or idle, so that leaving races with submitting.
            while pool.queue_depth() > 0 {
                thread::yield_now();
            }
        }
    }
    let mut seen: Vec<i32> = rx.iter().take(2000).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..2000).collect::<Vec<_>>());
    assert!(pool.shut_down(None));
    assert_eq!(pool.threads(), 0);
}
