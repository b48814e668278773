//! Model checks of the oneshot channel's state word.
#![cfg(loom)]

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use loom::future::block_on;
use loom::thread;
use yamanote_sync::oneshot::{self, error::TryRecvError};

/// Counts its drops in a counter that no model explores.
struct Counted(&'static AtomicUsize);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn loom_oneshot_a_sent_value_arrives() {
    loom::model(|| {
        let (tx, rx) = oneshot::channel();
        let sender = thread::spawn(move || tx.send(7).expect("the receiver waits"));
        assert_eq!(block_on(rx), Ok(7));
        sender.join().unwrap();
    });
}

#[test]
fn loom_oneshot_a_dropped_sender_wakes_the_receiver() {
    loom::model(|| {
        let (tx, rx) = oneshot::channel::<u8>();
        let sender = thread::spawn(move || drop(tx));
        assert!(block_on(rx).is_err());
        sender.join().unwrap();
    });
}

#[test]
fn loom_oneshot_a_dropped_receiver_wakes_the_sender() {
    loom::model(|| {
        let (mut tx, rx) = oneshot::channel::<u8>();
        let receiver = thread::spawn(move || drop(rx));
        block_on(tx.closed());
        assert_eq!(tx.send(1), Err(1));
        receiver.join().unwrap();
    });
}

#[test]
fn loom_oneshot_a_value_is_dropped_once_whoever_goes_first() {
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    loom::model(|| {
        DROPS.store(0, Ordering::Relaxed);
        let (tx, mut rx) = oneshot::channel();
        let sender = thread::spawn(move || drop(tx.send(Counted(&DROPS))));
        {
            let mut cx = Context::from_waker(Waker::noop());
            let _ = pin!(&mut rx).poll(&mut cx);
        }
        drop(rx);
        sender.join().unwrap();
        assert_eq!(DROPS.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn loom_oneshot_what_was_accepted_before_the_closing_arrives() {
    loom::model(|| {
        let (tx, mut rx) = oneshot::channel();
        let sender = thread::spawn(move || tx.send(7).is_ok());
        rx.close();
        let received = rx.try_recv();
        let accepted = sender.join().unwrap();
        assert_eq!(
            received,
            if accepted {
                Ok(7)
            } else {
                Err(TryRecvError::Closed)
            }
        );
    });
}

#[test]
fn loom_oneshot_the_last_of_two_wakers_is_woken() {
    loom::model(|| {
        let (tx, mut rx) = oneshot::channel();
        let sender = thread::spawn(move || tx.send(7).expect("the receiver waits"));
        let early = {
            let mut cx = Context::from_waker(Waker::noop());
            pin!(&mut rx).poll(&mut cx).is_ready()
        };
        if !early {
            assert_eq!(block_on(&mut rx), Ok(7));
        }
        sender.join().unwrap();
    });
}

#[test]
fn loom_oneshot_closing_meets_a_sender_that_asks_twice() {
    loom::model(|| {
        let (mut tx, mut rx) = oneshot::channel::<u8>();
        let receiver = thread::spawn(move || {
            rx.close();
            drop(rx);
        });
        let mut cx = Context::from_waker(Waker::noop());
        let _ = tx.poll_closed(&mut cx);
        block_on(tx.closed());
        receiver.join().unwrap();
    });
}

#[test]
fn loom_oneshot_a_polled_receiver_is_closed_or_dropped_beside_the_sender() {
    for is_closed in [true, false] {
        loom::model(move || {
            let (tx, mut rx) = oneshot::channel();
            let polled = pin!(&mut rx).poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            let sender = thread::spawn(move || tx.send(7).is_ok());
            if is_closed {
                rx.close();
                let received = rx.try_recv();
                assert_eq!(received.is_ok(), sender.join().unwrap());
            } else {
                drop(rx);
                sender.join().unwrap();
            }
        });
    }
}
