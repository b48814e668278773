//! Model checks of `Mutex` and `RwLock`: exclusion, handing over, downgrading, cancellation.
#![cfg(loom)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use loom::cell::UnsafeCell;
use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use yamanote_sync::{Mutex, RwLock};

/// A value whose use at the same time by two, one of which writes, the model checker reports.
struct Watched(UnsafeCell<u32>);

// SAFETY: that no two threads meet there is what these models check.
unsafe impl Sync for Watched {}

impl Watched {
    fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    fn add(&self) {
        // SAFETY: checked by the model checker.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }

    fn get(&self) -> u32 {
        // SAFETY: checked by the model checker.
        self.0.with(|value| unsafe { *value })
    }
}

fn poll_and_drop(future: impl Future) {
    let mut cx = Context::from_waker(Waker::noop());
    let _ = pin!(future).poll(&mut cx);
}

#[test]
fn loom_locks_a_mutex_excludes_and_is_handed_over() {
    loom::model(|| {
        let mutex = Arc::new(Mutex::new(Watched::new()));
        let other = mutex.clone();
        let thread = thread::spawn(move || block_on(other.lock()).add());
        block_on(mutex.lock()).add();
        thread.join().unwrap();
        assert_eq!(block_on(mutex.lock()).get(), 2);
    });
}

#[test]
fn loom_locks_who_gives_up_the_wait_for_a_mutex_leaves_it_to_the_next() {
    loom::model(|| {
        let mutex = Arc::new(Mutex::new(Watched::new()));
        let guard = mutex.try_lock().unwrap();
        let other = mutex.clone();
        let leaving = thread::spawn(move || poll_and_drop(other.lock()));
        let other = mutex.clone();
        let waiting = thread::spawn(move || block_on(other.lock()).add());
        guard.add();
        drop(guard);
        leaving.join().unwrap();
        waiting.join().unwrap();
        assert_eq!(mutex.try_lock().unwrap().get(), 2);
    });
}

#[test]
fn loom_locks_a_writer_excludes_readers() {
    loom::model(|| {
        let lock = Arc::new(RwLock::with_max_readers(Watched::new(), 2));
        let other = lock.clone();
        let writer = thread::spawn(move || block_on(other.write()).add());
        let other = lock.clone();
        let reader = thread::spawn(move || block_on(other.read()).get());
        let seen = block_on(lock.read()).get();
        writer.join().unwrap();
        assert!(seen <= 1 && reader.join().unwrap() <= 1);
        assert_eq!(lock.try_read().unwrap().get(), 1);
    });
}

#[test]
fn loom_locks_no_writer_comes_between_a_downgrade() {
    loom::model(|| {
        let lock = Arc::new(RwLock::with_max_readers(Watched::new(), 2));
        let other = lock.clone();
        let thread = thread::spawn(move || block_on(other.write()).add());
        let writer = block_on(lock.write());
        writer.add();
        let before = writer.get();
        let reader = writer.downgrade();
        assert_eq!(reader.get(), before);
        drop(reader);
        thread.join().unwrap();
        assert_eq!(lock.try_write().unwrap().get(), 2);
    });
}

#[test]
fn loom_locks_a_writer_that_gives_up_lets_readers_in() {
    loom::model(|| {
        let lock = Arc::new(RwLock::with_max_readers(Watched::new(), 2));
        let held = lock.try_read().unwrap();
        let other = lock.clone();
        let leaving = thread::spawn(move || poll_and_drop(other.write()));
        // Whether the writer came first or not: it leaves, and does not keep this reader out.
        assert_eq!(block_on(lock.read()).get(), 0);
        leaving.join().unwrap();
        drop(held);
        assert!(lock.try_write().is_ok());
    });
}
