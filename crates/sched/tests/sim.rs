//! The scheduler of a simulated world, on a driver but without a runtime.
#![cfg(not(loom))]

use std::future::poll_fn;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use yamanote_base::rng::{self, RngSeed, SeedSource};
use yamanote_driver::clock::Clock;
use yamanote_driver::context;
use yamanote_driver::timer::Timer;
use yamanote_pool::Pool;
use yamanote_sched::config::{Config, Hooks, UnhandledPanic};
use yamanote_sched::metrics::Measured;
use yamanote_sched::sim::{Ended, Schedule, Sim, SimHost};
use yamanote_task::{Id, JoinHandle, SpawnLocation, SpawnMeta};
use yamanote_world::World;

fn config() -> Config {
    Config {
        event_interval: 61,
        inject_interval: Some(31),
        disable_lifo_slot: false,
        unhandled_panic: UnhandledPanic::Ignore,
        seeds: SeedSource::new(&RngSeed::from_u64(1)),
        hooks: Hooks::default(),
        measured: Measured::default(),
    }
}

fn pool() -> Pool {
    Pool::new(yamanote_pool::Config::plain(
        "unused",
        1,
        Duration::from_secs(1),
    ))
}

/// Closes the simulation when dropped, as a runtime does: its hosts and it hold each other.
struct Closing(Sim);

impl Deref for Closing {
    type Target = Sim;

