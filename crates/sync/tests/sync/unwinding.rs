//! Wakers and values that panic leave every primitive usable.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use yamanote_sync::{Notify, Semaphore, broadcast, mpsc, oneshot, watch};

use crate::support::{Dropped, now, panics, poll_with_panicking_waker, polled};

#[test]
fn a_panicking_waker_does_not_keep_others_from_being_woken() {
    let (semaphore, notify) = (Semaphore::new(0), Notify::new());
    let (mut acquire, mut notified) = (pin!(semaphore.acquire()), pin!(notify.notified()));
    assert!(poll_with_panicking_waker(acquire.as_mut()).is_pending());
    assert!(poll_with_panicking_waker(notified.as_mut()).is_pending());
    let (mut next, mut told) = (polled(semaphore.acquire()), polled(notify.notified()));
    assert!(next.is_pending() && told.is_pending());
    assert!(panics(|| semaphore.add_permits(2)));
    assert!(panics(|| notify.notify_waiters()));
    assert_eq!((next.wakes(), told.wakes()), (1, 1));
    drop(next.expect().unwrap());
    told.expect();
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn a_panicking_waker_loses_no_value() {
    let (tx, rx) = oneshot::channel();
    let mut rx = pin!(rx);
    assert!(poll_with_panicking_waker(rx.as_mut()).is_pending());
    assert!(panics(|| tx.send(1).unwrap()));
    assert_eq!(now(rx), Ok(1));

    let (tx, mut rx) = mpsc::channel(1);
    {
        let mut recv = pin!(rx.recv());
        assert!(poll_with_panicking_waker(recv.as_mut()).is_pending());
    }
    assert!(panics(|| tx.try_send(1).unwrap()));
    assert_eq!((tx.capacity(), rx.try_recv()), (0, Ok(1)));

    let (tx, mut rx) = broadcast::channel(1);
    {
        let mut recv = pin!(rx.recv());
        assert!(poll_with_panicking_waker(recv.as_mut()).is_pending());
        assert!(panics(|| assert_eq!(tx.send(1).unwrap(), 1)));
    }
    assert_eq!(rx.try_recv(), Ok(1));

    let (tx, mut rx) = watch::channel(0);
    {
        let mut changed = pin!(rx.changed());
        assert!(poll_with_panicking_waker(changed.as_mut()).is_pending());
        assert!(panics(|| tx.send(1).unwrap()));
    }
    assert!(rx.has_changed().unwrap());
}

#[test]
fn a_value_that_panics_when_dropped_takes_no_other_along() {
    let drops = Arc::new(AtomicUsize::new(0));
    let value = |fails| Dropped(drops.clone(), fails);
    let (tx, rx) = mpsc::unbounded_channel();
    for i in 0..80 {
        assert!(tx.send(value(i == 3)).is_ok());
    }
    assert!(panics(|| drop(rx)));
    assert_eq!(drops.swap(0, Ordering::SeqCst), 80);

    let (tx, rx) = oneshot::channel();
    assert!(tx.send(value(true)).is_ok());
    assert!(panics(|| drop(rx)));
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}
