//! What the world does not decide is named by the check; what asks the C library is simulated.
#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tokio::sim::{self, Explore, FailureReport, Sim};
use tokio::time::sleep;

/// `name` is the test's own: other processes come to the same exploration by it.
fn config(name: &str) -> Explore {
    Explore {
        seeds: 0..5,
        check: true,
        shrink: false,
        seeds_folder: None,
        ..Explore::of_test(&format!("tests::{name}"), None)
    }
}

fn failure(config: &Explore, world: fn(Sim) -> World) -> FailureReport {
    let report = sim::explore(config, world);
    *report.failure.expect("the check names it")
}

type World = std::pin::Pin<Box<dyn Future<Output = ()>>>;

/// Runs a client whose only task does `work`, and then waits as long as that says.
fn waits_for(sim: Sim, work: fn() -> u64) -> World {
    Box::pin(async move {
        let client = sim.client("client", async move {
            sleep(Duration::from_millis(work() % 1000)).await;
        });
        client.await.unwrap();
    })
}

#[test]
fn a_clock_that_is_read_past_the_library_is_named() {
    let failure = failure(
        &config("a_clock_that_is_read_past_the_library_is_named"),
        |sim| {
            waits_for(sim, || {
                let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
                now.tv_nsec as u64 / 7
            })
        },
    );
    assert_eq!(failure.name, "not deterministic", "{failure}");
    let text = failure.to_string();
    assert!(text.contains("first difference, step "), "{text}");
    assert!(
        text.contains(" on client, spawned at tests/tests/sim_determinism.rs:"),
        "{text}"
    );
}

#[test]
fn a_failure_that_does_not_come_back_is_named() {
    static HAS_FAILED: AtomicBool = AtomicBool::new(false);
    let config = Explore {
        check: false,
        ..config("a_failure_that_does_not_come_back_is_named")
    };
    let failure = failure(&config, |sim| {
        waits_for(sim, || {
            let has_failed = HAS_FAILED.swap(true, Ordering::Relaxed);
            assert!(has_failed, "once");
            5
        })
    });
    assert_eq!(failure.name, "not deterministic", "{failure}");
    let text = failure.to_string();
    let first = text.lines().next().unwrap_or_default();
    assert!(first.contains("one failed (panic at "), "{text}");
    assert!(first.contains("the other passed after "), "{text}");
}

#[test]
fn an_order_by_address_is_named() {
    let failure = failure(&config("an_order_by_address_is_named"), |sim| {
        waits_for(sim, || std::ptr::from_ref(&CONFIG).addr() as u64 >> 12)
    });
    assert_eq!(failure.name, "not deterministic", "{failure}");
}

static CONFIG: u8 = 5;

#[test]
fn what_differs_in_its_bytes_alone_is_named() {
    let failure = failure(&config("what_differs_in_its_bytes_alone_is_named"), |sim| {
        Box::pin(async move {
            let address = std::ptr::from_ref(&CONFIG).addr() as u64;
            let client = sim.client("client", async move {
                tokio::fs::write("/address", address.to_be_bytes()).await
            });
            client.await.unwrap().unwrap();
        })
    });
    assert_eq!(failure.name, "not deterministic", "{failure}");
    let text = failure.to_string();
    assert!(text.contains("8 bytes for client, digest "), "{text}");
}

#[test]
fn a_thread_is_named() {
    let failure = failure(&config("a_thread_is_named"), |sim| {
        waits_for(sim, || std::thread::spawn(|| 5).join().unwrap())
    });
    assert_eq!(failure.name, "check \"a thread is made\"", "{failure}");
    assert!(failure.text.contains("on host client"), "{failure}");
}

#[test]
fn what_asks_the_library_gets_the_world_and_passes_the_check() {
    let config = config("what_asks_the_library_gets_the_world_and_passes_the_check");
    let report = sim::explore(&config, |sim| {
        waits_for(sim, || {
            let map: HashMap<u32, u32> = (0..100).map(|n| (n, n)).collect();
            let first = map.keys().next().copied().unwrap();
            let (wall, begin) = (SystemTime::now(), Instant::now());
            // Time goes by while it is asked for: this ends.
            while begin.elapsed() < Duration::from_micros(10) {}
            let since = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(since.as_secs(), 1_735_689_600);
            assert_eq!(std::thread::available_parallelism().unwrap().get(), 4);
            u64::from(first) + u64::from(std::process::id()) + u64::from(since.subsec_nanos())
        })
    });
    report.assert_passed();
    assert_eq!((report.seeds, report.checked), (5, 5));
}

/// What a program reads again and again of its clocks, as `std` shows them.
type Readings = Arc<Mutex<Vec<(SystemTime, Instant)>>>;

async fn reader(readings: Readings) {
    loop {
        let now = (SystemTime::now(), Instant::now());
        readings.lock().unwrap().push(now);
        sleep(Duration::from_secs(1)).await;
    }
}

#[test]
fn std_shows_a_program_the_clocks_of_its_host() {
    let sim = Sim::new(6);
    let [wrong, right] = ["wrong", "right"].map(|name| {
        let readings = Readings::default();
        let kept = readings.clone();
        (sim.host(name, move || reader(kept.clone())), readings)
    });
    let (hour, second) = (Duration::from_secs(3600), Duration::from_secs(1));
    sim.run_for(second / 2).unwrap();
    wrong.0.clock().ahead(hour);
    sim.run_for(second).unwrap();
    wrong.0.clock().jump_back(2 * hour).drift(1_000_000);
    sim.run_for(10 * second).unwrap();
    let [wrong, right] = [wrong, right].map(|(_, readings)| readings.lock().unwrap().clone());
    let millis = |span: Duration| span.as_millis();
    // Which of the two began first, the seed decides.
    let [early, late] = [wrong[0].0.min(right[0].0), wrong[0].0.max(right[0].0)];
    assert!(late.duration_since(early).unwrap() < second);
    let ahead = wrong[1].0.duration_since(right[1].0).unwrap();
    assert!((3_599_000..3_601_000).contains(&millis(ahead)), "{ahead:?}");
    let behind = right[2].0.duration_since(wrong[2].0).unwrap();
    assert!(
        (3_599_000..3_601_000).contains(&millis(behind)),
        "{behind:?}"
    );
    // Twice as fast, from the nap on that began after the change: twice as many naps.
    assert_eq!((right.len(), wrong.len()), (12, 21));
    for readings in [&wrong, &right] {
        let pairs = readings.windows(2).map(|pair| (pair[0].1, pair[1].1));
        for (before, after) in pairs {
            let span = after.checked_duration_since(before).expect("it goes back");
            assert!((1_000..1_505).contains(&millis(span)), "{span:?}");
        }
    }
}
