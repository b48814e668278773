//! Explorations: what is found, how small it becomes, and that it comes again.

use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sim::{self, Explore, Schedule, Sim, Swarm, SwarmFault};
use tokio::time::{sleep, timeout};

/// A counter whose clients ask again when no answer comes: so it may count twice.
async fn counter(total: Arc<AtomicU64>) -> std::io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:1").await?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        let total = total.clone();
        tokio::spawn(async move {
            let more = stream.read_u64().await?;
            let now = total.fetch_add(more, Ordering::Relaxed) + more;
            stream.write_u64(now).await
        });
    }
}

async fn add(more: u64) -> std::io::Result<u64> {
    let mut stream = TcpStream::connect("counter:1").await?;
    stream.write_u64(more).await?;
    stream.read_u64().await
}

async fn counts_once(sim: Sim) {
    let total = Arc::new(AtomicU64::new(0));
    let counted = total.clone();
    sim.host("counter", move || counter(counted.clone()));
    sim.host("bystander", std::future::pending::<()>);
    let chaos = sim.nemesis(Swarm::default().every(Duration::from_millis(500)));
    let client = sim.client("client", async {
        for _ in 0..20 {
            sleep(Duration::from_millis(100)).await;
            // Bounded by the time limit of the test.
            while !matches!(timeout(Duration::from_secs(1), add(1)).await, Ok(Ok(_))) {}
        }
    });
    client.await.unwrap();
    drop(chaos);
    assert_eq!(total.load(Ordering::Relaxed), 20);
}

fn config(name: &str) -> Explore {
    Explore {
        seeds: 0..500,
        ..Explore::new(name)
    }
}

#[test]
fn a_retry_after_a_lost_answer_is_found_shrunk_and_replayed() {
    let config = config("retry");
    let report = sim::explore(&config, counts_once);
    let failure = report.failure.as_ref().expect("it counts twice");
    assert!(
        failure
            .name
            .starts_with("panic at tests/tests/sim_explore.rs"),
        "{failure}"
    );
    let shrinking = failure.shrinking.as_ref().expect("it was shrunk");
    assert!((1..=2).contains(&shrinking.faults[1]), "{failure}");
    assert!(shrinking.hosts[1] < shrinking.hosts[0], "{failure}");
    let text = failure.to_string();
    for part in [
        "last events on counter",
        "replay: YAMANOTE_SIM_REPLAY=",
        "faults:",
    ] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    let path = failure.trace.as_ref().expect("a trace was written");
    let trace = sim::TraceFile::read(path).unwrap();
    assert_eq!(trace.hash, failure.outcome.as_ref().unwrap().hash);
}

#[test]
fn what_passes_passes_and_is_covered() {
    let report = sim::explore(&config("passes"), |sim| async move {
        sim::sometimes!(sim.draw(10) == 0, "a nought");
        sim::sometimes!(sim.draw(10) == 10, "a ten");
        sim::always!(sim.draw(10) < 10, "below ten");
        sleep(Duration::from_secs(1)).await;
    });
    report.assert_passed();
    assert_eq!(report.seeds, 500);
    assert!((20..100).contains(&report.coverage["a nought"]), "{report}");
    assert_eq!(report.uncovered().collect::<Vec<_>>(), ["a ten"]);
    assert!(
        report
            .to_string()
            .contains("\"a ten\": in 0 of 500 runs: NEVER")
    );
}

#[test]
fn each_kind_of_failure_has_its_name() {
    let name_of = |world: fn(Sim) -> std::pin::Pin<Box<dyn Future<Output = ()>>>| {
        let report = sim::explore(&config("names"), world);
        let text = report.to_string();
        report.failure.expect(&text).name
    };
    let invariant = name_of(|sim| {
        Box::pin(async move {
            let begin = sim.clone();
            let early = move || match begin.now() < Duration::from_secs(1) {
                true => Ok(()),
                false => Err("it is late".to_owned()),
            };
            sim.invariant("early", early);
            sleep(Duration::from_secs(5)).await;
        })
    });
    assert_eq!(invariant, "invariant \"early\"");
    let always = name_of(|_| {
        Box::pin(async {
            sim::always!(1 > 2, "order", "{} > {}", 1, 2);
            sleep(Duration::from_secs(5)).await;
        })
    });
    assert_eq!(always, "always \"order\"");
    let eventually = name_of(|sim| {
        Box::pin(async move {
            sim.eventually("never", Duration::from_secs(1), || false)
                .await
        })
    });
    assert_eq!(eventually, "eventually \"never\"");
    let deadlock = name_of(|_| Box::pin(std::future::pending()));
    assert_eq!(deadlock, "deadlock");
    let limit = name_of(|_| {
        Box::pin(async {
            loop {
                sleep(Duration::from_secs(1)).await;
            }
        })
    });
    assert_eq!(limit, "time limit");
}

