//! Model checks of `OnceCell` and `SetOnce`: one value, seen by all who wait.
#![cfg(loom)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use yamanote_sync::{OnceCell, SetError, SetOnce};

#[test]
fn loom_once_one_initialiser_wins_and_all_see_its_value() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let other = cell.clone();
        let init = |cell: &OnceCell<Box<u32>>, n| {
            **block_on(cell.get_or_init(|| async move { Box::new(n) }))
        };
        let thread = thread::spawn(move || init(&other, 1));
        let seen = init(&cell, 2);
        assert_eq!(seen, thread.join().unwrap());
        assert!(seen == 1 || seen == 2);
    });
}

#[test]
fn loom_once_setting_and_initialising_agree() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let other = cell.clone();
        let thread = thread::spawn(move || other.set(Box::new(1)));
        let seen = **block_on(cell.get_or_init(|| async { Box::new(2) }));
        match thread.join().unwrap() {
            Ok(()) => assert_eq!(seen, 1),
            Err(SetError::AlreadyInitializedError(_) | SetError::InitializingError(_)) => {
                assert_eq!(seen, 2);
            }
        }
    });
}

#[test]
fn loom_once_a_cancelled_initialiser_leaves_the_cell_to_the_next() {
    loom::model(|| {
        let cell = Arc::new(OnceCell::new());
        let other = cell.clone();
        let thread = thread::spawn(move || {
            let mut stuck = pin!(other.get_or_init(std::future::pending::<u32>));
            let mut cx = Context::from_waker(Waker::noop());
            // Ready if the other was faster.
            matches!(stuck.as_mut().poll(&mut cx), Poll::Ready(2))
        });
        assert_eq!(*block_on(cell.get_or_init(|| async { 2 })), 2);
        let _ = thread.join().unwrap();
    });
}

#[test]
fn loom_once_who_waits_for_a_set_once_sees_its_value() {
    loom::model(|| {
        let cell = Arc::new(SetOnce::new());
        let setters: Vec<_> = (1..3)
            .map(|n| {
                let cell = cell.clone();
                thread::spawn(move || cell.set(Box::new(n)).is_ok())
            })
            .collect();
        let seen = **block_on(cell.wait());
        assert!(seen == 1 || seen == 2);
        let set: Vec<_> = setters.into_iter().map(|t| t.join().unwrap()).collect();
        assert_eq!(set, [seen == 1, seen == 2]);
    });
}
