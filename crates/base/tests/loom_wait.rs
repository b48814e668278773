//! Model checks of the waiter list: popping, leaving and asking again at the same time.
#![cfg(loom)]

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};

use loom::future::block_on;
use loom::sync::Arc;
use loom::thread;
use yamanote_base::wait::{WaitQueue, Waiter};

/// Waits to be popped from a queue whose value says how many were to be woken and not there.
struct Turn<'a> {
    queue: &'a WaitQueue<usize, ()>,
    waiter: Pin<Box<Waiter<()>>>,
}

impl Future for Turn<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let queue = self.queue;
        if self.waiter.is_armed() {
            ready!(queue.poll_popped(self.waiter.as_mut(), cx, |_| ""));
            self.waiter.as_mut().settle();
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let mut locked = queue.lock();
        if *locked > 0 {
            *locked -= 1;
            return Poll::Ready(());
        }
        locked.push_back(self.waiter.as_mut(), waker);
        Poll::Pending
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.waiter.is_armed() {
            let mut locked = self.queue.lock();
            let removed = locked.remove(self.waiter.as_mut());
            // Popped and never told: the turn goes to another.
            let next = if removed.was_queued {
                None
            } else {
                give(&mut locked)
            };
            drop(locked);
            drop(removed);
            wake(next);
        }
    }
}

fn give(locked: &mut yamanote_base::wait::Locked<'_, usize, ()>) -> Option<Waker> {
    let popped = locked.pop_front();
    if popped.is_none() {
        **locked += 1;
    }
    popped
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

fn turn(queue: &WaitQueue<usize, ()>) -> Turn<'_> {
    Turn {
        queue,
        waiter: Box::pin(Waiter::new(())),
    }
}

#[test]
fn loom_wait_everyone_gets_a_turn() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(|| {
        let queue = Arc::new(WaitQueue::new(0));
        let other = queue.clone();
        let waiting = thread::spawn(move || block_on(turn(&other)));
        let other = queue.clone();
        let giving = thread::spawn(move || {
            for _ in 0..2 {
                let mut locked = other.lock();
                let popped = give(&mut locked);
                drop(locked);
                wake(popped);
            }
        });
        block_on(turn(&queue));
        waiting.join().unwrap();
        giving.join().unwrap();
    });
}

#[test]
fn loom_wait_who_leaves_passes_its_turn_on() {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(|| {
        let queue = Arc::new(WaitQueue::new(0));
        let other = queue.clone();
        let waiting = thread::spawn(move || block_on(turn(&other)));
        let other = queue.clone();
        let giving = thread::spawn(move || {
            let mut locked = other.lock();
            let popped = give(&mut locked);
            drop(locked);
            wake(popped);
        });
        let had_a_turn = {
            let mut leaving = pin!(turn(&queue));
            leaving
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_ready()
        };
        if had_a_turn {
            let popped = give(&mut queue.lock());
            wake(popped);
        }
        waiting.join().unwrap();
        giving.join().unwrap();
    });
}
