//! Work that blocks, in a world: threads of which only one runs at a time, in an order that the
//! seed decides.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, mpsc as std_mpsc};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sim::{self, Explore, Sim};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::sleep;

/// Runs `world` on a fresh thread; returns its hash, and what it made.
fn run<T, Fut>(seed: u64, world: fn(Sim) -> Fut) -> (u128, T)
where
    T: Send + 'static,
    Fut: Future<Output = T> + 'static,
{
    let run = move || {
        let sim = Sim::new(seed);
        let made = sim.run(world(sim.clone())).unwrap();
        (sim.trace_hash(), made)
    };
    std::thread::spawn(run).join().unwrap()
}

/// What does the same for each of some seeds, and not the same for all of them.
fn runs<T, Fut>(world: fn(Sim) -> Fut) -> Vec<T>
where
    T: Send + PartialEq + std::fmt::Debug + 'static,
    Fut: Future<Output = T> + 'static,
{
    let both = |seed| {
        let once = run(seed, world);
        assert_eq!(once, run(seed, world), "seed {seed}");
        once.1
    };
    (0..10).map(both).collect()
}

#[test]
fn a_channel_of_std_is_answered_by_a_task() {
    let sums = runs(|_| async {
        let (ask, mut asked) = mpsc::channel::<(u32, std_mpsc::Sender<u32>)>(1);
        let work = spawn_blocking(move || {
            let question = |number| {
                let (sender, answer) = std_mpsc::channel();
                ask.blocking_send((number, sender)).unwrap();
                answer.recv().unwrap()
            };
            (0..20).map(question).sum::<u32>()
        });
        while let Some((number, answer)) = asked.recv().await {
            sleep(Duration::from_millis(10)).await;
            answer.send(number * 2).unwrap();
        }
        work.await.unwrap()
    });
    assert_eq!(sums, [380; 10]);
}

/// Writes its name down three times, and lets others run in between.
fn write_down(name: char, order: &Mutex<String>, start: &Barrier) {
    start.wait();
    for _ in 0..3 {
        order.lock().unwrap().push(name);
        Handle::current().block_on(sleep(Duration::from_millis(1)));
    }
}

async fn order_of_three(_: Sim) -> String {
    let order = Arc::new(Mutex::new(String::new()));
    let start = Arc::new(Barrier::new(3));
    let work = |name: char| {
        let (order, start) = (order.clone(), start.clone());
        spawn_blocking(move || write_down(name, &order, &start))
    };
    for work in "abc".chars().map(work).collect::<Vec<_>>() {
        work.await.unwrap();
    }
    order.lock().unwrap().clone()
}

#[test]
fn the_seed_decides_in_which_order_threads_run() {
    let mut orders = runs(order_of_three);
    assert!(orders.iter().all(|order| order.len() == 9), "{orders:?}");
    // They take turns.
    assert!(
        orders.iter().all(|order| !order.contains("aaa")),
        "{orders:?}"
    );
    orders.sort();
    orders.dedup();
    assert!(orders.len() > 5, "{orders:?}");
}

/// Counts up each third number, waiting for the others in between.
fn play(own: u32, (now, changed): &(Mutex<u32>, Condvar)) {
    let mut now = now.lock().unwrap();
    while *now < 30 {
        if *now % 3 == own {
            *now += 1;
            changed.notify_all();
        } else {
            now = changed.wait(now).unwrap();
        }
    }
}

#[test]
fn locks_and_conditions_of_std_let_others_run() {
    let laps = runs(|_| async {
        let turn = Arc::new((Mutex::new(0), Condvar::new()));
        let player = |own: u32| {
            let turn = turn.clone();
            spawn_blocking(move || play(own, &turn))
        };
        for player in (0..3).map(player).collect::<Vec<_>>() {
            player.await.unwrap();
        }
        *turn.0.lock().unwrap()
    });
    assert_eq!(laps, [30; 10]);
}

#[test]
fn what_blocks_in_place_lets_tasks_run() {
    let ends = runs(|_| async {
        let (sender, answer) = std_mpsc::channel();
        let begin = tokio::time::Instant::now();
        let second = Duration::from_secs(1);
        tokio::spawn(async move {
            sleep(second).await;
            sender.send(5).unwrap();
        });
        let work = tokio::spawn(async move {
            block_in_place(|| {
                let early = answer.recv_timeout(second / 2);
                assert_eq!(early, Err(std_mpsc::RecvTimeoutError::Timeout));
                let five = answer.recv().unwrap();
                std::thread::sleep(second);
                five
            })
        });
        let ticks = tokio::spawn(async move {
            let mut ticks = 0;
            while begin.elapsed() < 2 * second {
                sleep(second / 10).await;
                ticks += 1;
            }
            ticks
        });
        let five = work.await.unwrap();
        let took = begin.elapsed().as_millis();
        (five, took / 10, ticks.await.unwrap())
    });
    assert_eq!(ends, [(5, 200, 20); 10]);
}

