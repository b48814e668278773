//! Model checks of a task's state word and of the list of live tasks.
#![cfg(loom)]

mod common;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Wake, Waker};

use loom::thread;
use yamanote_base::atomic::{Arc, AtomicBool, AtomicUsize, Ordering};
use yamanote_base::waker_cell::WakerCell;
use yamanote_task::JoinHandle;

use common::{Drops, TestScheduler, result};

/// An event that one task waits for.
#[derive(Clone)]
struct Event(Arc<(AtomicBool, WakerCell)>);

impl Event {
    fn new() -> Self {
        Self(Arc::new((AtomicBool::new(false), WakerCell::new())))
    }

    fn set(&self) {
        self.0.0.store(true, Ordering::Release);
        self.0.1.wake();
    }

    async fn wait(self) {
        poll_fn(|cx| {
            self.0.1.register(cx.waker());
            if self.0.0.load(Ordering::Acquire) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

#[test]
fn loom_state_a_wake_during_the_poll_is_not_lost() {
    loom::model(|| {
        let scheduler = TestScheduler::new(1);
        let event = Event::new();
        let join = scheduler.spawn(event.clone().wait());
        let waking = thread::spawn(move || event.set());
        scheduler.run_all();
        waking.join().unwrap();
        scheduler.run_all();
        assert!(result(join).is_ok());
        assert_eq!(scheduler.tasks().alive(), 0);
    });
}

#[test]
fn loom_state_a_wake_of_a_scheduled_task_is_seen_by_its_poll() {
    loom::model(|| {
        let scheduler = TestScheduler::new(1);
        let (is_set, kept) = (Arc::new(AtomicBool::new(false)), WakerCell::new());
        let kept = Arc::new(kept);
        let (seen, keeps) = (is_set.clone(), kept.clone());
        let join = scheduler.spawn(poll_fn(move |cx| {
            keeps.register(cx.waker());
            match seen.load(Ordering::Relaxed) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }));
        scheduler.run_all();
        let waker = kept.take().expect("the first poll has left it");
        waker.wake_by_ref();
        // The task is scheduled. Nothing but the wake publishes the store.
        let waking = thread::spawn(move || {
            is_set.store(true, Ordering::Relaxed);
            waker.wake();
        });
        scheduler.run_all();
        waking.join().unwrap();
        scheduler.run_all();
        assert!(result(join).is_ok());
    });
}

#[test]
fn loom_state_two_threads_never_run_a_task_at_once() {
    loom::model(|| {
        let scheduler = TestScheduler::new(1);
        let (event, running) = (Event::new(), Arc::new(AtomicBool::new(false)));
        let mut waiting = Box::pin(event.clone().wait());
        let join = scheduler.spawn(poll_fn(move |cx| {
            assert!(!running.swap(true, Ordering::AcqRel));
            let polled = waiting.as_mut().poll(cx);
            assert!(running.swap(false, Ordering::AcqRel));
            polled
        }));
        let other = scheduler.clone();
        let running = thread::spawn(move || {
            event.set();
            other.run_all();
        });
        scheduler.run_all();
        running.join().unwrap();
        scheduler.run_all();
        assert!(result(join).is_ok());
    });
}

#[test]
fn loom_state_an_abort_drops_the_future_once() {
    loom::model(|| {
        let scheduler = TestScheduler::new(1);
        let (event, drops) = (Event::new(), Drops::default());
        let guard = drops.one();
        let waiting = event.clone();
        let join = scheduler.spawn(async move {
            waiting.wait().await;
            drop(guard);
        });
        let abort = join.abort_handle();
        let aborting = thread::spawn(move || abort.abort());
        let waking = thread::spawn(move || event.set());
        scheduler.run_all();
        aborting.join().unwrap();
        waking.join().unwrap();
        scheduler.run_all();
        assert_eq!(drops.count(), 1);
        if let Err(error) = result(join) {
            assert!(error.is_cancelled());
        }
    });
}

#[test]
fn loom_state_the_joiner_gets_the_output() {
    loom::model(|| {
        let scheduler = TestScheduler::new(1);
        let join = scheduler.spawn(async { 7 });
        let joining = thread::spawn(move || loom::future::block_on(join));
        scheduler.run_all();
        assert_eq!(joining.join().unwrap().unwrap(), 7);
    });
}

#[test]
fn loom_state_a_detached_output_is_dropped_once() {
    loom::model(|| {
        let scheduler = TestScheduler::new(1);
        let drops = Drops::default();
        let guard = drops.one();
        let join = scheduler.spawn(async move { guard });
        let detaching = thread::spawn(move || {
            let mut join = join;
            let mut cx = Context::from_waker(Waker::noop());
            // Registers a joiner, so that its waker meets the runner's.
            match pin!(&mut join).poll(&mut cx) {
                Poll::Ready(output) => drop(output),
                Poll::Pending => drop(join),
            }
        });
        scheduler.run_all();
        detaching.join().unwrap();
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn loom_state_a_runnable_dropped_unrun_cancels() {
    loom::model(|| {
        let scheduler = TestScheduler::new(1);
        let drops = Drops::default();
        let guard = drops.one();
        let (runnable, join) = scheduler.bind(async move { drop(guard) });
        let abort = join.abort_handle();
        let aborting = thread::spawn(move || abort.abort());
        drop(runnable);
        aborting.join().unwrap();
        assert_eq!(drops.count(), 1);
        assert!(result(join).is_err_and(|error| error.is_cancelled()));
        assert_eq!(scheduler.queued(), 0);
    });
}

#[test]
fn loom_state_the_last_reference_frees() {
    loom::model(|| {
        let scheduler = TestScheduler::new(1);
        let event = Event::new();
        let leaves_with_the_task = Arc::new(());
        let (kept, waiting) = (leaves_with_the_task.clone(), event.clone());
        let join = scheduler.spawn(async move {
            waiting.wait().await;
            kept
        });
        scheduler.run_all();
        let abort = join.abort_handle();
        let first = thread::spawn(move || drop(join));
        let second = thread::spawn(move || abort.abort());
        event.set();
        scheduler.run_all();
        first.join().unwrap();
        second.join().unwrap();
        scheduler.run_all();
        // The checker reports what is not freed.
        assert_eq!(scheduler.tasks().alive(), 0);
    });
}

#[test]
fn loom_list_closing_cancels_what_is_spawned_meanwhile() {
    loom::model(|| {
        let scheduler = TestScheduler::new(2);
        let drops = Drops::default();
        let (spawner, guard) = (scheduler.clone(), drops.one());
        let spawning = thread::spawn(move || {
            let future = async move {
                std::future::pending::<()>().await;
                drop(guard);
            };
            let (runnable, join) = spawner.bind(future);
            if let Some(runnable) = runnable {
                runnable.run();
            }
            join
        });
        scheduler.tasks().close_and_cancel_all();
        let join = spawning.join().unwrap();
        assert_eq!(drops.count(), 1);
        assert_eq!(scheduler.tasks().alive(), 0);
        assert!(result(join).is_err_and(|error| error.is_cancelled()));
    });
}

#[test]
fn loom_list_a_task_that_ends_while_the_list_is_closed_is_taken_off_once() {
    loom::model(|| {
        let scheduler = TestScheduler::new(1);
        let drops = Drops::default();
        let (first, second) = (drops.one(), drops.one());
        let joins = [
            scheduler.spawn(async move { drop(first) }),
            scheduler.spawn(async move { drop(second) }),
        ];
        let runner = scheduler.clone();
        let running = thread::spawn(move || runner.run_all());
        scheduler.tasks().close_and_cancel_all();
        running.join().unwrap();
        assert_eq!(drops.count(), 2);
        assert_eq!(scheduler.tasks().alive(), 0);
        assert!(joins.iter().all(JoinHandle::is_finished));
    });
}

/// Counts how often it was woken.
#[derive(Default)]
struct CountingWaker(AtomicUsize);

impl Wake for CountingWaker {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

#[test]
fn loom_state_the_last_of_two_joiners_is_woken() {
    loom::model(|| {
        let scheduler = TestScheduler::new(1);
        let mut join = scheduler.spawn(async { 7 });
        let runner = scheduler.clone();
        let running = thread::spawn(move || runner.run_all());
        let wakers = [0, 1].map(|_| std::sync::Arc::new(CountingWaker::default()));
        let pending = wakers.iter().all(|waker| {
            let waker = Waker::from(waker.clone());
            let mut cx = Context::from_waker(&waker);
            pin!(&mut join).poll(&mut cx).is_pending()
        });
        running.join().unwrap();
        let woken = wakers[1].0.load(Ordering::Acquire);
        assert_eq!(woken, usize::from(pending), "it is woken if it waits");
        if pending {
            assert_eq!(result(join).unwrap(), 7);
        }
    });
}
