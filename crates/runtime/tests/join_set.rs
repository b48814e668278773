//! Sets of tasks: what has ended comes out, once, and nothing is lost on the way.

use std::collections::HashSet;
use std::future::{Future, pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use yamanote_runtime::{Builder, JoinSet, LocalSet, Runtime, yield_now};

fn current_thread() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("the system gives a selector")
}

fn multi_thread() -> Runtime {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("the system gives threads and selectors")
}

/// Counts when it is dropped.
struct Count(Arc<AtomicUsize>);

impl Drop for Count {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn each_output_comes_out_once() {
    for runtime in [current_thread(), multi_thread()] {
        runtime.block_on(async {
            let mut set: JoinSet<usize> = (0..1000).map(ready).collect();
            assert_eq!(set.len(), 1000);
            let mut seen = HashSet::new();
            while let Some(joined) = set.join_next_with_id().await {
                let (id, output) = joined.expect("it is not aborted");
                assert!(seen.insert((id, output)));
            }
            assert_eq!(seen.len(), 1000);
            assert!(set.is_empty() && set.try_join_next().is_none());
        });
    }
}

#[test]
fn tasks_come_out_in_the_order_in_which_they_end() {
    current_thread().block_on(async {
        let mut set = JoinSet::new();
        for yields in [4, 1, 3] {
            set.spawn(yield_often(yields));
        }
        assert_eq!(set.join_all().await, [1, 3, 4]);
    });
}

async fn yield_often(yields: usize) -> usize {
    for _ in 0..yields {
        yield_now().await;
    }
    yields
}

#[test]
fn places_are_used_again_and_late_notes_do_no_harm() {
    current_thread().block_on(async {
        let mut set = JoinSet::new();
        for round in 0..100 {
            set.spawn(async move { round });
            set.spawn(async move {
                yield_now().await;
                round
            });
            for _ in 0..2 {
                let joined = set.join_next().await.expect("two are in the set");
                assert_eq!(joined.expect("it is not aborted"), round);
            }
        }
        assert!(set.is_empty());
    });
}

#[test]
fn a_set_takes_new_tasks_after_it_let_the_old_ones_go() {
    current_thread().block_on(async {
        let mut set = JoinSet::new();
        for number in 0..10 {
            set.spawn(async move { number });
        }
        set.detach_all();
        assert_eq!(set.len(), 0);
        set.spawn(async {
            yield_now().await;
            77
        });
        // The old tasks end meanwhile, and tell a set that does not know them any more.
        yield_now().await;
        assert_eq!(set.join_all().await, [77]);
    });
}

#[test]
fn a_dropped_set_aborts_its_tasks() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let runtime = current_thread();
    runtime.block_on(async {
        let mut set = JoinSet::new();
        for _ in 0..10 {
            let count = Count(dropped.clone());
            set.spawn(async move {
                let _count = count;
                pending::<()>().await;
            });
        }
        yield_now().await;
        drop(set);
        assert_eq!(dropped.load(Ordering::SeqCst), 0);
        yield_now().await;
        assert_eq!(dropped.load(Ordering::SeqCst), 10);
    });
}

#[test]
fn shutdown_waits_for_the_destructors_and_ignores_panics() {
    let dropped = Arc::new(AtomicUsize::new(0));
    multi_thread().block_on(async {
        let mut set = JoinSet::new();
        for number in 0..10 {
            let count = Count(dropped.clone());
            set.spawn(async move {
                let _count = count;
                assert_ne!(number, 3, "the third panics");
                pending::<()>().await;
            });
        }
        set.shutdown().await;
        assert!(set.is_empty());
    });
    assert_eq!(dropped.load(Ordering::SeqCst), 10);
}

#[test]
#[should_panic = "the second panics"]
fn join_all_hands_a_panic_on() {
    current_thread().block_on(async {
        let mut set = JoinSet::new();
        for number in 0..3 {
            set.spawn(async move { assert_ne!(number, 1, "the second panics") });
        }
        set.join_all().await;
    });
}

#[test]
fn an_aborted_task_comes_out_as_cancelled() {
    current_thread().block_on(async {
        let mut set = JoinSet::new();
        let abort = set.spawn(pending::<()>());
        abort.abort();
        let error = set.join_next().await.expect("one is in the set");
        let error = error.expect_err("it was aborted");
        assert!(error.is_cancelled());
        assert_eq!(error.id(), abort.id());
    });
}

#[test]
fn a_task_that_ends_wakes_the_latest_waker_alone() {
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    let runtime = current_thread();
    let mut set = JoinSet::new();
    set.spawn_on(async {}, runtime.handle());
    let wakes = [(); 2].map(|()| Arc::new(Wakes(AtomicUsize::new(0))));
    for wakes in &wakes {
        let waker = Waker::from(wakes.clone());
        let polled = set.poll_join_next(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
    runtime.block_on(yield_now());
    let wakes = wakes.map(|wakes| wakes.0.load(Ordering::SeqCst));
    assert_eq!(wakes, [0, 1]);
    assert!(matches!(set.try_join_next(), Some(Ok(()))));
}

#[test]
fn an_empty_set_is_ready_also_without_a_runtime() {
    let mut set = JoinSet::<()>::new();
    let mut next = pin!(set.join_next());
    let polled = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(None)));
}

#[test]
fn blocking_and_local_work_may_be_in_one_set() {
    let (runtime, local) = (current_thread(), LocalSet::new());
    let outputs = local.block_on(&runtime, async {
        let mut set = JoinSet::new();
        set.spawn(async { 1 });
        set.spawn_blocking(|| 2);
        set.spawn_local(async { 3 });
        set.spawn_local_on(async { 4 }, &local);
        set.join_all().await
    });
    let outputs: HashSet<i32> = outputs.into_iter().collect();
    assert_eq!(outputs, HashSet::from([1, 2, 3, 4]));
}
