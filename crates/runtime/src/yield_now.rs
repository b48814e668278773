//! Letting other tasks run: [`yield_now`].

use std::future::poll_fn;
use std::task::Poll;

/// Lets other tasks run: the calling task goes to the end of its worker's queue.
///
/// *Cancel safety:* it does nothing else.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
