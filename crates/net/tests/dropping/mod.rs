//! Futures that are dropped anywhere on their way.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use yamanote_base::rng::Rng;
use yamanote_runtime::yield_now;

/// How many futures of each kind are dropped: more by hand.
pub(crate) fn drops() -> u32 {
    let count = std::env::var("YAMANOTE_TEST_DROPS").ok();
    count.map_or(4000, |count| count.parse().unwrap())
}

/// Polls `future` a few times, as `rng` says, and drops it if it does not end meanwhile.
pub(crate) async fn tried<F: Future>(future: F, rng: &mut Rng) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..rng.below(4) {
        if let Some(output) = poll_once(future.as_mut()).await {
            return Some(output);
        }
        if rng.below(2) == 0 {
            yield_now().await;
        }
    }
    None
}

/// Polls `future` with the waker of who asks.
pub(crate) async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
