//! Model checks of the semaphore: exclusion, order, cancellation, closing.
#![cfg(loom)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use loom::cell::UnsafeCell;
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use yamanote_sync::Semaphore;

#[test]
fn loom_semaphore_one_permit_excludes() {
    loom::model(|| {
        let shared = Arc::new((Semaphore::new(1), UnsafeCell::new(0)));
        let enter = |shared: &(Semaphore, UnsafeCell<u32>)| {
            let permit = block_on(shared.0.acquire()).unwrap();
            // SAFETY: the permit excludes the other thread; the model checker verifies it.
            shared.1.with_mut(|value| unsafe { *value += 1 });
            drop(permit);
        };
        let other = shared.clone();
        let thread = thread::spawn(move || enter(&other));
        enter(&shared);
        thread.join().unwrap();
        // SAFETY: the other thread has ended.
        assert_eq!(shared.1.with(|value| unsafe { *value }), 2);
        assert_eq!(shared.0.available_permits(), 1);
    });
}

#[test]
fn loom_semaphore_a_large_request_gets_what_comes_in_parts() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let givers: Vec<_> = (0..2)
            .map(|_| {
                let semaphore = semaphore.clone();
                thread::spawn(move || semaphore.add_permits(1))
            })
            .collect();
        block_on(semaphore.acquire_many(2)).unwrap().forget();
        for giver in givers {
            giver.join().unwrap();
        }
        assert_eq!(semaphore.available_permits(), 0);
    });
}

#[test]
fn loom_semaphore_a_cancelled_request_loses_no_permit() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let other = semaphore.clone();
        let giver = thread::spawn(move || other.add_permits(1));
        let other = semaphore.clone();
        let waiter = thread::spawn(move || drop(block_on(other.acquire()).unwrap()));
        {
            let mut acquire = pin!(semaphore.acquire());
            let _ = acquire
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
        }
        giver.join().unwrap();
        waiter.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn loom_semaphore_closing_wakes_who_waits_and_parts_come_back() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let other = semaphore.clone();
        let closer = thread::spawn(move || other.close());
        assert!(block_on(semaphore.acquire_many(2)).is_err());
        closer.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
    });
}

#[test]
fn loom_semaphore_forgotten_permits_are_gone() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let other = semaphore.clone();
        let forgetter = thread::spawn(move || other.forget_permits(1));
        let got = semaphore
            .try_acquire()
            .map(|permit| permit.forget())
            .is_ok();
        assert_eq!(forgetter.join().unwrap() + usize::from(got), 1);
        assert_eq!(semaphore.available_permits(), 0);
    });
}
