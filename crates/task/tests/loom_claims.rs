//! Model checks of tasks whose runnable's owner is made the runner by whoever wakes them.
#![cfg(loom)]

mod common;

use std::future::poll_fn;
use std::task::Poll;

use loom::thread;
use yamanote_base::atomic::{Arc, AtomicBool, Ordering};
use yamanote_base::waker_cell::WakerCell;

use common::{Claiming, Drops, result, waiting};

#[test]
fn loom_claims_a_wake_of_a_queued_task_is_seen_by_its_poll_or_the_next() {
    loom::model(|| {
        let (scheduler, drops) = (Claiming::claiming(1), Drops::default());
        let flag = Arc::new(AtomicBool::new(false));
        let (join, waker) = waiting(&scheduler, &flag, &drops);
        waker.wake_by_ref();
        let waking = thread::spawn(move || {
            flag.store(true, Ordering::Relaxed);
            waker.wake();
        });
        scheduler.run_all();
        waking.join().unwrap();
        scheduler.run_all();
        assert!(result(join).is_ok());
        assert_eq!((drops.count(), scheduler.tasks().alive()), (1, 0));
    });
}

#[test]
fn loom_claims_two_threads_never_run_a_task_at_once() {
    loom::model(|| {
        let (scheduler, drops) = (Claiming::claiming(1), Drops::default());
        let flag = Arc::new(AtomicBool::new(false));
        let (join, waker) = waiting(&scheduler, &flag, &drops);
        let (other, wakes) = (scheduler.clone(), waker.clone());
        let running = thread::spawn(move || {
            wakes.wake();
            other.run_all();
        });
        flag.store(true, Ordering::Relaxed);
        waker.wake();
        scheduler.run_all();
        running.join().unwrap();
        scheduler.run_all();
        assert!(result(join).is_ok());
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn loom_claims_an_abort_of_a_queued_task_drops_its_future_once() {
    loom::model(|| {
        let (scheduler, drops) = (Claiming::claiming(1), Drops::default());
        let flag = Arc::new(AtomicBool::new(false));
        let (join, waker) = waiting(&scheduler, &flag, &drops);
        let abort = join.abort_handle();
        let waking = thread::spawn(move || waker.wake());
        let aborting = thread::spawn(move || abort.abort());
        scheduler.run_all();
        waking.join().unwrap();
        aborting.join().unwrap();
        scheduler.run_all();
        assert!(result(join).is_err());
        assert_eq!((drops.count(), scheduler.tasks().alive()), (1, 0));
    });
}

#[test]
fn loom_claims_a_list_that_closes_leaves_a_queued_task_to_its_runnable() {
    loom::model(|| {
        let (scheduler, drops) = (Claiming::claiming(1), Drops::default());
        let flag = Arc::new(AtomicBool::new(false));
        let (join, waker) = waiting(&scheduler, &flag, &drops);
        let waking = thread::spawn(move || waker.wake());
        scheduler.tasks().close_and_cancel_all();
        waking.join().unwrap();
        scheduler.run_all();
        assert!(result(join).is_err());
        assert_eq!((drops.count(), scheduler.tasks().alive()), (1, 0));
    });
}

#[test]
fn loom_claims_references_that_a_poll_has_lent_are_those_of_whoever_has_the_waker() {
    loom::model(|| {
        let (scheduler, drops) = (Claiming::claiming(1), Drops::default());
        let (left, guard) = (Arc::new(WakerCell::new()), drops.one());
        let (leaves, mut polls) = (left.clone(), 0);
        let join = scheduler.spawn(poll_fn(move |cx| {
            let _ = &guard;
            polls += 1;
            // One is put back at once, one goes to the other thread, one may be dropped here.
            drop(cx.waker().clone());
            leaves.register(cx.waker());
            let kept = cx.waker().clone();
            match polls {
                1 => Poll::Pending,
                _ => Poll::Ready(drop(kept)),
            }
        }));
        let other = scheduler.clone();
        let taking = thread::spawn(move || {
            let Some(waker) = left.take() else { return };
            drop(waker.clone());
            waker.wake();
            other.run_all();
        });
        scheduler.run_all();
        taking.join().unwrap();
        scheduler.tasks().close_and_cancel_all();
        scheduler.run_all();
        drop(join);
        // Nor is anything left: the checker counts the scheduler's references.
        assert_eq!((drops.count(), scheduler.tasks().alive()), (1, 0));
    });
}
