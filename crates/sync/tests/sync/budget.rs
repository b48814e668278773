//! What takes part in the cooperative budget: what takes or brings something. As tokio's.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use yamanote_base::budget;
use yamanote_sync::{Barrier, Mutex, Notify, Semaphore, SetOnce, broadcast, mpsc, watch};

use crate::support::polled;

/// Whether a loop over what `step` makes, each of which is ready, ends within one poll's budget.
fn is_bounded<F: Future>(mut step: impl FnMut() -> F) -> bool {
    budget::with_budget(|| {
        let mut cx = Context::from_waker(Waker::noop());
        (0..1000).any(|_| pin!(step()).poll(&mut cx).is_pending())
    })
}

#[test]
fn ready_operations_use_the_budget_up() {
    let (semaphore, mutex) = (Semaphore::new(1), Mutex::new(()));
    assert!(is_bounded(|| semaphore.acquire()));
    assert!(is_bounded(|| mutex.lock()));
    let (tx, _rx) = mpsc::channel(2000);
    assert!(is_bounded(|| tx.send(1)));
    let (tx, rx) = watch::channel(0);
    drop(rx);
    assert!(is_bounded(|| tx.closed()));
}

#[test]
fn what_is_only_told_is_free() {
    let (notify, set, barrier) = (Notify::new(), SetOnce::from(1), Barrier::new(1));
    assert!(!is_bounded(|| {
        notify.notify_one();
        notify.notified()
    }));
    assert!(!is_bounded(|| set.wait()));
    assert!(!is_bounded(|| barrier.wait()));
    let (tx, rx) = mpsc::channel::<i32>(1);
    drop(rx);
    assert!(!is_bounded(|| tx.closed()));
    let (tx, rx) = broadcast::channel::<i32>(1);
    drop(rx);
    assert!(!is_bounded(|| tx.closed()));
}

#[test]
fn receiving_uses_the_budget_up() {
    let (tx, mut rx) = mpsc::unbounded_channel();
    (0..1000).for_each(|i| tx.send(i).unwrap());
    let (news, mut seen) = broadcast::channel(1024);
    (0..1000).for_each(|i| assert_eq!(news.send(i).unwrap(), 1));
    let received = |rx: &mut mpsc::UnboundedReceiver<i32>| rx.len();
    let drained = budget::with_budget(|| {
        let mut cx = Context::from_waker(Waker::noop());
        while rx.poll_recv(&mut cx).is_ready() {}
        while pin!(seen.recv()).poll(&mut cx).is_ready() {}
        received(&mut rx) == 0 || seen.is_empty()
    });
    assert!(!drained);
}

#[test]
fn a_task_without_budget_keeps_its_place_in_the_queue() {
    let mutex = Mutex::new(());
    let guard = mutex.try_lock().unwrap();
    let (mut poor, mut rich) = (polled(mutex.lock()), polled(mutex.lock()));
    budget::with_budget(|| {
        let mut cx = Context::from_waker(Waker::noop());
        while let std::task::Poll::Ready(charge) = budget::poll_proceed(&mut cx) {
            charge.made_progress();
        }
        assert!(poor.is_pending());
    });
    assert!(rich.is_pending());
    drop(guard);
    assert_eq!((poor.wakes(), rich.wakes()), (1, 0));
}
