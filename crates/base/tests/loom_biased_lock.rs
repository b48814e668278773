//! Model checks of the lock that is biased towards a thread.
#![cfg(loom)]

use loom::sync::Arc;
use loom::thread;
use yamanote_base::atomic::{Ordering, fence};
use yamanote_base::biased_lock::{Barrier, BiasedLock, Sleeping};

type Lock = BiasedLock<usize, Sleeping, Whole>;

/// In a model, both sides have a fence of their own.
#[derive(Clone, Copy)]
struct Whole;

// SAFETY: the light fence is a whole one here, so this one is enough.
unsafe impl Barrier for Whole {
    fn pass() -> bool {
        fence(Ordering::SeqCst);
        true
    }
}

fn counted(others: usize, by_owner: usize) {
    loom::model(move || {
        let lock = Arc::new(Lock::new(0, Some(Whole)));
        let count = |_| {
            let lock = lock.clone();
            thread::spawn(move || *lock.lock() += 1)
        };
        let threads: Vec<_> = (0..others).map(count).collect();
        for _ in 0..by_owner {
            *lock.lock() += 1;
        }
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert_eq!(*lock.lock(), others + by_owner);
    });
}

#[test]
fn loom_biased_lock_has_one_holder_while_the_bias_goes() {
    counted(1, 2);
}

#[test]
fn loom_biased_lock_has_one_holder_while_two_take_the_bias() {
    counted(2, 1);
}
