//! Model checks of the broadcast channel: who waits is told, who is slow hears of it, closing.
#![cfg(loom)]

use loom::future::block_on;
use loom::thread;
use yamanote_sync::broadcast;
use yamanote_sync::broadcast::error::RecvError;

#[test]
fn loom_broadcast_values_come_in_order_and_then_the_end() {
    loom::model(|| {
        let (tx, mut rx) = broadcast::channel(2);
        let sender = thread::spawn(move || {
            tx.send(1).unwrap();
            tx.send(2).unwrap();
        });
        assert_eq!(block_on(rx.recv()), Ok(1));
        assert_eq!(block_on(rx.recv()), Ok(2));
        assert_eq!(block_on(rx.recv()), Err(RecvError::Closed));
        sender.join().unwrap();
    });
}

#[test]
fn loom_broadcast_two_receivers_have_the_same_value() {
    loom::model(|| {
        let (tx, mut rx) = broadcast::channel(1);
        let mut other = tx.subscribe();
        let receiver = thread::spawn(move || assert_eq!(block_on(other.recv()), Ok(1)));
        assert_eq!(tx.send(1).ok(), Some(2));
        assert_eq!(block_on(rx.recv()), Ok(1));
        receiver.join().unwrap();
        assert!(tx.is_empty());
    });
}

/// How many values were received, in order, or missed until the channel closed.
fn account(mut rx: broadcast::Receiver<u64>) -> u64 {
    let mut next = 0;
    loop {
        match block_on(rx.recv()) {
            Ok(value) => {
                assert_eq!(value, next);
                next += 1;
            }
            Err(RecvError::Lagged(missed)) => next += missed,
            Err(RecvError::Closed) => return next,
        }
    }
}

#[test]
fn loom_broadcast_a_value_is_received_or_counted_as_missed() {
    loom::model(|| {
        let (tx, rx) = broadcast::channel(1);
        let sender = thread::spawn(move || {
            for value in 0..3 {
                tx.send(value).unwrap();
            }
        });
        assert_eq!(account(rx), 3);
        sender.join().unwrap();
    });
}

#[test]
fn loom_broadcast_a_last_receiver_that_goes_wakes_closed() {
    loom::model(|| {
        let (tx, rx) = broadcast::channel(1);
        tx.send(1).unwrap();
        let receiver = thread::spawn(move || drop(rx));
        block_on(tx.closed());
        assert_eq!(tx.receiver_count(), 0);
        // Only now: the receiver is counted out before its values are.
        receiver.join().unwrap();
        assert!(tx.is_empty());
    });
}

#[test]
fn loom_broadcast_a_weak_sender_becomes_strong_or_the_channel_ends() {
    loom::model(|| {
        let (tx, mut rx) = broadcast::channel(1);
        let weak = tx.downgrade();
        let sender = thread::spawn(move || drop(tx));
        let sent = weak.upgrade().map(|strong| strong.send(1).unwrap());
        let received = block_on(rx.recv());
        assert_eq!(received.is_ok(), sent.is_some());
        sender.join().unwrap();
    });
}
