//! A point where a fixed number of tasks wait for each other: [`Barrier`].

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use yamanote_base::wait::{WaitQueue, Waiter};
use yamanote_base::wake::WakeList;

use crate::coop::poll_charged;

/// Lets tasks go on only when `n` of them have arrived; then begins anew.
#[derive(Debug)]
pub struct Barrier {
    n: usize,
    /// How many have arrived in this round, and those of them who wait.
    arrivals: WaitQueue<usize, ()>,
}

/// What [`Barrier::wait`] tells: who of the round was the last to arrive.
#[derive(Debug, Clone)]
pub struct BarrierWaitResult(bool);

impl Barrier {
    /// A barrier for `n` tasks; 0 counts as 1.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self {
            n: n.max(1),
            arrivals: WaitQueue::new(0),
        }
    }

    /// Waits until `n` tasks have arrived here.
    ///
    /// *Cancel safety:* none: who has arrived counts for the round, also when the future is
    /// dropped.
    pub async fn wait(&self) -> BarrierWaitResult {
        Arrive {
            barrier: self,
            waiter: Waiter::new(()),
        }
        .await
    }

    /// Counts an arrival: the last one of the round releases the others, all the others queue.
    fn poll_arrive(&self, waiter: Pin<&mut Waiter<()>>, cx: &mut Context<'_>) -> Poll<()> {
        // Before the lock: cloning and dropping a waker is user code.
        let waker = cx.waker().clone();
        let mut wakes = WakeList::new();
        let mut arrivals = self.arrivals.lock();
        *arrivals += 1;
        if *arrivals < self.n {
            arrivals.push_back(waiter, waker);
            return Poll::Pending;
        }
        *arrivals = 0;
        arrivals.pop_all(&mut wakes, |()| true);
        drop(arrivals);
        wakes.wake_all();
        Poll::Ready(())
    }
}

impl BarrierWaitResult {
    /// Whether this task was the last of its round to arrive.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

pin_project! {
    struct Arrive<'a> {
        barrier: &'a Barrier,
        // Armed once arrived, until released.
        #[pin]
        waiter: Waiter<()>,
    }

    impl PinnedDrop for Arrive<'_> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.is_armed() {
                let removed = this.barrier.arrivals.lock().remove(this.waiter);
                drop(removed);
            }
        }
    }
}

impl Future for Arrive<'_> {
    type Output = BarrierWaitResult;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BarrierWaitResult> {
        let this = self.project();
        let (barrier, mut waiter) = (*this.barrier, this.waiter);
        poll_charged(cx, |cx| {
            if !waiter.is_armed() {
                return barrier
                    .poll_arrive(waiter, cx)
                    .map(|()| BarrierWaitResult(true));
            }
            ready!(barrier.arrivals.poll_popped(waiter.as_mut(), cx));
            waiter.settle();
            Poll::Ready(BarrierWaitResult(false))
        })
    }
}
