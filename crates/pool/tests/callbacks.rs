//! Callbacks of a pool that panic: no job is lost by that, and no count goes wrong.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use yamanote_pool::{Config, Job, Pool, Rejected, ThreadHook};

const SOON: Duration = Duration::from_secs(20);

fn config() -> Config {
    Config::plain("pool-test", 4, SOON)
}

/// Panics when it is called for the first time.
fn panics_once() -> ThreadHook {
    let calls = AtomicUsize::new(0);
    Arc::new(move || {
        if calls.fetch_add(1, Ordering::Relaxed) == 0 {
            resume_unwind(Box::new("once"));
        }
    })
}

#[test]
fn a_thread_whose_first_callback_panics_costs_no_later_job() {
    let pool = Pool::new(Config {
        on_start: Some(panics_once()),
        ..config()
    });
    let (tx, rx) = mpsc::channel();
    let submit = |number: usize| {
        let tx = tx.clone();
        pool.submit(Job::new(move || tx.send(number).unwrap()))
            .unwrap();
    };
    submit(0);
    while pool.threads() > 0 {
        thread::yield_now();
    }
    // Threads that come now do both.
    submit(1);
    let mut numbers = [rx.recv_timeout(SOON), rx.recv_timeout(SOON)];
    numbers.sort_unstable_by_key(|number| number.unwrap_or(usize::MAX));
    assert_eq!(numbers, [Ok(0), Ok(1)]);
    for number in 2..6 {
        while pool.idle_threads() < pool.threads() {
            thread::yield_now();
        }
        submit(number);
        assert_eq!(rx.recv_timeout(SOON), Ok(number));
    }
    assert!(pool.shut_down(Some(SOON)));
}

#[test]
fn a_name_that_cannot_be_made_is_told_to_who_submits_and_nothing_waits_for_the_thread() {
    let names: [fn() -> String; 2] = [|| resume_unwind(Box::new("no name")), || "\0".to_owned()];
    for name in names {
        let pool = Pool::new(Config {
            name: Arc::new(name),
            ..config()
        });
        let submit = || pool.submit(Job::new(|| ()));
        assert!(catch_unwind(AssertUnwindSafe(submit)).is_err());
        assert_eq!(pool.threads(), 0);
        assert!(pool.shut_down(Some(SOON)), "it waits for nobody");
    }
}

#[test]
fn a_job_that_no_thread_comes_for_is_dropped_when_the_pool_has_shut_down() {
    let (go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let pool = Pool::new(Config {
        on_start: Some(Arc::new(move || {
            gate.lock().unwrap().recv().unwrap();
            resume_unwind(Box::new("never"));
        })),
        ..config()
    });
    let (tx, rx) = mpsc::channel::<()>();
    let job = Job::new(move || drop(tx));
    pool.submit(job).unwrap();
    assert!(!pool.shut_down(Some(Duration::ZERO)));
    go.send(()).unwrap();
    assert!(pool.shut_down(Some(SOON)));
    assert_eq!(
        rx.recv_timeout(SOON),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
}

#[test]
fn a_job_does_not_wait_for_a_thread_that_leaves() {
    let (stop, stops) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let ends = Mutex::new((stop, gate));
    let pool = Pool::new(Config {
        threads_max: 1,
        keep_alive: Duration::ZERO,
        on_stop: Some(Arc::new(move || {
            let ends = ends.lock().unwrap();
            ends.0.send(()).unwrap();
            ends.1.recv().unwrap();
        })),
        ..config()
    });
    let (tx, rx) = mpsc::channel();
    let first = tx.clone();
    pool.submit(Job::new(move || first.send(1).unwrap()))
        .unwrap();
    assert_eq!(rx.recv_timeout(SOON), Ok(1));
    assert_eq!(stops.recv_timeout(SOON), Ok(()));
    assert_eq!(pool.threads(), 0, "it has a place for another");
    pool.submit(Job::new(move || tx.send(2).unwrap())).unwrap();
    assert_eq!(rx.recv_timeout(SOON), Ok(2));
    assert!(!pool.shut_down(Some(Duration::ZERO)), "a callback runs");
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert!(pool.shut_down(Some(SOON)));
}

#[test]
fn a_job_that_was_left_to_a_thread_that_does_not_come_is_run_by_an_idle_one() {
    let (go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let starts = AtomicUsize::new(0);
    let pool = Pool::new(Config {
        on_start: Some(Arc::new(move || {
            if starts.fetch_add(1, Ordering::Relaxed) == 1 {
                gate.lock().unwrap().recv().unwrap();
                resume_unwind(Box::new("never"));
            }
        })),
        ..config()
    });
    let (tx, rx) = mpsc::channel();
    let submit = |number: i32| {
        let tx = tx.clone();
        pool.submit(Job::new(move || tx.send(number).unwrap()))
            .unwrap();
    };
    let (end, ends) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();
    let first = Job::new(move || {
        begin.send(()).unwrap();
        ends.recv().unwrap();
    });
    pool.submit(first).unwrap();
    begun.recv().unwrap();
    // Calls the second thread; the first one is sooner.
    submit(1);
    end.send(()).unwrap();
    assert_eq!(rx.recv_timeout(SOON), Ok(1));
    while pool.idle_threads() == 0 {
        thread::yield_now();
    }
    // The second thread is said to be coming.
    submit(2);
    go.send(()).unwrap();
    assert_eq!(rx.recv_timeout(SOON), Ok(2));
    assert!(pool.shut_down(Some(SOON)));
}

#[test]
fn no_job_waits_where_the_system_makes_no_thread() {
    let (go, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let (name, names) = mpsc::channel();
    let count = AtomicUsize::new(0);
    let pool = Pool::new(Config {
        // The first one is named for as long as the test wants.
        name: Arc::new(move || {
            if count.fetch_add(1, Ordering::Relaxed) == 0 {
                name.send(()).unwrap();
                gate.lock().unwrap().recv().unwrap();
            }
            "too-large".to_owned()
        }),
        stack_size: Some(1 << (usize::BITS - 4)),
        ..config()
    });
    let (tx, rx) = mpsc::channel::<()>();
    let (first, second) = (tx.clone(), tx);
    let refused = thread::scope(|scope| {
        let refused = scope.spawn(|| pool.submit(Job::new(move || drop(first))));
        names.recv().unwrap();
        // A thread is on its way, for all that is known.
        pool.submit(Job::new(move || drop(second))).unwrap();
        go.send(()).unwrap();
        refused.join().unwrap()
    });
    assert!(matches!(refused, Err(Rejected::NoThread(_))));
    assert_eq!(
        rx.recv_timeout(SOON),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
}
