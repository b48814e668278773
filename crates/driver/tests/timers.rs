//! Timers through real turns: other threads, paused clocks, shutdown.

mod support;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use yamanote_base::wake::WakeList;
use yamanote_driver::clock::Clock;
use yamanote_driver::timer::Timer;
use yamanote_driver::{Config, Driver, Turned};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn paused() -> Driver {
    let clock = Clock::system(true);
    clock.pause().unwrap();
    support::driver(Config {
        clock,
        ..Config::new(support::pool())
    })
}

fn poll(timer: &mut Timer, waker: &Waker) -> bool {
    timer
        .poll_elapsed(&mut Context::from_waker(waker))
        .is_ready()
}

#[test]
fn a_timer_is_never_early() {
    let mut driver = support::system();
    let deadline = Instant::now() + Duration::from_millis(7);
    let mut timer = Timer::new(driver.handle(), deadline);
    support::run(&mut driver, poll_fn(|cx| timer.poll_elapsed(cx)));
    assert!(Instant::now() >= deadline);
    assert!(timer.is_elapsed());
    assert_eq!(driver.handle().timers(), 0);
}

#[test]
fn a_paused_clock_jumps_from_timer_to_timer() {
    let mut driver = paused();
    let start = driver.handle().clock().now();
    for day in 1..=30 {
        let deadline = start + Duration::from_secs(day * 86_400);
        let mut timer = Timer::new(driver.handle(), deadline);
        support::run(&mut driver, poll_fn(|cx| timer.poll_elapsed(cx)));
        let now = driver.handle().clock().now();
        assert!(now >= deadline && now <= deadline + Duration::from_millis(1));
    }
}

#[test]
fn a_running_job_keeps_a_paused_clock_from_jumping() {
    let mut driver = paused();
    let handle = driver.handle().clone();
    let start = handle.clock().now();
    let mut timer = Timer::new(&handle, start + Duration::from_millis(5));
    assert!(!poll(&mut timer, Waker::noop()));
    let job = handle.clock().inhibit_auto_advance();
    let turned = driver.turn(None, &mut WakeList::new());
    assert_eq!((turned.timers, handle.clock().now()), (0, start));
    drop(job);
    // The first turns may end at a boundary of the wheel.
    while driver.turn(None, &mut WakeList::new()).timers == 0 {}
    assert!(poll(&mut timer, Waker::noop()));
}

#[test]
fn an_earlier_timer_of_another_thread_shortens_the_wait() {
    let mut driver = support::system();
    let handle = driver.handle().clone();
    let now = Instant::now();
    let mut late = Timer::new(&handle, now + Duration::from_secs(3600));
    assert!(!poll(&mut late, Waker::noop()));
    let waker = support::waker(&driver);
    let other = thread::spawn(move || {
        let mut early = Timer::new(&handle, Instant::now() + Duration::from_millis(5));
        assert!(!poll(&mut early, &waker));
        early
    });
    let mut wakes = WakeList::new();
    while driver.turn(None, &mut wakes).timers == 0 {}
    let mut early = other.join().unwrap();
    assert!(poll(&mut early, Waker::noop()));
    assert!(!late.is_elapsed());
}

#[test]
fn a_reset_timer_wakes_the_waker_of_before_at_the_new_time() {
    let mut driver = paused();
    let handle = driver.handle().clone();
    let start = handle.clock().now();
    let count = Arc::new(Count::default());
    let mut timer = Timer::new(&handle, start + Duration::from_secs(10));
    assert!(!poll(&mut timer, &Waker::from(count.clone())));
    timer.reset(start + Duration::from_secs(20));
    let mut wakes = WakeList::new();
    while driver.turn(None, &mut wakes).timers == 0 {}
    wakes.wake_all();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert!(handle.clock().now() >= start + Duration::from_secs(20));
    timer.reset(handle.clock().now() + Duration::from_secs(1));
    assert!(!timer.is_elapsed());
    assert!(!poll(&mut timer, Waker::noop()));
}

#[test]
fn timers_set_and_dropped_on_other_threads_leave_nothing() {
    let mut driver = support::system();
    let handle = driver.handle().clone();
    let (send, receive) = mpsc::sync_channel::<Timer>(64);
    let setting = handle.clone();
    let setter = thread::spawn(move || {
        for i in 0..20_000_u64 {
            let deadline = Instant::now() + Duration::from_micros(i % 3000);
            let mut timer = Timer::new(&setting, deadline);
            let _ = poll(&mut timer, Waker::noop());
            send.send(timer).unwrap();
        }
    });
    let dropper = thread::spawn(move || {
        for mut timer in receive {
            timer.reset(timer.deadline() + Duration::from_micros(500));
            drop(timer);
        }
    });
    while !dropper.is_finished() {
        driver.turn(Some(Duration::from_millis(1)), &mut WakeList::new());
    }
    setter.join().unwrap();
    dropper.join().unwrap();
    assert_eq!(handle.timers(), 0);
}

#[test]
fn an_unpark_ends_this_wait_or_the_next_but_not_a_mere_look() {
    let mut driver = support::system();
    let mut wakes = WakeList::new();
    driver.handle().unpark(0);
    let looked = driver.turn(Some(Duration::ZERO), &mut wakes);
    let now = looked.now;
    assert_eq!(
        looked,
        Turned {
            now,
            ..Turned::default()
        }
    );
    assert!(driver.turn(None, &mut wakes).unparked);
    for _ in 0..2000 {
        let handle = driver.handle().clone();
        let other = thread::spawn(move || handle.unpark(0));
        while !driver.turn(None, &mut wakes).unparked {}
        other.join().unwrap();
    }
}

#[test]
#[should_panic(expected = "A Tokio 1.x context was found, but it is being shutdown.")]
fn a_timer_that_waits_panics_after_the_shutdown() {
    let driver = support::system();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut timer = Timer::new(driver.handle(), deadline);
    let count = Arc::new(Count::default());
    assert!(!poll(&mut timer, &Waker::from(count.clone())));
    let mut wakes = WakeList::new();
    driver.handle().shut_down(&mut wakes);
    wakes.wake_all();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    let _ = poll(&mut timer, Waker::noop());
}
