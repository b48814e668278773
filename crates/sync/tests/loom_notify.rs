//! Model checks of `Notify`: stored permits, rounds for all, cancellation.
#![cfg(loom)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use yamanote_sync::Notify;

fn poll_once(future: std::pin::Pin<&mut impl Future>) -> bool {
    matches!(
        future.poll(&mut Context::from_waker(Waker::noop())),
        Poll::Ready(_)
    )
}

#[test]
fn loom_notify_one_wakes_or_is_stored() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let other = notify.clone();
        let thread = thread::spawn(move || other.notify_one());
        block_on(notify.notified());
        thread.join().unwrap();
        assert!(!poll_once(pin!(notify.notified())));
    });
}

#[test]
fn loom_notify_all_reaches_a_future_that_was_made_before() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let other = notify.clone();
        let (one, two) = (notify.notified(), notify.notified());
        let thread = thread::spawn(move || other.notify_waiters());
        block_on(one);
        block_on(two);
        thread.join().unwrap();
    });
}

#[test]
fn loom_notify_a_cancelled_waiter_passes_its_notification_on() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let waiter = {
            let notify = notify.clone();
            thread::spawn(move || block_on(notify.notified()))
        };
        let notifier = {
            let notify = notify.clone();
            thread::spawn(move || notify.notify_one())
        };
        let got = poll_once(pin!(notify.notified()));
        if got {
            // This thread had the one notification: the other waiter needs another.
            notify.notify_one();
        }
        waiter.join().unwrap();
        notifier.join().unwrap();
    });
}

#[test]
fn loom_notify_two_notifications_reach_two_waiters() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let (mut one, mut two) = (pin!(notify.notified()), pin!(notify.notified()));
        one.as_mut().enable();
        two.as_mut().enable();
        let other = notify.clone();
        let thread = thread::spawn(move || other.notify_one());
        notify.notify_last();
        block_on(one);
        block_on(two);
        thread.join().unwrap();
    });
}

#[test]
fn loom_notify_one_and_all_at_once_lose_nobody() {
    loom::model(|| {
        let notify = Arc::new(Notify::new());
        let mut waiting = pin!(notify.notified());
        waiting.as_mut().enable();
        let other = notify.clone();
        let thread = thread::spawn(move || other.notify_waiters());
        notify.notify_one();
        block_on(waiting);
        thread.join().unwrap();
    });
}
