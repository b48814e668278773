//! Model checks of the unpark token beside a selector.
#![cfg(loom)]

#[path = "support/bell.rs"]
mod bell;

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use yamanote_driver::unpark::{Place, UnparkToken};

use bell::Bell;

#[derive(Default)]
struct Worker {
    token: UnparkToken,
    selector: Bell,
    work: AtomicUsize,
}

impl Worker {
    /// Makes work and tells of it.
    fn give(&self) {
        // Relaxed: it is the token that must publish it.
        self.work.fetch_add(1, Ordering::Relaxed);
        if self.token.unpark().is_some() {
            self.selector.ring();
        }
    }

    /// Waits until there is work of all who give it.
    fn wait_for(&self, givers: usize) {
        while self.work.load(Ordering::Relaxed) < givers {
            if self.token.begin_wait(Place::Selector) {
                self.selector.wait();
                // A wake of a former wait may be left in the selector; then nothing was told.
                let _ = self.token.end_wait();
            }
        }
    }
}

/// A worker waits until each of some threads has told it of its work.
fn told(givers: usize) {
    loom::model(move || {
        let worker = Arc::new(Worker::default());
        let give = |_| {
            let worker = worker.clone();
            thread::spawn(move || worker.give())
        };
        let threads: Vec<_> = (0..givers).map(give).collect();
        worker.wait_for(givers);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn loom_unpark_no_token_is_lost() {
    told(1);
}

#[test]
fn loom_unpark_of_two_threads() {
    told(2);
}
