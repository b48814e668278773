//! Operations in a ring: no turn is needed to begin them, and a paused clock waits for them.
#![cfg(all(unix, not(loom)))]

mod support;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use yamanote_base::wake::WakeList;
use yamanote_driver::clock::Clock;
use yamanote_driver::op::file::Kind;
use yamanote_driver::op::{self, FileRoute, Op};
use yamanote_driver::timer::Timer;
use yamanote_driver::{Config, Driver, context};

fn driver(clock: Clock) -> Driver {
    support::driver(Config {
        file_route: FileRoute::Ring,
        clock,
        ..Config::new(support::pool())
    })
}

fn pipe() -> (File, File) {
    let (read, write) = UnixStream::pair().unwrap();
    (OwnedFd::from(read).into(), OwnedFd::from(write).into())
}

/// The offer of a ring, if there are rings here.
fn offer(kind: Kind) -> Option<op::Offer> {
    let offer = op::offer(kind, 1);
    if offer.is_none() {
        println!("left out, there are no rings here");
    }
    offer
}

fn begin_read(file: File) -> Option<Op<Vec<u8>>> {
    let done = |bytes, result: io::Result<u64>| {
        result.expect("the test has the other end");
        bytes
    };
    Some(offer(Kind::Read)?.read(Arc::new(file), Vec::new(), 16, done))
}

#[test]
fn a_write_is_done_though_nobody_turns() {
    let driver = driver(Clock::system(false));
    let _entered = context::enter(driver.handle().clone());
    let _worker = context::enter_worker(driver.handle(), 0);
    let (mut read, write) = pipe();
    let Some(offer) = offer(Kind::Write) else {
        return;
    };
    drop(offer.write_all(Arc::new(write), b"done".to_vec(), |_, result| result));
    let mut bytes = [0; 4];
    read.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"done");
}

#[test]
fn a_paused_clock_does_not_jump_while_a_ring_is_at_work() {
    let mut driver = driver(Clock::paused());
    let (read, mut write) = pipe();
    let handle = driver.handle().clone();
    let _entered = context::enter(handle.clone());
    let _worker = context::enter_worker(&handle, 0);
    let Some(op) = begin_read(read) else { return };
    let _timer = set_timer(&driver);
    let mut wakes = WakeList::new();
    driver.turn(Some(Duration::from_millis(20)), &mut wakes);
    assert_eq!(handle.clock().elapsed(), Duration::ZERO);
    write.write_all(b"now").unwrap();
    assert_eq!(support::run(&mut driver, op).unwrap(), b"now");
    // The first turn may only take the wake of before.
    for _ in 0..2 {
        driver.turn(Some(Duration::from_millis(1)), &mut wakes);
    }
    assert!(handle.clock().elapsed() >= Duration::from_secs(3600));
}

/// A timer of an hour that somebody waits for.
fn set_timer(driver: &Driver) -> Timer {
    let mut timer = Timer::new(driver.handle(), Instant::now() + Duration::from_secs(3600));
    let waker = support::waker(driver);
    let mut cx = std::task::Context::from_waker(&waker);
    assert!(timer.poll_elapsed(&mut cx).is_pending());
    timer
}

#[test]
fn a_ring_is_no_registration_and_is_attended_all_the_same() {
    let mut driver = driver(Clock::system(false));
    let handle = driver.handle().clone();
    let (read, mut write) = pipe();
    let entered = context::enter(handle.clone());
    let worker = context::enter_worker(&handle, 0);
    let Some(op) = begin_read(read) else { return };
    drop((entered, worker));
    assert_eq!(handle.registrations(), 0);
    let writer = std::thread::spawn(move || write.write_all(b"now"));
    assert_eq!(support::run(&mut driver, op).unwrap(), b"now");
    writer.join().unwrap().unwrap();
}

#[test]
fn who_is_no_worker_is_offered_no_ring_since_nobody_may_turn_for_it() {
    let driver = driver(Clock::system(false));
    let _entered = context::enter(driver.handle().clone());
    assert!(offer(Kind::Read).is_none());
    let system_has_rings = yamanote_sys::ring::Ring::<()>::new(2).is_ok();
    let _worker = context::enter_worker(driver.handle(), 0);
    assert_eq!(offer(Kind::Read).is_some(), system_has_rings);
}