#[test]
fn naps_and_limits_are_virtual_time() {
    let began = Instant::now();
    runs(|sim| async move {
        let nap = spawn_blocking(|| {
            let begin = Instant::now();
            std::thread::sleep(Duration::from_secs(100));
            begin.elapsed()
        });
        let limit = spawn_blocking(|| {
            let (_sender, receiver) = std_mpsc::channel::<()>();
            let begin = Instant::now();
            receiver.recv_timeout(Duration::from_secs(50)).unwrap_err();
            begin.elapsed()
        });
        let [nap, limit] = [nap.await.unwrap(), limit.await.unwrap()];
        assert!((100..101).contains(&nap.as_secs()), "{nap:?}");
        assert!((50..51).contains(&limit.as_secs()), "{limit:?}");
        // At the same time.
        assert!(sim.now() < Duration::from_secs(101), "{:?}", sim.now());
        // A task that naps holds up the world.
        std::thread::sleep(Duration::from_secs(1000));
        assert!(sim.now() > Duration::from_secs(1000), "{:?}", sim.now());
    });
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_panic_is_the_joiners() {
    run(1, |_| async {
        let error = spawn_blocking(|| panic!("it breaks")).await.unwrap_err();
        let said = error.into_panic().downcast::<&str>().unwrap();
        assert_eq!(*said, "it breaks");
        let held = Arc::new(Mutex::new(0));
        let holder = held.clone();
        let work = spawn_blocking(move || {
            let _held = holder.lock().unwrap();
            panic!("with a lock");
        });
        assert!(work.await.unwrap_err().is_panic());
        assert!(held.lock().is_err());
    });
}

#[test]
fn a_panic_of_a_thread_is_in_the_report() {
    let config = Explore {
        seeds: 0..1,
        shrink: false,
        ..Explore::new("a_panic_of_a_thread_is_in_the_report")
    };
    let report = sim::explore(&config, |_| async {
        let work = spawn_blocking(|| panic!("deep below"));
        assert!(work.await.is_ok(), "the work failed");
    });
    let text = report.to_string();
    assert!(
        text.contains("sim_blocking.rs") && text.contains("deep below"),
        "{text}"
    );
}

#[test]
fn what_has_begun_is_not_aborted_and_what_has_not_is() {
    let done = runs(|_| async {
        let (sender, receiver) = oneshot::channel();
        let work = spawn_blocking(move || receiver.blocking_recv().unwrap());
        sleep(Duration::from_millis(1)).await;
        work.abort();
        sender.send(7).unwrap();
        assert_eq!(work.await.unwrap(), 7);
        let early = spawn_blocking(|| ());
        early.abort();
        early.await.unwrap_err().is_cancelled()
    });
    assert_eq!(done, [true; 10]);
}

/// Says when it is dropped.
struct Told(Arc<AtomicBool>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has work wait for ever, by a channel of `std` or by one of ours.
async fn strand(told: Told, by_std: bool) {
    let (_sender, receiver) = std_mpsc::channel::<()>();
    let (_asker, asked) = oneshot::channel::<()>();
    spawn_blocking(move || {
        let _told = told;
        match by_std {
            true => drop(receiver.recv()),
            false => drop(asked.blocking_recv()),
        }
    });
    std::future::pending::<()>().await;
}

#[test]
fn threads_that_wait_end_with_their_world() {
    for by_std in [false, true] {
        let dropped = Arc::new(AtomicBool::new(false));
        let told = Told(dropped.clone());
        let run = move || {
            let sim = Sim::new(3);
            let stuck = sim.client("client", strand(told, by_std));
            sim.run_for(Duration::from_secs(2)).unwrap();
            drop(stuck);
        };
        std::thread::spawn(run).join().unwrap();
        assert!(dropped.load(Ordering::Relaxed), "by std: {by_std}");
    }
}

async fn count_up(count: Arc<Mutex<u32>>) {
    let work = move || -> () {
        loop {
            *count.lock().unwrap() += 1;
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    spawn_blocking(work).await.unwrap();
}

#[test]
fn a_host_that_is_killed_stops_its_threads_where_they_are() {
    let counts = runs(|sim| async move {
        let count = Arc::new(Mutex::new(0));
        let counted = count.clone();
        let host = sim.host("counter", move || count_up(counted.clone()));
        sleep(Duration::from_secs(1)).await;
        host.crash();
        let before = *count.lock().unwrap();
        sleep(Duration::from_secs(10)).await;
        assert_eq!(*count.lock().unwrap(), before);
        before
    });
    assert!(
        counts.iter().all(|count| (9..=11).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn a_wait_that_no_world_can_end_is_named() {
    let (sender, receiver) = std_mpsc::channel::<()>();
    let receiver = Mutex::new(receiver);
    std::thread::spawn(move || {
        let sim = Sim::new(1);
        let wait = async {
            // A read of the system: nobody writes.
            let (reader, writer) = std::io::pipe().unwrap();
            let read = spawn_blocking(move || std::io::Read::read(&mut &reader, &mut [0]));
            drop((read.await, writer));
        };
        let error = sim.run(wait).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("tests/tests/sim_blocking.rs:"), "{text}");
        assert!(text.contains("waits for what is not simulated"), "{text}");
        assert_eq!(error.name(), "a wait for what is not simulated");
        drop(sender);
    })
    .join()
    .unwrap();
    assert!(receiver.lock().unwrap().recv().is_err());
}
