//! Model checks of the cell for one waker.
#![cfg(loom)]

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering as Plain};
use std::task::{Context, Poll, Wake, Waker};

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use yamanote_base::waker_cell::WakerCell;

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Plain::Relaxed);
    }
}

#[test]
fn loom_waker_cell_no_wake_is_lost() {
    loom::model(|| {
        let shared = Arc::new((WakerCell::new(), AtomicBool::new(false)));
        let other = shared.clone();
        let waking = thread::spawn(move || {
            other.1.store(true, Ordering::Relaxed);
            other.0.wake();
        });
        block_on(poll_fn(|cx| {
            shared.0.register(cx.waker());
            if shared.1.load(Ordering::Relaxed) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }));
        waking.join().unwrap();
    });
}

#[test]
fn loom_waker_cell_two_wakers_of_others_wake_one_registration() {
    loom::model(|| {
        let shared = Arc::new((
            WakerCell::new(),
            AtomicBool::new(false),
            AtomicBool::new(false),
        ));
        let (one, two) = (shared.clone(), shared.clone());
        let first = thread::spawn(move || {
            one.1.store(true, Ordering::Relaxed);
            one.0.wake();
        });
        let second = thread::spawn(move || {
            two.2.store(true, Ordering::Relaxed);
            two.0.wake();
        });
        block_on(poll_fn(|cx| {
            shared.0.register(cx.waker());
            let both = shared.1.load(Ordering::Relaxed) && shared.2.load(Ordering::Relaxed);
            if both { Poll::Ready(()) } else { Poll::Pending }
        }));
        first.join().unwrap();
        second.join().unwrap();
    });
}

/// A thread that waits for two flags, each of which another thread sets and then `tell`s of; it
/// looks at them by `is_set`.
fn wait_for_two(tell: fn(&WakerCell, &AtomicBool), is_set: fn(&AtomicBool) -> bool) {
    loom::model(move || {
        let shared = Arc::new((WakerCell::new(), [(); 2].map(|()| AtomicBool::new(false))));
        let telling = [0, 1].map(|number| {
            let other = shared.clone();
            thread::spawn(move || tell(&other.0, &other.1[number]))
        });
        block_on(poll_fn(|cx| {
            // The second time nothing is written.
            shared.0.register(cx.waker());
            shared.0.register(cx.waker());
            match shared.1.iter().all(is_set) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        }));
        for thread in telling {
            thread.join().unwrap();
        }
    });
}

#[test]
fn loom_waker_cell_a_plain_store_is_enough_before_an_exchange_of_the_waker() {
    wait_for_two(
        |cell, flag| {
            flag.store(true, Ordering::Release);
            cell.wake();
        },
        |flag| flag.load(Ordering::Acquire),
    );
}

#[test]
fn loom_waker_cell_the_plain_look_is_enough_behind_a_read_modify_write() {
    loom::model(|| {
        let shared = Arc::new((WakerCell::new(), AtomicBool::new(false)));
        let other = shared.clone();
        let waking = thread::spawn(move || {
            other.1.swap(true, Ordering::AcqRel);
            if other.0.is_stored() {
                other.0.wake();
            }
        });
        block_on(poll_fn(|cx| {
            shared.0.register(cx.waker());
            let set = shared
                .1
                .compare_exchange(false, false, Ordering::AcqRel, Ordering::Acquire);
            if set.is_err() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }));
        waking.join().unwrap();
    });
}

#[test]
fn loom_waker_cell_a_waker_that_stays_where_it_is_hears_of_two_that_look_plainly() {
    wait_for_two(
        |cell, flag| {
            flag.swap(true, Ordering::SeqCst);
            if cell.is_stored() {
                cell.wake();
            }
        },
        // What is a load that is SeqCst elsewhere: the model checker takes that for less.
        |flag| flag.fetch_or(false, Ordering::AcqRel),
    );
}

#[test]
fn loom_waker_cell_the_last_registered_waker_is_woken() {
    loom::model(|| {
        let (old, new) = (
            std::sync::Arc::<Counter>::default(),
            std::sync::Arc::<Counter>::default(),
        );
        let cell = Arc::new(WakerCell::new());
        cell.register(&Waker::from(old.clone()));
        let other = cell.clone();
        let waking = thread::spawn(move || other.wake());
        let waker = Waker::from(new.clone());
        cell.register(Context::from_waker(&waker).waker());
        waking.join().unwrap();
        cell.wake();
        // Whenever the other thread came, the new waker is not forgotten.
        assert!(new.0.load(Plain::Relaxed) > 0);
    });
}
