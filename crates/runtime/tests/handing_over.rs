//! Workers that are handed to another thread, or cannot be, at odd moments.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use yamanote_runtime::{Builder, Handle, block_in_place, spawn};

use support::{Tells, workers};

const SOON: Duration = Duration::from_secs(20);

/// Blocks when it is dropped, on a future, as destructors do that have something to finish.
struct Blocks(Arc<AtomicUsize>);

impl Drop for Blocks {
    fn drop(&mut self) {
        block_in_place(|| Handle::current().block_on(async {}));
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_worker_that_no_thread_takes_over_any_more_drops_its_tasks() {
    for count in [1, 2] {
        let runtime = workers(count);
        let (dropped, drops) = mpsc::channel();
        let (begin, begun) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let (end, ended) = mpsc::channel();
        let waits = runtime.spawn(async move {
            let _tells = Tells(dropped);
            begin.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        begun.recv().unwrap();
        let (begin, begun) = mpsc::channel();
        runtime.spawn(async move {
            begin.send(()).unwrap();
            gate.recv().unwrap();
            end.send(block_in_place(|| 7)).unwrap();
        });
        begun.recv().unwrap();
        let handle = runtime.handle().clone();
        runtime.shutdown_background();
        go.send(()).unwrap();
        assert_eq!(ended.recv_timeout(SOON), Ok(7));
        assert_eq!(drops.recv_timeout(SOON), Ok(()), "of {count} workers");
        assert!(handle.block_on(waits).unwrap_err().is_cancelled());
    }
}

#[test]
fn destructors_may_block_in_place_while_a_runtime_ends_and_cost_no_thread() {
    for _ in 0..50 {
        let (threads, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let started = threads.clone();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .on_thread_start(move || _ = started.fetch_add(1, Ordering::Relaxed))
            .build()
            .unwrap();
        let (begin, begun) = mpsc::channel();
        for _ in 0..4 {
            let (blocks, begin) = (Blocks(dropped.clone()), begin.clone());
            runtime.spawn(async move {
                let _blocks = blocks;
                begin.send(()).unwrap();
                std::future::pending::<()>().await;
            });
        }
        (0..4).for_each(|_| begun.recv().unwrap());
        // What is dropped by its own poll may cost a thread, as any other task.
        let metrics = runtime.metrics();
        let is_parked = |worker| metrics.worker_park_unpark_count(worker) % 2 == 1;
        while !(0..2).all(is_parked) {
            thread::yield_now();
        }
        drop(runtime);
        assert_eq!(dropped.load(Ordering::Relaxed), 4);
        assert_eq!(threads.load(Ordering::Relaxed), 2);
    }
}

#[test]
fn callbacks_of_a_worker_may_block_in_place_and_cost_no_thread() {
    let threads = Arc::new(AtomicUsize::new(0));
    let (started, called) = (threads.clone(), Arc::new(AtomicBool::new(false)));
    let noted = called.clone();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(move || _ = started.fetch_add(1, Ordering::Relaxed))
        .on_thread_park(move || block_in_place(|| noted.store(true, Ordering::Relaxed)))
        .on_thread_unpark(|| block_in_place(|| ()))
        .build()
        .unwrap();
    let is_called = || called.load(Ordering::Relaxed);
    // On a busy machine the worker may have the next task each time before it sleeps.
    for _ in (0..100_000).take_while(|tasks| *tasks < 20 || !is_called()) {
        runtime.block_on(runtime.spawn(async {})).unwrap();
    }
    drop(runtime);
    assert!(is_called());
    assert_eq!(threads.load(Ordering::Relaxed), 1);
}

#[test]
fn wakers_that_a_driver_calls_may_block_in_place_and_cost_no_thread() {
    struct BlocksWhenWoken(mpsc::Sender<()>);

    impl std::task::Wake for BlocksWhenWoken {
        fn wake(self: Arc<Self>) {
            block_in_place(|| self.0.send(()).unwrap());
        }
    }

    let threads = Arc::new(AtomicUsize::new(0));
    let started = threads.clone();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(move || _ = started.fetch_add(1, Ordering::Relaxed))
        .enable_all()
        .build()
        .unwrap();
    for _ in 0..5 {
        let (woken, wakes) = mpsc::channel();
        let _guard = runtime.enter();
        let mut sleep = yamanote_base::hooks::sleep(Duration::from_millis(1));
        let waker = std::task::Waker::from(Arc::new(BlocksWhenWoken(woken)));
        let mut cx = std::task::Context::from_waker(&waker);
        assert!(sleep.as_mut().poll(&mut cx).is_pending());
        assert_eq!(wakes.recv_timeout(SOON), Ok(()));
        let task = runtime.spawn(async { spawn(async { 5 }).await.unwrap() });
        assert_eq!(runtime.block_on(task).unwrap(), 5);
    }
    drop(runtime);
    assert_eq!(threads.load(Ordering::Relaxed), 1);
}

#[test]
fn a_worker_that_is_handed_over_stays_with_its_runtime_whichever_one_is_entered() {
    let (runtime, other) = (workers(1), workers(1));
    let (home, entered) = (runtime.handle().id(), other.handle().clone());
    let blocks = runtime.spawn(async move {
        let _guard = entered.enter();
        // Waits for a task that its own worker runs meanwhile, on another thread.
        block_in_place(|| {
            let (tx, rx) = mpsc::channel();
            drop(_guard);
            let elsewhere = Handle::current();
            elsewhere.spawn(async move { tx.send(Handle::current().id()).unwrap() });
            rx.recv_timeout(SOON)
        })
    });
    assert_eq!(runtime.block_on(blocks).unwrap(), Ok(home));
    drop(other);
    let task = async { spawn(async { Handle::current().id() }).await.unwrap() };
    assert_eq!(runtime.block_on(runtime.spawn(task)).unwrap(), home);
}
