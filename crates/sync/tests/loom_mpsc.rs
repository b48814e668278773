//! Model checks of the mpsc queue: claims, blocks and their reuse, the end of a channel.
//!
//! Under the model checker a block has two slots, so that few values cross several blocks.
#![cfg(loom)]

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use loom::future::block_on;
use loom::thread;
use yamanote_sync::mpsc;

/// Counts its drops in a counter that no model explores.
struct Counted(&'static AtomicUsize);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn loom_mpsc_two_senders_keep_their_order() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::unbounded_channel();
        let other = tx.clone();
        let sender = thread::spawn(move || {
            other.send(10).unwrap();
            other.send(11).unwrap();
        });
        tx.send(20).unwrap();
        tx.send(21).unwrap();
        drop(tx);
        let mut received = Vec::new();
        while let Some(value) = block_on(rx.recv()) {
            received.push(value);
        }
        sender.join().unwrap();
        let of = |tens| {
            received
                .iter()
                .copied()
                .filter(|v| v / 10 == tens)
                .collect::<Vec<_>>()
        };
        assert_eq!(of(1), [10, 11]);
        assert_eq!(of(2), [20, 21]);
        assert_eq!(received.len(), 4);
    });
}

#[test]
fn loom_mpsc_blocks_are_reused_while_a_sender_looks_for_its_own() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::unbounded_channel();
        let other = tx.clone();
        let sender = thread::spawn(move || other.send(1).unwrap());
        let mut sum = 0;
        for _ in 0..6 {
            tx.send(10).unwrap();
            sum += rx.try_recv().unwrap();
        }
        sender.join().unwrap();
        drop(tx);
        while let Some(value) = block_on(rx.recv()) {
            sum += value;
        }
        assert_eq!(sum, 61);
    });
}

#[test]
fn loom_mpsc_a_full_channel_lets_the_sender_wait() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::channel(1);
        let sender = thread::spawn(move || {
            block_on(async {
                tx.send(1).await.unwrap();
                tx.send(2).await.unwrap();
            })
        });
        assert_eq!(block_on(rx.recv()), Some(1));
        assert_eq!(block_on(rx.recv()), Some(2));
        assert_eq!(block_on(rx.recv()), None);
        sender.join().unwrap();
    });
}

#[test]
fn loom_mpsc_what_was_accepted_before_the_closing_is_received() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::unbounded_channel();
        let sender = thread::spawn(move || {
            let accepted = usize::from(tx.send(1).is_ok());
            accepted + usize::from(tx.send(2).is_ok())
        });
        rx.close();
        let mut received = 0;
        while block_on(rx.recv()).is_some() {
            received += 1;
        }
        assert_eq!(sender.join().unwrap(), received);
    });
}

#[test]
fn loom_mpsc_a_permit_given_back_ends_a_closed_channel() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        let sender = thread::spawn(move || {
            drop(tx.try_reserve());
            tx
        });
        rx.close();
        assert_eq!(block_on(rx.recv()), None);
        drop(sender.join().unwrap());
    });
}

#[test]
fn loom_mpsc_a_cancelled_reservation_ends_a_closed_channel() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::channel::<u8>(1);
        tx.try_send(1).unwrap();
        let sender = thread::spawn(move || {
            {
                let mut reserve = pin!(tx.reserve());
                let _ = reserve
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()));
            }
            tx
        });
        assert_eq!(block_on(rx.recv()), Some(1));
        rx.close();
        assert_eq!(block_on(rx.recv()), None);
        drop(sender.join().unwrap());
    });
}

#[test]
fn loom_mpsc_the_last_sender_wakes_the_receiver() {
    loom::model(|| {
        let (tx, mut rx) = mpsc::unbounded_channel::<u8>();
        let other = tx.clone();
        let one = thread::spawn(move || drop(other));
        let two = thread::spawn(move || drop(tx));
        assert_eq!(block_on(rx.recv()), None);
        one.join().unwrap();
        two.join().unwrap();
    });
}

#[test]
fn loom_mpsc_values_are_dropped_once_with_the_receiver() {
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    loom::model(|| {
        DROPS.store(0, Ordering::Relaxed);
        let (tx, rx) = mpsc::channel(2);
        let sender = thread::spawn(move || {
            for _ in 0..2 {
                let _ = tx.try_send(Counted(&DROPS));
            }
        });
        drop(rx);
        sender.join().unwrap();
        assert_eq!(DROPS.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn loom_mpsc_closed_is_told() {
    loom::model(|| {
        let (tx, rx) = mpsc::channel::<u8>(1);
        let receiver = thread::spawn(move || drop(rx));
        block_on(tx.closed());
        assert!(tx.is_closed());
        receiver.join().unwrap();
    });
}