/// Two tasks that read, wait and write: an order of three polls loses one of the writes.
async fn lost_update(_: Sim) {
    let value = Arc::new(Mutex::new(0));
    let add = |value: Arc<Mutex<u32>>| async move {
        let before = *value.lock().unwrap();
        tokio::task::yield_now().await;
        *value.lock().unwrap() = before + 1;
    };
    let one = tokio::spawn(add(value.clone()));
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    let two = tokio::spawn(add(value.clone()));
    one.await.unwrap();
    two.await.unwrap();
    assert_eq!(*value.lock().unwrap(), 2);
}

#[test]
fn an_order_that_loses_an_update_is_found_by_random_and_by_priorities_but_not_in_turn() {
    let found = |schedule| {
        let config = Explore {
            schedule,
            ..config("lost_update")
        };
        sim::explore(&config, lost_update).failure.is_some()
    };
    assert!(found(Schedule::Random));
    assert!(found(Schedule::Pct { depth: 2 }));
    assert!(!found(Schedule::Fifo));
}

#[tokio::test(sim, seeds = 20, time_limit = "10m", schedule = "pct(3)")]
async fn the_attribute_runs_a_world(sim: Sim) -> std::io::Result<()> {
    sim.hosts("node", 3, |number| async move {
        sleep(Duration::from_secs(number as u64)).await;
    });
    let swarm = Swarm::default().only([SwarmFault::Crash]).max_down(1);
    let chaos = sim.nemesis(swarm);
    sleep(Duration::from_secs(20)).await;
    drop(chaos);
    let down = || sim.find("node0").unwrap().is_up();
    sim.eventually("all are up", Duration::from_secs(1), down)
        .await;
    Ok(())
}

/// Writes and syncs again and again, and counts what fails.
async fn writer(failed: Arc<AtomicU64>) {
    // Bounded by the simulation.
    loop {
        failed.fetch_add(u64::from(write().await.is_err()), Ordering::Relaxed);
        sleep(Duration::from_millis(20)).await;
    }
}

async fn write() -> std::io::Result<()> {
    let mut file = tokio::fs::File::create("/file").await?;
    file.write_all(b"some bytes").await?;
    file.sync_all().await
}

/// A run under these faults: its hash, how many writes failed, and which faults there were.
fn run_under(faults: &'static [SwarmFault], seed: u64) -> (u128, u64, Vec<String>) {
    // A fresh thread: the hashers that the threads of a process seed are no part of the world.
    let run = move || {
        let sim = Sim::new(seed);
        let failed = Arc::new(AtomicU64::new(0));
        let counted = failed.clone();
        let hosts = sim.hosts("node", 3, move |_| writer(counted.clone()));
        let swarm = Swarm::default().only(faults.iter().copied());
        let chaos = sim.nemesis(swarm.every(Duration::from_millis(200)));
        sim.run_for(Duration::from_secs(20)).unwrap();
        let skew = || {
            let [one, other] = [0, 1].map(|index: usize| hosts[index].clock().wall());
            one.max(other).duration_since(one.min(other)).unwrap()
        };
        // Not only by the nemesis: what the test itself broke ends as well.
        hosts[0].clock().ahead(Duration::from_secs(600));
        hosts[1].clock().behind(Duration::from_secs(600));
        assert!(skew() > Duration::from_secs(600));
        sim.heal();
        drop(chaos);
        let world = sim.world();
        let left = world.faults_in_force();
        let left = left.iter().map(|fault| world.text_of(fault));
        // Connections that are dead stay dead.
        let left = left.filter(|text| !text.starts_with("half-open"));
        assert_eq!(left.collect::<Vec<_>>(), [""; 0], "seed {seed}");
        assert!(hosts.iter().all(tokio::sim::Host::is_up), "seed {seed}");
        let before = (world.faults().len(), failed.load(Ordering::Relaxed));
        sim.run_for(Duration::from_secs(20)).unwrap();
        let after = (world.faults().len(), failed.load(Ordering::Relaxed));
        assert_eq!(after, before, "nothing breaks any more");
        let texts = world.faults();
        let texts = texts.iter().map(|fault| world.text_of(fault));
        (sim.trace_hash(), before.1, texts.collect())
    };
    std::thread::spawn(run).join().unwrap()
}

