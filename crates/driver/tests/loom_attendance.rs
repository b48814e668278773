//! Model checks of who attends the selector of a group of workers.
#![cfg(loom)]

#[path = "support/bell.rs"]
mod bell;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use yamanote_driver::attendance::Attendance;
use yamanote_driver::unpark::{Place, UnparkToken};

use bell::Bell;

#[derive(Default)]
struct Worker {
    token: UnparkToken,
    bed: Bell,
}

/// Two workers that share a selector; one event is to be seen by one of them.
#[derive(Default)]
struct Group {
    workers: [Worker; 2],
    attendance: Attendance,
    registrations: Mutex<usize>,
    selector: Bell,
    /// The event that the selector reports.
    event: AtomicBool,
    is_seen: AtomicBool,
}

impl Group {
    fn unpark(&self, worker: usize) {
        match self.workers[worker].token.unpark() {
            Some(Place::Selector) => self.selector.ring(),
            Some(Place::Thread) => self.workers[worker].bed.ring(),
            None => {}
        }
    }

    /// Registers a resource for which an event comes at once, on a thread that is no worker's, or
    /// on that of `own`, which may work elsewhere by now.
    fn register(&self, own: Option<usize>) {
        *self.registrations.lock().unwrap() += 1;
        self.event.store(true, Ordering::Release);
        self.selector.ring();
        let sleeps = |worker: &usize| self.workers[*worker].token.is_sleeping();
        if self.attendance.is_on() || own.is_some_and(|own| !sleeps(&own)) {
            return;
        }
        if let Some(sleeper) = (0..2).find(sleeps) {
            self.unpark(sleeper);
        }
    }

    /// Sleeps until the event has been seen by one of both.
    fn work(&self, index: usize) {
        let worker = &self.workers[index];
        while !self.is_seen.load(Ordering::Acquire) {
            if *self.registrations.lock().unwrap() > 0 && self.attendance.begin() {
                if worker.token.begin_wait(Place::Selector) {
                    self.selector.wait();
                    let _ = worker.token.end_wait();
                }
                self.look();
                self.attendance.end();
            } else if worker.token.begin_wait(Place::Thread) {
                let registered = *self.registrations.lock().unwrap() > 0;
                if !registered || self.attendance.is_on() {
                    worker.bed.wait();
                }
                let _ = worker.token.end_wait();
            }
        }
        self.unpark(1 - index);
    }

    fn look(&self) {
        if self.event.load(Ordering::Acquire) {
            self.is_seen.store(true, Ordering::Release);
        }
    }
}

fn check(own: Option<usize>) {
    loom::model(move || {
        let group = Arc::new(Group::default());
        let sleeper = |index| {
            let group = group.clone();
            thread::spawn(move || group.work(index))
        };
        let first = sleeper(0);
        let second = sleeper(1);
        group.register(own);
        first.join().unwrap();
        second.join().unwrap();
    });
}

#[test]
fn loom_attendance_what_is_registered_while_the_workers_go_to_sleep_is_seen() {
    check(None);
}

#[test]
fn loom_attendance_what_a_worker_has_sent_away_is_seen_by_it_or_the_other() {
    check(Some(0));
}
