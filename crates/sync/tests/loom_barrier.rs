//! Model checks of the barrier: one leader a round, nobody left behind.
#![cfg(loom)]

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use yamanote_sync::Barrier;

#[test]
fn loom_barrier_all_go_on_when_the_last_has_come() {
    loom::model(|| {
        let shared = Arc::new((Barrier::new(3), AtomicUsize::new(0)));
        let arrive = |shared: &(Barrier, AtomicUsize)| {
            shared.1.fetch_add(1, Ordering::Relaxed);
            let leads = block_on(shared.0.wait()).is_leader();
            // What each did before the barrier is seen by all after it.
            assert_eq!(shared.1.load(Ordering::Relaxed), 3);
            leads
        };
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let shared = shared.clone();
                thread::spawn(move || arrive(&shared))
            })
            .collect();
        let leads = arrive(&shared);
        let others = threads.into_iter().map(|thread| thread.join().unwrap());
        let leaders = others.chain([leads]).filter(|leads| *leads).count();
        assert_eq!(leaders, 1);
    });
}

#[test]
fn loom_barrier_rounds_follow_each_other() {
    loom::model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let other = barrier.clone();
        let leads = |barrier: &Barrier| {
            (0..2)
                .filter(|_| block_on(barrier.wait()).is_leader())
                .count()
        };
        let thread = thread::spawn(move || leads(&other));
        let leaders = leads(&barrier);
        assert_eq!(leaders + thread.join().unwrap(), 2);
    });
}
