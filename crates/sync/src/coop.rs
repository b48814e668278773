//! How this crate's futures take part in the cooperative budget of the task that polls them.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
pub(crate) use yamanote_base::budget::poll_charged;

pin_project! {
    /// A future whose answer costs one unit of the budget.
    pub(crate) struct Charged<F> {
        #[pin]
        future: F,
    }
}

/// Makes the answer of `future` cost one unit of the budget.
pub(crate) fn charged<F: Future>(future: F) -> Charged<F> {
    Charged { future }
}

impl<F: Future> Future for Charged<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.project().future;
        poll_charged(cx, |cx| future.poll(cx))
    }
}
