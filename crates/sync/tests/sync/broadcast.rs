//! Broadcast channels: everyone gets everything, slow receivers lag, values are dropped in time.

use std::sync::Arc;
use std::thread;

use yamanote_sync::broadcast::{
    Receiver, Sender, channel,
    error::{RecvError, TryRecvError},
};

use crate::support::{now, panics, polled};

#[test]
fn every_receiver_gets_every_value() {
    let (tx, mut one) = channel(4);
    let mut two = tx.subscribe();
    assert_eq!(tx.send(1).unwrap(), 2);
    assert_eq!(tx.send(2).unwrap(), 2);
    assert_eq!((now(one.recv()), now(one.recv())), (Ok(1), Ok(2)));
    assert_eq!((tx.len(), one.len(), two.len()), (2, 0, 2));
    assert_eq!((now(two.recv()), now(two.recv())), (Ok(1), Ok(2)));
    assert!(tx.is_empty());
    drop(tx);
    assert_eq!(now(one.recv()), Err(RecvError::Closed));
}

#[test]
fn a_slow_receiver_hears_how_much_it_missed() {
    let (tx, mut rx) = channel(3);
    for i in 0..7 {
        tx.send(i).unwrap();
    }
    assert_eq!(rx.try_recv(), Err(TryRecvError::Lagged(3)));
    assert_eq!((rx.try_recv(), rx.len()), (Ok(3), 3));
    let mut fresh = rx.resubscribe();
    assert_eq!(fresh.try_recv(), Err(TryRecvError::Empty));
}

#[test]
fn who_waits_is_woken_by_a_value_and_by_the_last_sender() {
    let (tx, mut one) = channel(2);
    let mut two = tx.subscribe();
    {
        let mut waiting = polled(one.recv());
        assert!(waiting.is_pending());
        let mut cancelled = polled(two.recv());
        assert!(cancelled.is_pending());
        drop(cancelled);
        tx.send(1).unwrap();
        assert_eq!(waiting.wakes(), 1);
        assert_eq!(waiting.expect(), Ok(1));
    }
    let weak = tx.downgrade();
    let mut waiting = polled(one.recv());
    assert!(waiting.is_pending());
    drop(tx);
    assert_eq!(waiting.expect(), Err(RecvError::Closed));
    assert!(weak.upgrade().is_none());
    assert_eq!(two.blocking_recv(), Ok(1));
}

#[test]
fn a_value_is_dropped_once_everybody_had_it_or_has_gone() {
    let value = Arc::new(());
    let (tx, mut one) = channel(4);
    let two = tx.subscribe();
    tx.send(value.clone()).unwrap();
    drop(now(one.recv()).unwrap());
    assert_eq!(Arc::strong_count(&value), 2);
    drop(two);
    assert_eq!(Arc::strong_count(&value), 1);
    drop(one);
    assert_eq!(
        tx.send(value.clone()).unwrap_err().to_string(),
        "channel closed"
    );
    now(tx.closed());
}

#[test]
fn a_value_that_cannot_be_cloned_is_passed_over() {
    #[derive(Debug)]
    struct Fragile(bool);

    impl Clone for Fragile {
        fn clone(&self) -> Self {
            assert!(!self.0, "fragile");
            Self(self.0)
        }
    }

    let tx = Sender::new(2);
    let mut rx = tx.subscribe();
    tx.send(Fragile(true)).unwrap();
    tx.send(Fragile(false)).unwrap();
    assert!(panics(|| drop(rx.try_recv())));
    assert!(rx.try_recv().is_ok());
    assert!(tx.is_empty());
}

/// How many values were received or missed until the channel closed.
fn count(mut rx: Receiver<u32>) -> u64 {
    let mut seen = 0;
    loop {
        match rx.blocking_recv() {
            Ok(_) => seen += 1,
            Err(RecvError::Lagged(missed)) => seen += missed,
            Err(RecvError::Closed) => return seen,
        }
    }
}

#[test]
fn receivers_on_several_threads_account_for_every_value() {
    let (tx, rx) = channel(8);
    let other = rx.resubscribe();
    let threads = [rx, other].map(|rx| thread::spawn(move || count(rx)));
    for i in 0..3000 {
        tx.send(i).unwrap();
    }
    drop(tx);
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 3000);
    }
}

#[test]
fn a_channel_without_room_is_refused() {
    assert!(panics(|| drop(channel::<u8>(0))));
    assert!(panics(|| drop(channel::<u8>(usize::MAX))));
}
