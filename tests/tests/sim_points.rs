//! Places in programs that a simulation knows by name, and what it does to the program there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sim::{self, Explore, Sim, Swarm};
use tokio::time::sleep;

const RUNS: u64 = 400;
const PASSES: usize = 100;

/// How often a place misbehaved in each run, of so many times that a program passed it.
fn misbehaviour() -> Vec<usize> {
    let counts = Arc::new(Mutex::new(Vec::new()));
    let config = Explore {
        seeds: 0..RUNS,
        ..Explore::new("buggify")
    };
    let of_all = counts.clone();
    let report = sim::explore(&config, move |_| {
        let counts = of_all.clone();
        async move {
            let count = (0..PASSES).filter(|_| sim::buggify!(0.5)).count();
            counts.lock().unwrap().push(count);
        }
    });
    report.assert_passed();
    std::mem::take(&mut counts.lock().unwrap())
}

#[test]
fn a_place_misbehaves_in_a_quarter_of_the_runs_as_the_seed_says() {
    let counts = misbehaviour();
    assert_eq!(counts.len(), RUNS as usize);
    let (calm, others): (Vec<_>, Vec<_>) = counts.iter().partition(|count| **count == 0);
    assert!((240..360).contains(&calm.len()), "{counts:?}");
    let few_or_many = |count: &usize| !(20..80).contains(count);
    assert_eq!(others.into_iter().filter(few_or_many).count(), 0);
    assert_eq!(misbehaviour(), counts);
}

/// How often a program was started that passes a place every ten milliseconds: while a nemesis
/// kills it with that chance, and then.
fn starts(chance: f64) -> (u64, u64) {
    let sim = Sim::new(7);
    let started = Arc::new(AtomicU64::new(0));
    let counted = started.clone();
    sim.host("walker", move || {
        counted.fetch_add(1, Ordering::Relaxed);
        async {
            // Bounded by the simulation.
            loop {
                sim::point!("a step");
                sleep(Duration::from_millis(10)).await;
            }
        }
    });
    let swarm = Swarm::default().only([]).crash_at_points(chance);
    let chaos = sim.nemesis(swarm);
    sim.run_for(Duration::from_secs(60)).unwrap();
    drop(chaos);
    let while_struck = started.load(Ordering::Relaxed);
    sim.run_for(Duration::from_secs(60)).unwrap();
    (while_struck, started.load(Ordering::Relaxed))
}

#[test]
fn a_host_is_killed_at_its_points_as_likely_as_was_said_and_started_again() {
    let (often, after) = starts(0.05);
    assert!(often >= 10, "{often}");
    // The last kill may be healed only afterwards.
    assert!(after <= often + 1, "{often}, {after}");
    let (seldom, _) = starts(0.001);
    assert!((2..often).contains(&seldom), "{seldom}");
    assert_eq!(starts(0.0), (1, 1));
}
