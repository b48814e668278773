//! Barriers: rounds and their leaders.

use std::sync::Arc;
use std::thread;

use yamanote_base::block::block_on;
use yamanote_sync::Barrier;

use crate::support::{now, polled};

#[test]
fn the_last_to_arrive_leads_and_releases_the_others() {
    let barrier = Barrier::new(3);
    for _ in 0..2 {
        let (mut one, mut two) = (polled(barrier.wait()), polled(barrier.wait()));
        assert!(one.is_pending() && two.is_pending());
        assert!(now(barrier.wait()).is_leader());
        assert!(!one.expect().is_leader() && !two.expect().is_leader());
    }
}

#[test]
fn a_barrier_for_nobody_is_one_for_one() {
    assert!(now(Barrier::new(0).wait()).is_leader());
}

#[test]
fn every_round_has_one_leader() {
    let barrier = Arc::new(Barrier::new(3));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let barrier = barrier.clone();
            let lead = move || {
                (0..500)
                    .filter(|_| block_on(barrier.wait()).is_leader())
                    .count()
            };
            thread::spawn(lead)
        })
        .collect();
    let leads: usize = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    assert_eq!(leads, 500);
}
