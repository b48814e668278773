//! Model checks of the watch channel: versions, closing, a last receiver that goes.
#![cfg(loom)]

use loom::future::block_on;
use loom::thread;
use yamanote_sync::watch;

#[test]
fn loom_watch_the_last_value_is_seen() {
    loom::model(|| {
        let (tx, mut rx) = watch::channel(0);
        let sender = thread::spawn(move || {
            tx.send(1).unwrap();
            tx.send(2).unwrap();
        });
        let mut last = 0;
        while block_on(rx.changed()).is_ok() {
            let value = *rx.borrow_and_update();
            assert!(value > last || value == 2);
            last = value;
        }
        assert_eq!(last, 2);
        sender.join().unwrap();
    });
}

#[test]
fn loom_watch_two_receivers_are_told() {
    loom::model(|| {
        let (tx, mut rx) = watch::channel(0);
        let mut other = rx.clone();
        let receiver = thread::spawn(move || {
            block_on(other.changed()).unwrap();
            assert_eq!(*other.borrow(), 1);
        });
        tx.send(1).unwrap();
        block_on(rx.changed()).unwrap();
        receiver.join().unwrap();
    });
}

#[test]
fn loom_watch_wait_for_returns_the_value_it_accepted() {
    loom::model(|| {
        let (tx, mut rx) = watch::channel(0);
        let sender = thread::spawn(move || {
            tx.send(1).unwrap();
            tx.send_replace(2);
        });
        let seen = block_on(rx.wait_for(|value| *value >= 1)).map(|value| *value);
        assert!(matches!(seen, Ok(1 | 2)));
        sender.join().unwrap();
    });
}

#[test]
fn loom_watch_a_last_receiver_that_goes_wakes_closed() {
    loom::model(|| {
        let (tx, rx) = watch::channel(0);
        let receiver = thread::spawn(move || drop(rx));
        block_on(tx.closed());
        assert!(tx.is_closed());
        receiver.join().unwrap();
    });
}
