//! What a lower layer needs from a higher one: functions that the runtime fills in once.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

/// A boxed future that ends after a while.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

static SLEEP: OnceLock<fn(Duration) -> Sleep> = OnceLock::new();

/// Says how to sleep; the runtime calls this before its first task runs. Later calls change
/// nothing.
pub fn set_sleep(sleep: fn(Duration) -> Sleep) {
    let _ = SLEEP.set(sleep);
}

static BUDGET_SPENT: OnceLock<fn()> = OnceLock::new();

/// Says whom to tell of a task that must yield because its budget is spent. Later calls change
/// nothing.
pub fn set_budget_spent(tell: fn()) {
    let _ = BUDGET_SPENT.set(tell);
}

/// Tells that the current task must yield because its budget is spent.
#[cold]
pub(crate) fn budget_spent() {
    if let Some(tell) = BUDGET_SPENT.get() {
        tell();
    }
}

/// Sleeps on the current runtime's timer.
///
/// # Panics
/// When no runtime was ever built in this process, or when the timer's own rules say so.
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    let Some(sleep) = SLEEP.get() else {
        panic!(
            "there is no reactor running, must be called from the context of a Tokio 1.x runtime"
        )
    };
    sleep(duration)
}
