//! Driving one future on the current thread, which sleeps while the future waits: [`block_on`].

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use crate::atomic::plain::{AtomicBool, Ordering};
use crate::baton::{self, Seat};
use crate::enter;

/// Wakes a sleeping thread; a wake before the sleep makes that sleep return at once.
///
/// It has a flag of its own, because user code may use up a thread's park token. A thread that
/// runs while it holds a [`baton`] gives it back meanwhile.
#[derive(Debug)]
pub struct ThreadWaker {
    sleeper: Sleeper,
    woken: AtomicBool,
}

#[derive(Debug)]
enum Sleeper {
    Thread(Thread),
    Seat(Seat),
}

impl ThreadWaker {
    /// A waker of the current thread.
    #[must_use]
    pub fn current() -> Arc<Self> {
        let seat = baton::current().map(Sleeper::Seat);
        Arc::new(Self {
            sleeper: seat.unwrap_or_else(|| Sleeper::Thread(thread::current())),
            woken: AtomicBool::new(false),
        })
    }

    /// Sleeps until woken; called by the thread that made it.
    pub fn park(&self) {
        // Acquire: pairs with the Release in wake(); what happened before the wake is seen.
        while !self.woken.swap(false, Ordering::Acquire) {
            match &self.sleeper {
                Sleeper::Thread(_) => thread::park(),
                Sleeper::Seat(seat) => seat.wait_or_leave("a future"),
            }
        }
    }

    /// Whether the next sleep returns at once, at a glance.
    pub fn is_woken(&self) -> bool {
        // Relaxed: the sleep takes the wake.
        self.woken.load(Ordering::Relaxed)
    }

    /// Sleeps until woken or until `deadline`; returns whether it was woken.
    pub fn park_until(&self, deadline: Instant) -> bool {
        // Acquire: as in park().
        while !self.woken.swap(false, Ordering::Acquire) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            thread::park_timeout(left);
        }
        true
    }
}

impl Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: pairs with the Acquire in park().
        if !self.woken.swap(true, Ordering::Release) {
            match &self.sleeper {
                Sleeper::Thread(thread) => thread.unpark(),
                Sleeper::Seat(seat) => seat.wake(),
            }
        }
    }
}

/// Runs `future` to its end on the current thread, with no scheduler and no driver.
///
/// # Panics
/// When the thread drives asynchronous tasks.
#[track_caller]
pub fn block_on<F: Future>(future: F) -> F::Output {
    enter::assert_may_block();
    block_on_inside(future)
}

/// Like [`block_on`], for whoever has seen to it that the thread may block.
pub fn block_on_inside<F: Future>(future: F) -> F::Output {
    let parker = ThreadWaker::current();
    let waker = Waker::from(parker.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        parker.park();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_wake_from_another_thread_ends_the_sleep() {
        let mut first = true;
        let future = std::future::poll_fn(move |cx| {
            if !std::mem::take(&mut first) {
                return Poll::Ready(5);
            }
            let waker = cx.waker().clone();
            thread::spawn(move || waker.wake());
            Poll::Pending
        });
        assert_eq!(block_on(future), 5);
    }

    #[test]
    #[should_panic(expected = "Cannot block the current thread from within a runtime")]
    fn blocking_inside_a_runtime_is_refused() {
        let _inside = enter::set(enter::Entered::Driving {
            block_in_place: false,
        });
        block_on(std::future::ready(()));
    }
}
