//! The list of live tasks, at its end above all, and the queue of runnables.
#![cfg(not(loom))]

mod common;

use std::future::{pending, poll_fn, ready};
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::task::{Poll, Waker};
use std::thread;

use common::{Dropped, Drops, TestScheduler};
use yamanote_task::{JoinError, JoinHandle};

#[test]
fn the_list_counts_its_tasks() {
    let scheduler = TestScheduler::new(3);
    let mut runnables = Vec::new();
    for _ in 0..7 {
        let (runnable, _) = scheduler.bind(ready(()));
        runnables.extend(runnable);
    }
    assert_eq!(scheduler.tasks().alive(), 7);
    runnables.pop().expect("seven were bound").run();
    assert_eq!(
        (scheduler.tasks().alive(), scheduler.tasks().spawned()),
        (6, 7)
    );
    runnables.clear();
    assert_eq!(
        (scheduler.tasks().alive(), scheduler.tasks().spawned()),
        (0, 7)
    );
}

#[test]
fn tasks_leave_the_shard_and_the_place_that_they_have_entered() {
    for shards in [1, 2, 3, 64, 5000] {
        let scheduler = TestScheduler::new(shards);
        let drops = Drops::default();
        let wait = |_| {
            let guard = drops.one();
            scheduler.spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            })
        };
        let tasks: Vec<_> = (0..700).map(wait).collect();
        scheduler.run_all();
        tasks.iter().step_by(2).for_each(JoinHandle::abort);
        scheduler.run_all();
        assert_eq!((drops.count(), scheduler.tasks().alive()), (350, 350));
        assert!(
            tasks
                .iter()
                .skip(1)
                .step_by(2)
                .all(|task| !task.is_finished())
        );
        scheduler.tasks().close_and_cancel_all();
        assert_eq!((drops.count(), scheduler.tasks().alive()), (700, 0));
    }
}

#[test]
fn closing_drops_all_futures_here_and_now() {
    let scheduler = TestScheduler::new(2);
    let drops = Drops::default();
    let wait = |yields| {
        let guard = drops.one();
        scheduler.bind(async move {
            let _guard = guard;
            for _ in 0..yields {
                common::yield_now().await;
            }
            pending::<()>().await;
        })
    };
    let (waiting, queued, woken) = (wait(0), wait(0), wait(1));
    waiting.0.expect("the list is open").run();
    woken.0.expect("the list is open").run();
    scheduler.tasks().close_and_cancel_all();
    assert!(scheduler.tasks().is_closed());
    assert_eq!((drops.count(), scheduler.tasks().alive()), (2, 1));
    // What was never run is dropped with its runnable.
    drop(queued.0);
    assert_eq!((drops.count(), scheduler.tasks().alive()), (3, 0));
    // What is still under way is stale: it neither polls nor ends the task again.
    assert_eq!(scheduler.queued(), 1);
    scheduler.run_all();
    assert!(waiting.1.is_finished() && queued.1.is_finished() && woken.1.is_finished());
}

#[test]
fn a_closed_list_cancels_at_once() {
    let scheduler = TestScheduler::new(1);
    scheduler.tasks().close_and_cancel_all();
    let drops = Drops::default();
    let guard = drops.one();
    let (runnable, join) = scheduler.bind(async move { drop(guard) });
    assert!(runnable.is_none() && join.is_finished());
    assert_eq!((drops.count(), scheduler.tasks().alive()), (1, 0));
}

#[test]
fn a_destructor_may_spawn_while_the_list_is_closed() {
    struct SpawnOnDrop(TestScheduler, mpsc::Sender<bool>);

    impl Drop for SpawnOnDrop {
        fn drop(&mut self) {
            let join = self.0.spawn(async {});
            self.1.send(join.is_finished()).expect("it is received");
        }
    }

    let scheduler = TestScheduler::new(1);
    let (sender, cancelled) = mpsc::channel();
    let guard = SpawnOnDrop(scheduler.clone(), sender);
    drop(scheduler.spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    }));
    scheduler.run_all();
    scheduler.tasks().close_and_cancel_all();
    assert_eq!(cancelled.recv(), Ok(true));
}

#[test]
fn a_task_that_runs_while_the_list_is_closed_ends_where_it_waits() {
    let scheduler = TestScheduler::new(1);
    let drops = Drops::default();
    let (guard, closer) = (drops.one(), scheduler.clone());
    let counted = drops.clone();
    let join = scheduler.spawn(async move {
        let _guard = guard;
        closer.tasks().close_and_cancel_all();
        assert_eq!(counted.count(), 0);
        pending::<()>().await;
    });
    scheduler.run_all();
    assert!(join.is_finished());
    assert_eq!((drops.count(), scheduler.tasks().alive()), (1, 0));
}

/// Tasks that yield, run by three threads, while a fourth aborts some and drops the handles of
/// the others; at last the list is closed in the middle of it all.
#[test]
fn threads_that_wake_run_abort_and_close_drop_each_future_once() {
    for _ in 0..20 {
        let scheduler = TestScheduler::new(4);
        let drops = Drops::default();
        let joins: Vec<_> = (0..300)
            .map(|yields| scheduler.spawn(yield_often(yields, drops.one())))
            .collect();
        let start = Arc::new(Barrier::new(4));
        let runners = [(); 3].map(|()| {
            let (scheduler, start) = (scheduler.clone(), start.clone());
            thread::spawn(move || {
                start.wait();
                scheduler.run_all();
            })
        });
        start.wait();
        joins.iter().step_by(3).for_each(JoinHandle::abort);
        drop(joins);
        scheduler.tasks().close_and_cancel_all();
        for runner in runners {
            runner.join().expect("no task panics");
        }
        scheduler.run_all();
        assert_eq!((drops.count(), scheduler.tasks().alive()), (300, 0));
    }
}

async fn yield_often(yields: usize, _guard: Dropped) {
    for _ in 0..yields {
        common::yield_now().await;
    }
}

/// Wakers and handles of tasks whose schedulers are gone are used and dropped by two threads.
#[test]
fn each_of_ten_thousand_schedulers_goes_with_what_is_left_of_its_task() {
    const SCHEDULERS: usize = 10_000;
    let drops = Drops::default();
    let (wakers, woken) = mpsc::channel::<Waker>();
    let (joins, joined) = mpsc::channel::<JoinHandle<()>>();
    let waking = thread::spawn(move || {
        for waker in woken {
            let clone = waker.clone();
            waker.wake_by_ref();
            clone.wake();
        }
    });
    let joining = thread::spawn(move || {
        let results = joined.into_iter().map(|join| {
            join.abort();
            common::result(join)
        });
        results
            .filter(|result| result.as_ref().is_err_and(JoinError::is_cancelled))
            .count()
    });
    for _ in 0..SCHEDULERS {
        let scheduler = TestScheduler::new(1);
        scheduler.keep(drops.one());
        let (kept, waker) = mpsc::channel();
        let join = scheduler.spawn(poll_fn(move |cx| {
            kept.send(cx.waker().clone()).expect("it is received");
            Poll::Pending
        }));
        scheduler.run_all();
        scheduler.tasks().close_and_cancel_all();
        let waker = waker.recv().expect("the task was polled");
        wakers.send(waker).expect("it is received");
        joins.send(join).expect("it is received");
    }
    drop((wakers, joins));
    waking.join().expect("nothing panics");
    assert_eq!(joining.join().expect("nothing panics"), SCHEDULERS);
    assert_eq!(drops.count(), SCHEDULERS);
}
