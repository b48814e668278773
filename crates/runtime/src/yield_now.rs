//! Letting other tasks run: [`yield_now`].

use yamanote_base::budget;

/// Lets other tasks run: the calling task goes to the end of its worker's queue.
///
/// *Cancel safety:* it does nothing else.
pub async fn yield_now() {
    budget::AfterOthers::default().await;
}