#[test]
fn every_fault_comes_from_the_seed_and_ends_when_all_is_healed() {
    let mut seen = String::new();
    for seed in 0..6 {
        let run = run_under(&SwarmFault::ALL, seed);
        assert_eq!(run, run_under(&SwarmFault::ALL, seed), "seed {seed}");
        seen += &run.2.join("\n");
    }
    for fault in ["crash", "power loss", "pause", "clock skew", "clock drift"] {
        assert!(seen.contains(fault), "no {fault} in:\n{seen}");
    }
    let (_, failed, faults) = run_under(&[SwarmFault::DiskErrors], 1);
    assert!(faults.iter().any(|fault| fault.starts_with("disk error")));
    assert!(failed > 0);
}

#[tokio::test]
async fn a_plain_test_that_takes_a_nap() {
    let begin = std::time::Instant::now();
    sleep(Duration::from_millis(20)).await;
    let keys = (0..50).map(|n| (n, ())).collect::<HashMap<_, _>>();
    println!("\n@nap {:?} {:?}", begin.elapsed(), keys.keys());
}

/// What the test above says in a process of its own, in which `YAMANOTE_SIM` is set.
fn naps(seeds: &str) -> Result<Vec<String>, String> {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_plain_test_that_takes_a_nap", "--nocapture"])
        .env("YAMANOTE_SIM", seeds)
        .output()
        .unwrap();
    let [out, err] = [child.stdout, child.stderr].map(|said| String::from_utf8(said).unwrap());
    let naps = out.lines().filter(|line| line.starts_with("@nap"));
    let naps = naps.map(str::to_owned).collect();
    child.status.success().then_some(naps).ok_or(out + &err)
}

#[test]
fn a_plain_test_runs_in_the_world_that_the_environment_names() {
    let [seven, nine] = ["7", "0x9"].map(|seed| naps(seed).unwrap());
    assert_eq!(naps("7").unwrap(), seven);
    assert_eq!(naps("9").unwrap(), nine);
    assert_ne!(seven, nine);
    // Each has a thread to itself.
    let three = naps("7..10").unwrap();
    assert_eq!(three.len(), 3);
    assert_eq!((&three[..1], &three[2..]), (&seven[..], &nine[..]));
    let error = naps("lots").unwrap_err();
    assert!(
        error.contains("YAMANOTE_SIM is a seed or a range"),
        "{error}"
    );
}

/// `test` is the one that explores: other processes come to the same exploration by it.
fn in_two_processes(test: &str) -> Explore {
    Explore {
        seeds: 0..40,
        workers: 2,
        seeds_folder: None,
        ..Explore::of_test(&format!("tests::{test}"), None)
    }
}

#[test]
fn two_processes_run_what_one_would() {
    static RUN_HERE: AtomicU64 = AtomicU64::new(0);
    let config = in_two_processes("two_processes_run_what_one_would");
    let report = sim::explore(&config, |sim| async move {
        RUN_HERE.fetch_add(1, Ordering::Relaxed);
        let pid = std::process::id();
        sim::sometimes!(sim.draw(2) == 0, "a nought");
        sleep(Duration::from_millis(u64::from(pid % 10))).await;
    });
    report.assert_passed();
    assert_eq!((report.seeds, RUN_HERE.load(Ordering::Relaxed)), (40, 0));
    assert!((10..30).contains(&report.coverage["a nought"]), "{report}");
}

#[test]
fn what_fails_in_another_process_is_told_and_shrunk_here() {
    let config = in_two_processes("what_fails_in_another_process_is_told_and_shrunk_here");
    let report = sim::explore(&config, counts_once);
    let failure = report.failure.as_ref().expect("it counts twice");
    assert!(
        failure.name.starts_with("panic at tests/tests/"),
        "{failure}"
    );
    let shrinking = failure.shrinking.as_ref().expect("it was shrunk");
    assert!((1..=2).contains(&shrinking.faults[1]), "{failure}");
}

#[tokio::test(sim, seeds = 20, workers = 2)]
async fn the_attribute_knows_workers(sim: Sim) {
    sim.client("client", sleep(Duration::from_secs(1)))
        .await
        .unwrap();
}
