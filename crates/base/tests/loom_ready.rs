//! Model checks of readiness: no event is lost between a clear and a set.
#![cfg(loom)]

use std::future::poll_fn;

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use yamanote_base::interest::{Interest, Ready};
use yamanote_base::ready::{Direction, ReadyCell};
use yamanote_base::wake::WakeList;

fn set(cell: &ReadyCell, ready: Ready) {
    let mut wakes = WakeList::new();
    cell.set(ready, &mut wakes);
    wakes.wake_all();
}

#[test]
fn loom_ready_a_waiter_sees_the_event() {
    loom::model(|| {
        let cell = Arc::new(ReadyCell::new());
        let other = cell.clone();
        let driver = thread::spawn(move || set(&other, Ready::READABLE));
        let event = block_on(cell.wait(Interest::READABLE));
        assert!(event.ready.is_readable());
        driver.join().unwrap();
    });
}

#[test]
fn loom_ready_a_poller_sees_the_event() {
    loom::model(|| {
        let cell = Arc::new(ReadyCell::new());
        let other = cell.clone();
        let driver = thread::spawn(move || set(&other, Ready::WRITABLE));
        let event = block_on(poll_fn(|cx| cell.poll(cx, Direction::Write)));
        assert!(event.ready.is_writable());
        driver.join().unwrap();
    });
}

#[test]
fn loom_ready_what_came_after_the_look_survives_the_clear() {
    loom::model(|| {
        let shared = Arc::new((ReadyCell::new(), AtomicBool::new(false)));
        set(&shared.0, Ready::READABLE);
        let other = shared.clone();
        let driver = thread::spawn(move || {
            let came_after_the_look = other.1.load(Ordering::Acquire);
            set(&other.0, Ready::READABLE);
            came_after_the_look
        });
        let seen = shared.0.event(Interest::READABLE);
        shared.1.store(true, Ordering::Release);
        shared.0.clear(seen);
        if driver.join().unwrap() {
            assert!(shared.0.event(Interest::READABLE).ready.is_readable());
        }
    });
}

#[test]
fn loom_ready_shutting_down_wakes_who_waits() {
    loom::model(|| {
        let cell = Arc::new(ReadyCell::new());
        let other = cell.clone();
        let driver = thread::spawn(move || {
            let mut wakes = WakeList::new();
            other.shut_down(&mut wakes);
            wakes.wake_all();
        });
        let event = block_on(cell.wait(Interest::READABLE));
        assert!(event.is_shutdown);
        driver.join().unwrap();
    });
}
