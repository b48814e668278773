//! Model checks of the unpark token beside a selector.
#![cfg(loom)]

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use yamanote_driver::unpark::UnparkToken;

/// What a selector's waker is to the token: a wake is kept until a wait takes it.
#[derive(Default)]
struct Selector {
    woken: Mutex<bool>,
    wakes: Condvar,
}

impl Selector {
    fn wake(&self) {
        *self.woken.lock().unwrap() = true;
        self.wakes.notify_one();
    }

    fn wait(&self) {
        let mut woken = self.woken.lock().unwrap();
        while !std::mem::take(&mut *woken) {
            woken = self.wakes.wait(woken).unwrap();
        }
    }
}

/// A worker that waits until it was told as often as somebody had something to tell.
fn told(callers: usize) {
    loom::model(move || {
        let token = Arc::new(UnparkToken::new());
        let selector = Arc::new(Selector::default());
        let work = Arc::new(AtomicUsize::new(0));
        let callers: Vec<_> = (0..callers)
            .map(|_| {
                let (token, selector, work) = (token.clone(), selector.clone(), work.clone());
                thread::spawn(move || {
                    // Relaxed: it is the token that must publish it.
                    work.fetch_add(1, Ordering::Relaxed);
                    if token.unpark() {
                        selector.wake();
                    }
                })
            })
            .collect();
        while work.load(Ordering::Relaxed) < callers.len() {
            if token.begin_wait() {
                selector.wait();
                // A wake of a former wait may be left in the selector; then nothing was told.
                let _ = token.end_wait();
            }
        }
        callers
            .into_iter()
            .for_each(|caller| caller.join().unwrap());
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
