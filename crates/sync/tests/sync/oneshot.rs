//! Oneshot channels: arrival, closing, cancellation, what is dropped when.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use yamanote_sync::oneshot::{Receiver, channel, error::TryRecvError};

use crate::support::{Dropped, Wakes, now, panics, polled};

#[test]
fn a_value_sent_before_or_after_the_poll_arrives() {
    let (tx, rx) = channel();
    tx.send(1).unwrap();
    assert_eq!(now(rx), Ok(1));
    let (tx, rx) = channel();
    let mut rx = polled(rx);
    assert!(rx.is_pending());
    tx.send(2).unwrap();
    assert_eq!(rx.wakes(), 1);
    assert_eq!(rx.expect(), Ok(2));
    assert!(panics(|| drop(rx.poll())), "an answer is given once");
}

#[test]
fn a_dropped_sender_is_an_error() {
    let (tx, rx) = channel::<u8>();
    let mut rx = polled(rx);
    assert!(rx.is_pending());
    drop(tx);
    assert_eq!(rx.wakes(), 1);
    assert_eq!(rx.expect().unwrap_err().to_string(), "channel closed");
}

#[test]
fn a_closed_receiver_takes_what_was_sent_before() {
    let (tx, mut rx) = channel();
    tx.send(1).unwrap();
    rx.close();
    assert!(!rx.is_empty());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
    assert!(rx.is_terminated() && rx.is_empty());
    let (tx, mut rx) = channel();
    assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    rx.close();
    assert_eq!(tx.send(1), Err(1));
    assert!(now(rx).is_err());
}

#[test]
fn the_sender_hears_that_the_receiver_has_gone() {
    let (mut tx, rx) = channel::<u8>();
    {
        let mut closed = polled(tx.closed());
        assert!(closed.is_pending());
        drop(rx);
        assert_eq!(closed.wakes(), 1);
        closed.expect();
    }
    assert!(tx.is_closed());
    assert_eq!(tx.send(1), Err(1));
}

#[test]
fn an_unreceived_value_is_dropped_with_the_receiver() {
    let drops = Arc::new(AtomicUsize::new(0));
    let (tx, rx) = channel();
    assert!(tx.send(Dropped(drops.clone(), false)).is_ok());
    drop(rx);
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn a_thread_waits_for_the_value() {
    let (tx, rx) = channel();
    let thread = thread::spawn(move || tx.send(5));
    assert_eq!(rx.blocking_recv(), Ok(5));
    thread.join().unwrap().unwrap();
}

#[test]
fn ends_that_meet_on_two_threads_free_the_value_once() {
    let drops = Arc::new(AtomicUsize::new(0));
    for _ in 0..2000 {
        let (tx, rx) = channel();
        let value = Dropped(drops.clone(), false);
        let thread = thread::scope(|scope| {
            let sending = scope.spawn(move || drop(tx.send(value)));
            drop(rx);
            sending.join()
        });
        assert!(thread.is_ok());
    }
    assert_eq!(drops.load(Ordering::SeqCst), 2000);
}

#[test]
fn who_has_closed_is_not_woken_by_the_sender_nor_kept_by_it() {
    for is_dropped in [false, true] {
        let (tx, rx) = channel::<u8>();
        let mut rx = Some(rx);
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        let mut cx = Context::from_waker(&waker);
        let polled = rx.as_mut().map(|rx| Pin::new(rx).poll(&mut cx));
        assert_eq!(polled, Some(Poll::Pending));
        drop(waker);
        if is_dropped {
            rx = None;
        }
        rx.iter_mut().for_each(Receiver::close);
        assert_eq!(Arc::strong_count(&wakes), 1, "dropped: {is_dropped}");
        drop(tx);
        assert_eq!(wakes.count(), 0, "dropped: {is_dropped}");
    }
}
