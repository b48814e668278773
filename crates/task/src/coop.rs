//! Cooperating with other tasks: the budget as programs see it.

use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use yamanote_base::budget::{self, Charge};

/// A unit of the budget that was taken; given back when dropped, unless there was progress.
///
/// It goes back to the thread that it came from, hence the pointer: not to be sent.
#[derive(Debug)]
#[must_use = "dropping it gives the unit back"]
pub struct RestoreOnPending(Charge, PhantomData<*mut ()>);

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
        inner: F,
    }
}

impl RestoreOnPending {
    /// Keeps the unit spent.
    pub fn made_progress(&self) {
        self.0.made_progress();
    }
}

/// Takes one unit of the budget; if there is none, wakes the task and returns `Pending`.
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
    budget::poll_proceed(cx).map(|charge| RestoreOnPending(charge, PhantomData))
}

/// Whether the task may go on without letting others run.
#[must_use]
pub fn has_budget_remaining() -> bool {
    budget::current().has_remaining()
}

/// Spends one unit of the budget, and lets others run if there is none left.
///
/// *Cancel safety:* it does nothing else.
pub async fn consume_budget() {
    poll_fn(|cx| {
        let charge = ready!(budget::poll_proceed(cx));
        charge.made_progress();
        Poll::Ready(())
    })
    .await;
}

/// Polls `inner` without a budget: it never yields for the sake of other tasks.
pub fn unconstrained<F>(inner: F) -> Unconstrained<F> {
    Unconstrained { inner }
}

/// Makes `inner`, which comes from elsewhere, take part in the budget.
pub fn cooperative<F: Future>(inner: F) -> Coop<F> {
    Coop { inner }
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
        let output = ready!(self.project().inner.poll(cx));
        charge.made_progress();
        Poll::Ready(output)
    }
}
