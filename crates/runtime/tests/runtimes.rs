//! Runtimes from outside: they run tasks, wait, wake across threads, and end in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use yamanote_runtime::yield_now::yield_now;
use yamanote_runtime::{Builder, Runtime, block_in_place, spawn, spawn_blocking};

fn each_flavor(test: impl Fn(Runtime)) {
    test(Builder::new_current_thread().enable_all().build().unwrap());
    for workers in [1, 2, 4] {
        let runtime = Builder::new_multi_thread()
            .worker_threads(workers)
            .enable_all()
            .build();
        test(runtime.unwrap());
    }
}

/// Counts when it is dropped.
struct Count(Arc<AtomicUsize>);

impl Drop for Count {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A task that never ends, and counts when it is dropped, be it before its first poll.
fn forever(dropped: &Arc<AtomicUsize>) -> impl Future<Output = ()> + Send + 'static {
    let count = Count(dropped.clone());
    async move {
        let _count = count;
        std::future::pending::<()>().await;
    }
}

/// Gives `i` by way of a task of its own.
async fn relayed(i: u64) -> u64 {
    yield_now().await;
    spawn(async move { i }).await.unwrap()
}

#[test]
fn tasks_spawn_tasks_and_join_them() {
    each_flavor(|runtime| {
        let sum = runtime.block_on(async {
            let tasks: Vec<_> = (0..100).map(|i| spawn(relayed(i))).collect();
            let mut sum = 0;
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        });
        assert_eq!(sum, 4950);
        assert_eq!(runtime.metrics().num_alive_tasks(), 0);
    });
}

#[test]
fn blocking_work_gives_its_output_and_its_panic() {
    each_flavor(|runtime| {
        runtime.block_on(async {
            assert_eq!(spawn_blocking(|| 5).await.unwrap(), 5);
            let error = spawn_blocking(|| panic!("in blocking work"))
                .await
                .unwrap_err();
            assert!(error.is_panic());
        });
    });
}

#[test]
fn a_panicking_task_is_an_error_of_its_joiner_only() {
    each_flavor(|runtime| {
        let error = runtime.block_on(async {
            spawn(async { panic!("a task's own affair") })
                .await
                .unwrap_err()
        });
        assert!(error.to_string().contains("a task's own affair"));
        assert_eq!(
            runtime.block_on(async { spawn(async { 1 }).await.unwrap() }),
            1
        );
    });
}

#[test]
fn an_aborted_task_is_dropped_and_says_so() {
    each_flavor(|runtime| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let error = runtime.block_on(async {
            let task = spawn(forever(&dropped));
            yield_now().await;
            task.abort();
            task.await.unwrap_err()
        });
        assert!(error.is_cancelled());
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn dropping_a_runtime_drops_ten_thousand_tasks() {
    each_flavor(|runtime| {
        let dropped = Arc::new(AtomicUsize::new(0));
        for _ in 0..10_000 {
            runtime.spawn(forever(&dropped));
        }
        runtime.block_on(yield_now());
        drop(runtime);
        assert_eq!(dropped.load(Ordering::Relaxed), 10_000);
    });
}

#[test]
fn a_runtime_may_be_shut_down_from_its_own_task() {
    for workers in [1, 2] {
        let runtime = Builder::new_multi_thread()
            .worker_threads(workers)
            .build()
            .unwrap();
        let dropped = Arc::new(AtomicUsize::new(0));
        let (tx, rx) = mpsc::channel();
        for _ in 0..10_000 {
            runtime.spawn(forever(&dropped));
        }
        let handle = runtime.handle().clone();
        handle.spawn(async move {
            runtime.shutdown_background();
            tx.send(()).unwrap();
        });
        rx.recv().unwrap();
        // The workers cancel the tasks after the task that shut down has ended.
        while dropped.load(Ordering::Relaxed) < 10_000 {
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_worker_that_blocks_does_not_keep_others_from_running() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let (tx, rx) = mpsc::channel();
    runtime.block_on(async {
        spawn(async move {
            // This one goes to the next slot of the worker that blocks here.
            spawn(async move { tx.send(()).unwrap() });
            rx.recv_timeout(Duration::from_secs(10))
                .expect("the other worker ran it");
        })
        .await
        .unwrap();
    });
}

#[test]
fn block_in_place_hands_the_worker_over() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let value = runtime.block_on(async {
        spawn(async {
            let (tx, rx) = mpsc::channel();
            spawn(async move { tx.send(7).unwrap() });
            block_in_place(|| rx.recv().unwrap())
        })
        .await
        .unwrap()
    });
    assert_eq!(value, 7);
}

/// Pending once, then woken by a thread of its own.
async fn woken_by_a_thread() {
    let mut started = false;
    std::future::poll_fn(move |cx| {
        if std::mem::replace(&mut started, true) {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        std::thread::spawn(move || waker.wake());
        Poll::Pending
    })
    .await;
}

#[test]
fn tasks_are_woken_from_foreign_threads() {
    each_flavor(|runtime| {
        runtime.block_on(async {
            for _ in 0..1000 {
                spawn(woken_by_a_thread()).await.unwrap();
            }
        });
    });
}

#[test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
fn blocking_inside_a_runtime_is_refused() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let handle = runtime.handle().clone();
    runtime.block_on(async move { handle.block_on(async {}) });
}

#[test]
fn a_panicking_hook_harms_no_task() {
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        builder.worker_threads(1);
        builder.on_before_task_poll(|_| panic!("in a hook"));
        builder.on_thread_park(|| panic!("in another hook"));
        let runtime = builder.enable_all().build().unwrap();
        let value = runtime.block_on(async {
            let join = spawn(async {
                yield_now().await;
                5
            });
            join.await.unwrap()
        });
        assert_eq!(value, 5);
    }
}

/// Leaves its waker in `waiting` twice, then ends.
async fn woken_twice(waiting: Arc<Mutex<Option<Waker>>>) {
    let mut polls = 0;
    std::future::poll_fn(move |cx| {
        polls += 1;
        *waiting.lock().unwrap() = Some(cx.waker().clone());
        if polls == 3 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

#[test]
fn a_task_that_a_park_hook_wakes_runs_at_once() {
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let waiting: Arc<Mutex<Option<Waker>>> = Arc::default();
        let hooked = waiting.clone();
        builder.worker_threads(2).on_thread_park(move || {
            let waker = hooked.lock().unwrap().take();
            waker.into_iter().for_each(Waker::wake);
        });
        let runtime = builder.build().unwrap();
        runtime.block_on(async { spawn(woken_twice(waiting.clone())).await.unwrap() });
        // The last waker holds the runtime's scheduler, which holds the hook.
        drop(waiting.lock().unwrap().take());
    }
}
