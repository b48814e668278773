//! What is done to hosts from outside: pauses, clocks, other programs.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sim::Sim;
use tokio::time::{Instant, sleep};

/// Counts the seconds.
async fn ticker(ticks: Arc<AtomicUsize>) {
    loop {
        sleep(Duration::from_secs(1)).await;
        ticks.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_host_that_is_paused_does_nothing_until_it_goes_on() {
    let ticks = Arc::new(AtomicUsize::new(0));
    let sim = Sim::new(1);
    let count = ticks.clone();
    let host = sim.host("a", move || ticker(count.clone()));
    sim.run_for(Duration::from_millis(2_500)).unwrap();
    host.pause();
    host.pause();
    sim.run_for(Duration::from_secs(60)).unwrap();
    assert_eq!(ticks.load(Ordering::Relaxed), 2);
    host.resume();
    host.resume();
    sim.run_for(Duration::from_millis(100)).unwrap();
    assert_eq!(ticks.load(Ordering::Relaxed), 3, "its timer is long due");
    host.pause();
    host.crash();
    host.restart();
    sim.run_for(Duration::from_millis(1_500)).unwrap();
    assert_eq!(ticks.load(Ordering::Relaxed), 4, "a new life is not paused");
}

#[test]
fn an_upgrade_runs_another_program_on_the_same_disk() {
    let sim = Sim::new(3);
    let host = sim.host("db", || tokio::fs::write("/version", "1"));
    sim.run_for(Duration::from_secs(1)).unwrap();
    host.restart_with(|| async {
        assert_eq!(tokio::fs::read("/version").await?, b"1");
        tokio::fs::write("/version", "2").await
    });
    sim.run_for(Duration::from_secs(1)).unwrap();
    assert_eq!(host.disk().read("/version").unwrap(), b"2");
    host.restart();
    let error = sim.run_for(Duration::from_secs(1)).unwrap_err();
    assert_eq!(error.host(), Some("db"), "the new one runs again: {error}");
}

#[test]
fn a_clock_that_drifts_measures_other_spans() {
    let sim = Sim::new(4);
    let spans = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = spans.clone();
    let host = sim.host("fast", move || {
        let spans = kept.clone();
        async move {
            loop {
                let begin = Instant::now();
                sleep(Duration::from_secs(10)).await;
                spans.lock().unwrap().push(begin.elapsed());
            }
        }
    });
    sim.run_for(Duration::from_secs(15)).unwrap();
    host.clock().drift(1_000_000);
    sim.run_for(Duration::from_secs(26)).unwrap();
    let spans = spans.lock().unwrap().clone();
    // Ten seconds, then five and twice as long by its own clock, then five for each nap.
    assert_eq!(spans.len(), 6, "{spans:?}");
    for span in spans.iter().filter(|span| **span != spans[1]) {
        assert!((9_999..10_100).contains(&span.as_millis()), "{spans:?}");
    }
}

#[test]
fn a_wall_clock_is_wrong_as_it_is_told() {
    let sim = Sim::new(5);
    let host = sim.host("a", std::future::pending::<()>);
    let hour = Duration::from_secs(3600);
    let right = host.clock().wall();
    host.clock().ahead(hour);
    assert!(host.clock().wall() >= right + hour);
    host.clock().behind(hour);
    assert!(host.clock().wall() < right);
    host.clock().heal();
    let before = host.clock().monotonic();
    host.clock().jump_back(hour);
    assert!(host.clock().wall() < right);
    assert!(
        host.clock().monotonic() > before,
        "it never goes back, and reading takes time"
    );
    host.clock().heal();
    host.clock().jump_ahead(2 * hour);
    assert!(host.clock().wall() >= right + 2 * hour);
}

#[test]
fn a_first_start_ends_no_crash_and_each_other_one_does() {
    let sim = Sim::new(7);
    let host = sim.host("a", std::future::pending::<()>);
    assert_eq!(sim.world().faults().len(), 0, "nothing was broken");
    host.crash();
    assert_eq!(sim.world().faults_in_force().len(), 1);
    host.restart();
    host.restart();
    let counts = (
        sim.world().faults_in_force().len(),
        sim.world().faults().len(),
    );
    assert_eq!(counts, (0, 4));
}
