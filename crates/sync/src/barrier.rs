//! A point where a fixed number of tasks wait for each other: [`Barrier`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use yamanote_base::wait::{WaitQueue, Waiter};
use yamanote_base::waits;
use yamanote_base::wake::WakeList;
use yamanote_trace::{Resource, op, resource, update};

/// What reports call who has not arrived.
const OTHERS: &str = "Barrier: the others";

/// Lets tasks go on only when `n` of them have arrived; then begins anew.
///
/// ```
/// use std::sync::Arc;
/// use tokio::sync::Barrier;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let barrier = Arc::new(Barrier::new(3));
/// let mut tasks = tokio::task::JoinSet::new();
/// for _ in 0..3 {
///     let barrier = barrier.clone();
///     tasks.spawn(async move { barrier.wait().await.is_leader() });
/// }
/// let leaders = tasks.join_all().await.into_iter().filter(|leads| *leads);
/// assert_eq!(leaders.count(), 1);
/// # }
/// ```
pub struct Barrier {
    n: usize,
    /// How many have arrived in this round, and those of them who wait.
    arrivals: WaitQueue<usize, ()>,
    resource: Resource,
}

/// What [`Barrier::wait`] tells: who of the round leads it.
#[derive(Debug, Clone)]
pub struct BarrierWaitResult(bool);

impl Barrier {
    /// A barrier for `n` tasks; 0 counts as 1.
    #[track_caller]
    #[must_use]
    pub fn new(n: usize) -> Self {
        let n = n.max(1);
        let resource = resource!("tokio::sync::barrier", "Barrier", "Sync");
        resource.in_scope(|| {
            update!(size = n as u64);
            tell_arrived(0);
        });
        Self {
            n,
            arrivals: WaitQueue::new(0),
            resource,
        }
    }

    /// Waits until `n` tasks have arrived here.
    ///
    /// *Cancel safety:* none: who has arrived counts for the round, also when the future is
    /// dropped.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let barrier = tokio::sync::Barrier::new(2);
    /// let (one, two) = tokio::join!(barrier.wait(), barrier.wait());
    /// assert!(!one.is_leader() && two.is_leader());
    /// # }
    /// ```
    pub async fn wait(&self) -> BarrierWaitResult {
        let op = op!("tokio::sync::barrier", &self.resource, "Barrier::wait");
        let arrive = Arrive {
            barrier: self,
            waiter: Waiter::new(()),
        };
        op.wrap("poll", arrive).await
    }

    /// Counts an arrival: the last one of the round releases the others, all the others queue.
    fn poll_arrive(&self, waiter: Pin<&mut Waiter<()>>, cx: &mut Context<'_>) -> Poll<()> {
        // Before the lock: cloning and dropping a waker is user code.
        let waker = cx.waker().clone();
        let mut wakes = WakeList::new();
        let mut arrivals = self.arrivals.lock();
        *arrivals += 1;
        let arrived = *arrivals;
        if arrived < self.n {
            arrivals.push_back(waiter, waker);
            drop(arrivals);
            self.resource.in_scope(|| tell_arrived(arrived));
            waits::note(|| OTHERS);
            return Poll::Pending;
        }
        *arrivals = 0;
        arrivals.pop_all(&mut wakes, |()| true);
        drop(arrivals);
        wakes.wake_all();
        self.resource.in_scope(|| tell_arrived(0));
        Poll::Ready(())
    }
}

/// Tells who listens how many have arrived in this round.
fn tell_arrived(n: usize) {
    update!(arrived = n as i64, arrived.op = "override");
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("n", &self.n)
            .finish_non_exhaustive()
    }
}

impl BarrierWaitResult {
    /// Whether this task leads its round: one does, the last to arrive.
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
        if !waiter.is_armed() {
            return barrier
                .poll_arrive(waiter, cx)
                .map(|()| BarrierWaitResult(true));
        }
        ready!(
            barrier
                .arrivals
                .poll_popped(waiter.as_mut(), cx, |()| OTHERS)
        );
        waiter.settle();
        Poll::Ready(BarrierWaitResult(false))
    }
}
