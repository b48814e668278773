//! Runtimes in a simulated world, without sockets.

use std::time::Duration;

use yamanote_base::hooks::sleep;
use yamanote_runtime::sim::Sim;
use yamanote_runtime::{Builder, Handle, spawn, spawn_blocking};

#[test]
fn each_host_has_a_handle_of_its_own_which_its_tasks_inherit() {
    let sim = Sim::new(1);
    let name = || Handle::current().name().map(str::to_owned);
    let there = sim.client("there", async move {
        (name(), spawn(async move { name() }).await)
    });
    let here = sim
        .run(async move { (name(), spawn(async move { name() }).await) })
        .unwrap();
    assert_eq!((here.0, here.1.unwrap()), (None, None));
    let there = sim.run(there).unwrap().unwrap();
    let expected = Some("there".to_owned());
    assert_eq!((there.0, there.1.unwrap()), (expected.clone(), expected));
}

#[test]
fn a_handle_spawns_on_its_own_host_wherever_it_is_used() {
    let sim = Sim::new(2);
    let handle = sim
        .run(sim.client("there", async { Handle::current() }))
        .unwrap()
        .unwrap();
    let name = async { Handle::current().name().map(str::to_owned) };
    let name = sim
        .run(async move { handle.spawn(name).await.unwrap() })
        .unwrap();
    assert_eq!(name.as_deref(), Some("there"));
}

#[test]
fn blocking_work_may_block_on_a_future_of_the_world() {
    let runtime = Builder::sim(3).enable_all().build().unwrap();
    let begin = std::time::Instant::now();
    let blocked = async {
        let work = || {
            Handle::current().block_on(sleep(Duration::from_secs(1000)));
            std::thread::current().id()
        };
        spawn_blocking(work).await.unwrap()
    };
    assert_ne!(runtime.block_on(blocked), std::thread::current().id());
    assert!(begin.elapsed() < Duration::from_secs(100));
}

#[test]
fn blocking_in_place_lets_the_world_go_on() {
    let sim = Sim::new(7);
    let client = sim.client("blocks", async {
        // So that the other future has begun.
        sleep(Duration::from_millis(1)).await;
        yamanote_runtime::block_in_place(|| {
            Handle::current().block_on(sleep(Duration::from_secs(10)));
        });
    });
    sim.run(async { sleep(Duration::from_secs(5)).await })
        .unwrap();
    sim.run(client).unwrap().unwrap();
    assert_eq!(sim.now().as_secs(), 10);
}

#[test]
#[should_panic(expected = "deadlock in the simulation with seed 4")]
fn a_runtime_in_which_nothing_can_go_on_panics() {
    let runtime = Builder::sim(4).build().unwrap();
    runtime.block_on(std::future::pending::<()>());
}

#[test]
fn metrics_count_the_tasks_of_the_first_host() {
    let runtime = Builder::sim(5).build().unwrap();
    runtime.block_on(async {
        spawn(async {}).await.unwrap();
        drop(spawn(std::future::pending::<()>()));
    });
    assert_eq!(runtime.metrics().num_alive_tasks(), 1);
    assert_eq!(runtime.metrics().num_workers(), 1);
}

#[test]
fn a_panic_in_the_future_of_run_goes_through_and_the_world_goes_on() {
    let sim = Sim::new(6);
    let panics = std::panic::AssertUnwindSafe(|| sim.run(async { panic!("in run") }));
    let panicked: Result<Result<(), _>, _> = std::panic::catch_unwind(panics);
    assert!(panicked.is_err());
    sim.run_for(Duration::from_secs(1)).unwrap();
    assert_eq!(sim.now().as_secs(), 1);
}

#[test]
fn an_idle_world_ends_at_its_time_limit_and_not_at_its_next_event() {
    let sim = Sim::new(8);
    let limit = Duration::from_secs(60);
    sim.set_time_limit(limit);
    let error = sim.run(async { sleep(60 * limit).await }).unwrap_err();
    assert!(error.is_time_limit());
    assert_eq!((error.now(), sim.now()), (limit, limit));
    // Where nothing is to come, it does not wait for that.
    let sim = Sim::new(8);
    sim.set_time_limit(limit);
    let error = sim.run(std::future::pending::<()>()).unwrap_err();
    assert!(!error.is_time_limit());
    assert!(error.now() < limit);
}

#[test]
fn a_run_that_goes_on_for_ever_ends_at_its_time_limit() {
    let sim = Sim::new(8);
    sim.set_time_limit(Duration::from_secs(60));
    sim.host("busy", || async {
        loop {
            sleep(Duration::from_millis(10)).await;
        }
    });
    let error = sim.run(std::future::pending::<()>()).unwrap_err();
    assert!(error.is_time_limit());
    assert_eq!(error.now().as_secs(), 60);
    assert!(
        error
            .to_string()
            .starts_with("seed 8: not at its end at 60"),
        "{error}"
    );
    assert!(
        sim.run(std::future::pending::<()>())
            .unwrap_err()
            .is_time_limit()
    );
    assert_eq!(sim.run(async { 5 }).unwrap(), 5);
}
