//! Semaphores: order, parts, cancellation, closing, many threads.

use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use yamanote_base::block::block_on;
use yamanote_sync::{Semaphore, TryAcquireError, mpsc};

use crate::support::{now, panics, polled};

#[test]
fn a_small_request_does_not_overtake_a_large_one() {
    let semaphore = Semaphore::new(2);
    let mut large = polled(semaphore.acquire_many(3));
    let mut small = polled(semaphore.acquire());
    assert!(large.is_pending() && small.is_pending());
    assert_eq!(
        semaphore.try_acquire().unwrap_err(),
        TryAcquireError::NoPermits
    );
    semaphore.add_permits(1);
    assert_eq!((large.wakes(), small.wakes()), (1, 0));
    drop(large.expect().unwrap());
    assert_eq!(small.wakes(), 1);
    drop(small.expect().unwrap());
    assert_eq!(semaphore.available_permits(), 3);
}

#[test]
fn dropping_a_request_passes_its_parts_on() {
    let semaphore = Semaphore::new(2);
    let mut large = polled(semaphore.acquire_many(3));
    let mut small = polled(semaphore.acquire());
    assert!(large.is_pending() && small.is_pending());
    drop(large);
    assert_eq!(small.wakes(), 1);
    small.expect().unwrap().forget();
    assert_eq!(semaphore.available_permits(), 1);
}

#[test]
fn dropping_a_granted_request_gives_the_permit_to_the_next() {
    let semaphore = Semaphore::new(0);
    let (mut one, mut two) = (polled(semaphore.acquire()), polled(semaphore.acquire()));
    assert!(one.is_pending() && two.is_pending());
    semaphore.add_permits(1);
    drop(one);
    assert_eq!(two.wakes(), 1);
    assert!(two.expect().is_ok());
}

#[test]
fn the_last_waiter_that_leaves_opens_the_fast_path_again() {
    let semaphore = Semaphore::new(0);
    let mut waiting = polled(semaphore.acquire());
    assert!(waiting.is_pending());
    drop(waiting);
    semaphore.add_permits(1);
    assert!(semaphore.try_acquire().is_ok());
    assert!(now(semaphore.acquire_many(1)).is_ok());
}

#[test]
fn no_permits_are_had_at_once_even_behind_others() {
    let semaphore = Semaphore::new(0);
    let mut waiting = polled(semaphore.acquire());
    assert!(waiting.is_pending());
    assert_eq!(now(semaphore.acquire_many(0)).unwrap().num_permits(), 0);
}

#[test]
fn closing_refuses_who_waits_and_keeps_what_is_held() {
    let semaphore = Semaphore::new(1);
    let mut waiting = polled(semaphore.acquire_many(2));
    assert!(waiting.is_pending());
    semaphore.close();
    assert_eq!(waiting.wakes(), 1);
    assert_eq!(
        waiting.expect().unwrap_err().to_string(),
        "semaphore closed"
    );
    assert_eq!(semaphore.available_permits(), 1);
    assert_eq!(
        semaphore.try_acquire().unwrap_err(),
        TryAcquireError::Closed
    );
    assert!(semaphore.is_closed());
}

#[test]
fn permits_are_split_merged_and_forgotten() {
    let semaphore = Arc::new(Semaphore::new(5));
    let mut five = now(semaphore.clone().acquire_many_owned(5)).unwrap();
    let two = five.split(2).unwrap();
    assert!(five.split(4).is_none());
    assert_eq!((five.num_permits(), two.num_permits()), (3, 2));
    five.merge(two);
    drop(five.split(1));
    assert_eq!(semaphore.available_permits(), 1);
    five.forget();
    assert_eq!(semaphore.forget_permits(7), 1);
    assert_eq!(semaphore.available_permits(), 0);
}

#[test]
fn too_many_permits_panic_and_leave_the_count_alone() {
    let semaphore = Semaphore::new(Semaphore::MAX_PERMITS);
    assert!(panics(|| semaphore.add_permits(1)));
    assert_eq!(semaphore.available_permits(), Semaphore::MAX_PERMITS);
    assert!(panics(|| drop(Semaphore::new(Semaphore::MAX_PERMITS + 1))));
}

#[test]
fn permits_of_different_semaphores_do_not_merge() {
    let (one, two) = (Semaphore::new(1), Semaphore::new(1));
    let mut permit = one.try_acquire().unwrap();
    let other = two.try_acquire().unwrap();
    assert!(panics(|| permit.merge(other)));
    assert_eq!(two.available_permits(), 1);
}

#[test]
fn many_threads_never_hold_more_than_there_is() {
    let semaphore = Arc::new((Semaphore::new(3), AtomicUsize::new(0)));
    let threads: Vec<_> = (0..4_u32)
        .map(|i| {
            let semaphore = semaphore.clone();
            thread::spawn(move || {
                for round in 0..2000 {
                    let wanted = 1 + (i + round) % 3;
                    let permit = block_on(semaphore.0.acquire_many(wanted)).unwrap();
                    let held = semaphore.1.fetch_add(wanted as usize, Ordering::SeqCst);
                    assert!(held + wanted as usize <= 3);
                    semaphore.1.fetch_sub(wanted as usize, Ordering::SeqCst);
                    drop(permit);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(semaphore.0.available_permits(), 3);
}

#[test]
fn who_asks_for_too_many_permits_is_told_how_many_there_may_be() {
    let most = Semaphore::MAX_PERMITS;
    let asks: [(fn(), &str); 4] = [
        (
            || drop(Semaphore::new(usize::MAX)),
            "a semaphore may not have more than MAX_PERMITS permits ",
        ),
        (
            || drop(mpsc::channel::<u8>(usize::MAX)),
            "a semaphore may not have more than MAX_PERMITS permits ",
        ),
        (
            || Semaphore::new(0).add_permits(usize::MAX),
            "cannot add more than MAX_PERMITS permits ",
        ),
        (
            || Semaphore::new(1).add_permits(Semaphore::MAX_PERMITS),
            &format!("number of added permits ({most}) would overflow MAX_PERMITS "),
        ),
    ];
    for (ask, text) in asks {
        let panic = catch_unwind(ask).unwrap_err();
        let said = panic
            .downcast_ref::<String>()
            .expect("a text with a number");
        assert_eq!(*said, format!("{text}({most})"));
    }
}
