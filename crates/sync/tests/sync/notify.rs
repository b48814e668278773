//! `Notify`: stored permits, order, rounds for all, cancellation.

use std::sync::Arc;

use yamanote_sync::Notify;

use crate::support::{now, polled};

#[test]
fn one_notification_is_stored_and_no_more() {
    let notify = Notify::new();
    notify.notify_one();
    notify.notify_one();
    now(notify.notified());
    assert!(polled(notify.notified()).is_pending());
}

#[test]
fn the_first_or_the_last_in_the_queue_is_told() {
    let notify = Notify::new();
    let mut waiting: Vec<_> = (0..3).map(|_| polled(notify.notified())).collect();
    assert!(waiting.iter_mut().all(|one| one.is_pending()));
    notify.notify_last();
    notify.notify_one();
    let wakes: Vec<_> = waiting.iter().map(|one| one.wakes()).collect();
    assert_eq!(wakes, [1, 0, 1]);
}

#[test]
fn all_are_told_polled_or_not_but_none_that_comes_later() {
    let notify = Arc::new(Notify::new());
    let (mut one, mut two) = (
        polled(notify.notified()),
        polled(notify.clone().notified_owned()),
    );
    assert!(one.is_pending());
    notify.notify_waiters();
    let mut late = polled(notify.notified());
    one.expect();
    two.expect();
    assert!(late.is_pending());
}

#[test]
fn a_dropped_future_hands_its_notification_on_in_the_same_order() {
    let notify = Notify::new();
    let mut waiting: Vec<_> = (0..3).map(|_| polled(notify.notified())).collect();
    assert!(waiting.iter_mut().all(|one| one.is_pending()));
    notify.notify_last();
    drop(waiting.pop());
    assert_eq!((waiting[0].wakes(), waiting[1].wakes()), (0, 1));
    notify.notify_one();
    drop(waiting.remove(0));
    // The second was told already, so this one is stored.
    now(notify.notified());
}

#[test]
fn a_notification_for_all_is_not_handed_on() {
    let notify = Notify::new();
    let mut waiting = polled(notify.notified());
    assert!(waiting.is_pending());
    notify.notify_waiters();
    drop(waiting);
    assert!(polled(notify.notified()).is_pending());
}

#[test]
fn an_enabled_future_has_its_place_before_it_is_polled() {
    let notify = Notify::new();
    let mut first = Box::pin(notify.notified());
    assert!(!first.as_mut().enable());
    let mut second = polled(notify.notified());
    assert!(second.is_pending());
    notify.notify_one();
    assert!(first.as_mut().enable());
    now(first);
    assert!(second.is_pending());
}
