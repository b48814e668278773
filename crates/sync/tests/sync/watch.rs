//! Watch channels: versions, closing, conditions.

use yamanote_sync::watch::{Sender, channel};

use crate::support::{now, panics, polled};

#[test]
fn a_receiver_sees_the_latest_value_once() {
    let (tx, mut rx) = channel(0);
    assert!(!rx.has_changed().unwrap());
    tx.send(1).unwrap();
    tx.send(2).unwrap();
    assert!(rx.borrow().has_changed());
    now(rx.changed()).unwrap();
    assert_eq!(*rx.borrow_and_update(), 2);
    let mut changed = polled(rx.changed());
    assert!(changed.is_pending());
    tx.send_modify(|value| *value += 1);
    assert_eq!(changed.wakes(), 1);
    changed.expect().unwrap();
}

#[test]
fn a_value_is_changed_in_place_only_if_the_closure_says_so() {
    let (tx, rx) = channel(0);
    assert!(!tx.send_if_modified(|_| false));
    assert!(!rx.has_changed().unwrap());
    assert_eq!(tx.send_replace(5), 0);
    assert!(rx.has_changed().unwrap());
    assert!(panics(|| tx.send_modify(|_| panic!("no change"))));
    assert_eq!((*tx.borrow(), *rx.borrow()), (5, 5));
}

#[test]
fn the_last_value_is_seen_after_the_sender_has_gone() {
    let (tx, mut rx) = channel(0);
    tx.send(1).unwrap();
    drop(tx);
    now(rx.changed()).unwrap();
    assert!(now(rx.changed()).is_err());
    assert!(rx.has_changed().is_err() && rx.is_closed());
    assert_eq!(*rx.borrow(), 1);
}

#[test]
fn a_condition_is_waited_for() {
    let (tx, mut rx) = channel(0);
    let mut other = rx.clone();
    let mut waiting = polled(rx.wait_for(|value| *value > 1));
    assert!(waiting.is_pending());
    tx.send(1).unwrap();
    assert!(waiting.is_pending());
    tx.send(2).unwrap();
    assert_eq!(*waiting.expect().unwrap(), 2);
    drop(waiting);
    drop(tx);
    assert_eq!(*now(other.wait_for(|value| *value == 2)).unwrap(), 2);
    assert!(now(other.wait_for(|value| *value == 3)).is_err());
}

#[test]
fn senders_hear_that_the_last_receiver_has_gone() {
    let tx = Sender::new(0);
    assert!(tx.is_closed() && tx.send(1).is_err());
    let rx = tx.subscribe();
    let other = rx.clone();
    assert!(rx.same_channel(&other));
    let mut closed = polled(tx.closed());
    assert!(closed.is_pending());
    drop(rx);
    assert_eq!((closed.wakes(), tx.receiver_count()), (0, 1));
    drop(other);
    closed.expect();
}

#[test]
fn marks_decide_what_counts_as_seen() {
    let (tx, mut rx) = channel(0);
    rx.mark_changed();
    assert!(rx.has_changed().unwrap());
    rx.mark_unchanged();
    tx.send(1).unwrap();
    let other = tx.clone();
    drop(tx);
    assert_eq!(other.sender_count(), 1);
    rx.mark_unchanged();
    assert!(!rx.has_changed().unwrap());
}