    fn deref(&self) -> &Sim {
        &self.0
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn sim(seed: u64) -> (Closing, SimHost) {
    let world = World::new(seed);
    let (mut drivers, _) = yamanote_driver::new(yamanote_driver::Config {
        clock: Clock::world(world.clone()),
        host: Some(world.add_host("home")),
        ..yamanote_driver::Config::new(pool())
    })
    .unwrap();
    let (sim, home) = Sim::new(config(), drivers.pop().unwrap());
    (Closing(sim), home)
}

fn spawn<F>(host: &SimHost, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    host.spawn(future, Id::next(), SpawnMeta::caller())
}

/// Runs `future` on `home` with the driver's context, as a runtime does.
fn run<F: Future>(home: &SimHost, future: F) -> F::Output {
    let _context = context::enter(home.driver().clone());
    home.block_on(future)
}

async fn sleep(duration: Duration) {
    let mut timer = Timer::after(duration);
    poll_fn(|cx| timer.poll_elapsed(cx)).await;
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[test]
fn a_day_of_sleep_takes_no_time() {
    let (sim, home) = sim(1);
    let begin = Instant::now();
    run(&home, sleep(Duration::from_secs(86_400)));
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert_eq!(sim.world().now().as_secs(), 86_400);
}

#[test]
fn a_task_that_spins_does_not_stop_the_clock() {
    let (_sim, home) = sim(1);
    let flag = Arc::new(Mutex::new(false));
    let seen = flag.clone();
    drop(spawn(&home, async move {
        sleep(Duration::from_millis(5)).await;
        *flag.lock().unwrap() = true;
    }));
    run(&home, async move {
        while !*seen.lock().unwrap() {
            yield_now().await;
        }
    });
}

/// The order in which ten tasks run their three steps.
fn order(seed: u64, schedule: Schedule) -> (Vec<usize>, u128) {
    let (sim, home) = sim(seed);
    sim.set_schedule(schedule);
    let log = Arc::new(Mutex::new(Vec::new()));
    let joins: Vec<_> = (0..10)
        .map(|i| {
            let log = log.clone();
            spawn(&home, async move {
                for _ in 0..3 {
                    log.lock().unwrap().push(i);
                    yield_now().await;
                }
            })
        })
        .collect();
    run(&home, async {
        for join in joins {
            join.await.unwrap();
        }
    });
    let order = log.lock().unwrap().clone();
    (order, sim.world().trace_hash())
}

#[test]
fn the_seed_decides_the_order_of_tasks() {
    assert_eq!(order(7, Schedule::Random), order(7, Schedule::Random));
    assert_ne!(order(7, Schedule::Random), order(8, Schedule::Random));
    let fifo: Vec<usize> = (0..3).flat_map(|_| 0..10).collect();
    assert_eq!(order(7, Schedule::Fifo).0, fifo);
    assert_ne!(order(7, Schedule::Random).0, fifo);
}

#[test]
fn each_host_has_numbers_of_its_own_that_the_seed_decides() {
    let draw = |seed| {
        let (sim, home) = sim(seed);
        let hosts = [sim.start_host("a"), sim.start_host("b")];
        let numbers = |host: &SimHost| {
            let join = spawn(host, async {
                (0..5).map(|_| rng::thread_rng_n(1000)).collect()
            });
            let numbers: Vec<u32> = run(&home, join).unwrap();
            numbers
        };
        hosts.each_ref().map(numbers)
    };
    assert_eq!(draw(3), draw(3));
    assert_ne!(draw(3), draw(4));
    let [a, b] = draw(3);
    assert_ne!(a, b);
}

#[test]
fn tasks_stand_on_their_host() {
    let (sim, home) = sim(1);
    let host = sim.start_host("elsewhere");
    let name = || async { context::host().map(|host| host.name()) };
    let there = spawn(&host, name());
    let names = run(&home, async move { (name().await, there.await.unwrap()) });
    assert_eq!(
        names,
        (Some("home".to_owned()), Some("elsewhere".to_owned()))
    );
}

/// Wakes up each millisecond, for ever, and keeps `_kept` meanwhile.
async fn tick(_kept: Arc<()>) {
    loop {
        sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn killing_a_host_drops_its_tasks_and_no_others() {
    let (sim, home) = sim(5);
    let hosts = [sim.start_host("a"), sim.start_host("b")];
    let kept = Arc::new(());
    for host in hosts.iter().flat_map(|host| [host; 10]) {
        drop(spawn(host, tick(kept.clone())));
    }
    let victim = hosts[0].clone();
    let count = kept.clone();
    run(&home, async move {
        sleep(Duration::from_millis(50)).await;
        assert_eq!(Arc::strong_count(&count), 22);
        victim.kill();
        assert_eq!(Arc::strong_count(&count), 12);
        assert!(spawn(&victim, async {}).await.unwrap_err().is_cancelled());
        sleep(Duration::from_millis(50)).await;
    });
    assert_eq!((hosts[0].tasks_alive(), hosts[1].tasks_alive()), (0, 10));
    sim.close();
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn nothing_to_come_is_a_deadlock_that_names_the_tasks() {
    let (sim, home) = sim(42);
    let host = sim.start_host("stuck");
    drop(spawn(&host, std::future::pending::<()>()));
    drop(spawn(&host, async {}));
    let _context = context::enter(home.driver().clone());
    let waits = async {
        sleep(Duration::from_secs(2)).await;
        std::future::pending::<()>().await;
    };
    let deadlock = sim.run(&home, waits).unwrap_err();
    let Ended::Deadlock(deadlock) = deadlock else {
        panic!("nobody stopped it");
    };
    let text = deadlock.to_string();
    assert_eq!(deadlock.seed(), 42);
    assert!(text.contains("seed 42 at 2."), "{text}");
    assert!(text.contains("host home: 0 tasks wait"), "{text}");
    assert!(
        text.contains("host stuck: 1 tasks wait\n    task 0, spawned at "),
        "{text}"
    );
    assert!(text.contains("sim.rs:"), "{text}");
}

#[test]
fn work_that_blocks_may_run_the_world_meanwhile() {
    let (sim, home) = sim(6);
    let host = sim.start_host("a");
    let inner = host.clone();
    let (done, told) = std::sync::mpsc::channel();
    let blocking = move || {
        let _context = context::enter(inner.driver().clone());
        inner.block_on(sleep(Duration::from_secs(1)));
        done.send("done").unwrap();
    };
    host.spawn_blocking(Box::new(blocking), Id::next(), SpawnLocation::caller());
    run(&home, sleep(Duration::from_secs(2)));
    assert_eq!(told.try_recv(), Ok("done"));
}
