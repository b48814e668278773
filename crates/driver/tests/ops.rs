//! Work that may block: results, panics, cancellation, shutdown.

mod support;

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use yamanote_driver::clock::Clock;
use yamanote_driver::{Config, context, op};
use yamanote_world::World;

#[test]
fn the_result_comes_back() {
    let mut driver = support::system();
    for i in 0..500 {
        assert_eq!(
            support::run(&mut driver, async { op::submit(move || Ok(i)).await }).unwrap(),
            i
        );
    }
}

#[test]
fn a_panic_is_an_error() {
    let mut driver = support::system();
    let work = || -> io::Result<()> { std::panic::resume_unwind(Box::new("on purpose")) };
    let error = support::run(&mut driver, async { op::submit(work).await }).unwrap_err();
    assert_eq!(error.to_string(), "background task failed");
}

#[test]
fn dropping_the_future_does_not_stop_the_work() {
    let driver = support::system();
    let _entered = context::enter(driver.handle().clone());
    let (send, receive) = mpsc::channel();
    drop(op::submit(move || {
        send.send(5).expect("the test waits for it");
        Ok(())
    }));
    assert_eq!(receive.recv_timeout(Duration::from_secs(30)), Ok(5));
}

#[test]
fn a_question_that_is_dropped_before_its_turn_is_never_asked() {
    let mut driver = support::driver(Config::new(support::pool_of(1)));
    let _entered = context::enter(driver.handle().clone());
    let (release, released) = mpsc::channel::<()>();
    // The error is that the sender is dropped.
    let busy = op::submit(move || Ok(released.recv().is_err()));
    let (asks, asked) = mpsc::channel();
    let ask = |number: u32| {
        let asks = asks.clone();
        op::ask(move || Ok(asks.send(number)))
    };
    let kept = ask(0);
    drop((1..1000).map(ask).collect::<Vec<_>>());
    drop(release);
    let both = async {
        assert!(busy.await.expect("it waits for the release"));
        kept.await
    };
    assert!(
        support::run(&mut driver, both)
            .expect("it is asked")
            .is_ok()
    );
    driver
        .handle()
        .pool()
        .shut_down(Some(Duration::from_secs(30)));
    drop(asks);
    assert_eq!(asked.iter().collect::<Vec<_>>(), [0]);
}

#[test]
fn a_pool_that_is_shut_down_fails_the_work() {
    let mut driver = support::system();
    driver
        .handle()
        .pool()
        .shut_down(Some(Duration::from_secs(5)));
    let error = support::run(&mut driver, async { op::submit(|| Ok(())).await }).unwrap_err();
    assert_eq!(error.to_string(), "background task failed");
}

#[test]
fn in_a_world_it_runs_on_the_spot() {
    let world = World::new(3);
    let config = Config {
        clock: Clock::world(world.clone()),
        host: Some(world.add_host("one")),
        ..Config::new(support::pool())
    };
    let mut driver = support::driver(config);
    let thread = std::thread::current().id();
    let ran_on = support::run(&mut driver, async {
        op::submit(|| Ok(std::thread::current().id())).await
    });
    assert_eq!(ran_on.unwrap(), thread);
    let (send, receive) = mpsc::channel();
    support::run(&mut driver, async {
        drop(op::submit_mandatory(move || Ok(send.send(5))));
    });
    assert_eq!(receive.try_recv(), Ok(5));
}
