//! Cooperating with other tasks: the budget as programs see it.

use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use yamanote_base::budget::{self, Charge};

/// A unit of the budget that was taken; given back when dropped, unless there was progress.
///
/// It goes back to the thread that it came from, hence the pointer: not to be sent.
#[must_use = "dropping it gives the unit back"]
pub struct RestoreOnPending(Cell<Option<Charge>>, PhantomData<*mut ()>);

pin_project! {
    /// A future that is polled without a budget; made by [`unconstrained`].
    #[must_use = "`Unconstrained` does nothing unless polled"]
    #[derive(Debug)]
    pub struct Unconstrained<F> {
        #[pin]
        inner: F,
    }
}

pin_project! {
    /// A future that spends one unit of the budget when it ends; made by [`cooperative`].
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct Coop<F: Future> {
        #[pin]
        fut: F,
    }
}

impl RestoreOnPending {
    /// Keeps the unit spent: the operation that it was taken for is complete.
    pub fn made_progress(&self) {
        if let Some(charge) = self.0.take() {
            charge.made_progress();
        }
    }
}

impl Drop for RestoreOnPending {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

impl fmt::Debug for RestoreOnPending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoreOnPending").finish_non_exhaustive()
    }
}

/// Takes one unit of the budget; if there is none, wakes the task and returns `Pending`.
///
/// For leaf futures, before they try what they are for. Who is ready then says
/// [`made_progress`](RestoreOnPending::made_progress); else the unit goes back.
///
/// ```
/// use std::task::{Context, Poll, ready};
///
/// /// Is always ready, and lets other tasks run all the same.
/// fn poll_number(cx: &mut Context<'_>) -> Poll<u32> {
///     let unit = ready!(tokio::task::coop::poll_proceed(cx));
///     unit.made_progress();
///     Poll::Ready(7)
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// assert_eq!(std::future::poll_fn(poll_number).await, 7);
/// # }
/// ```
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
    budget::poll_proceed(cx).map(|charge| RestoreOnPending(Cell::new(Some(charge)), PhantomData))
}

/// Whether the task may go on without letting others run. Outside of tasks: yes.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # tokio::spawn(async {
/// let mut sum = 0_u64;
/// for number in 0..100_000 {
///     sum += number;
///     if !tokio::task::coop::has_budget_remaining() {
///         tokio::task::yield_now().await;
///     }
/// }
/// assert_eq!(sum, 4_999_950_000);
/// # }).await.unwrap();
/// # }
/// ```
#[inline]
#[must_use]
pub fn has_budget_remaining() -> bool {
    budget::current().has_remaining()
}

/// Spends one unit of the budget, and lets others run if there is none left.
///
/// For loops that compute for long without awaiting anything else.
///
/// *Cancel safety:* it does nothing else.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let mut sum = 0_u64;
/// for number in 0..1000 {
///     sum += number;
///     tokio::task::coop::consume_budget().await;
/// }
/// assert_eq!(sum, 499_500);
/// # }
/// ```
pub async fn consume_budget() {
    poll_fn(|cx| {
        let charge = ready!(budget::poll_proceed(cx));
        charge.made_progress();
        Poll::Ready(())
    })
    .await;
}

/// Polls `inner` without a budget: it never yields for the sake of other tasks.
///
/// Those wait then for as long as `inner` finds something ready; so it is for what must not be
/// interrupted, or yields in a way of its own.
///
/// *Cancel safety:* as that of `inner`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
/// (0..1000).for_each(|number| sender.send(number).unwrap());
/// let taken = tokio::task::coop::unconstrained(async {
///     let mut taken = 0;
///     while receiver.try_recv().is_ok() {
///         taken += 1;
///     }
///     taken
/// });
/// assert_eq!(taken.await, 1000);
/// # }
/// ```
pub fn unconstrained<F>(inner: F) -> Unconstrained<F> {
    Unconstrained { inner }
}

/// Makes `inner`, which knows nothing of budgets, take part in that of its task: when it ends it
/// has spent one unit, and it is not polled while there is none.
///
/// *Cancel safety:* as that of `inner`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use tokio::task::coop::{cooperative, has_budget_remaining};
///
/// let task = tokio::spawn(async {
///     let mut count = 0;
///     while has_budget_remaining() {
///         cooperative(std::future::ready(())).await;
///         count += 1;
///     }
///     count
/// });
/// assert!(task.await.unwrap() > 0);
/// # }
/// ```
pub fn cooperative<F: Future>(inner: F) -> Coop<F> {
    Coop { fut: inner }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let inner = self.project().inner;
        budget::with_unlimited(|| inner.poll(cx))
    }
}

impl<F: Future> Future for Coop<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let charge = ready!(budget::poll_proceed(cx));
        let output = ready!(self.project().fut.poll(cx));
        charge.made_progress();
        Poll::Ready(output)
    }
}
