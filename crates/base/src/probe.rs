//! Named points that a listener may watch; one predicted branch each while nobody listens.

use crate::atomic::plain::{AtomicBool, Ordering};
use std::sync::OnceLock;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Point {
    /// A task was made; the number is its id.
    Spawn,
    /// A poll of a task begins; the number is its id.
    PollBegin,
    /// A poll of a task has ended; the number is its id.
    PollEnd,
    /// A task was made runnable; the number is its id.
    Wake,
    /// A worker goes to sleep; the number is its index.
    Park,
    /// A worker has woken up; the number is its index.
    Unpark,
    /// A task has spent its budget and lets others run.
    BudgetSpent,
    /// A task waits for a resource; the number tells which.
    Wait,
}

type Listener = fn(Point, u64);

static LISTENING: AtomicBool = AtomicBool::new(false);
static LISTENER: OnceLock<Listener> = OnceLock::new();

/// Installs the process's listener; `false` if there is one already. Of tasks it hears if their
/// runtime is built after this.
pub fn listen(listener: Listener) -> bool {
    let first = LISTENER.set(listener).is_ok();
    // Release: pairs with nothing that matters: a thread that sees the flag late misses a few
    // points; the listener itself is published by the OnceLock.
    LISTENING.store(true, Ordering::Release);
    first
}

/// Whether there is a listener.
#[must_use]
pub fn is_listening() -> bool {
    // Relaxed: as in emit().
    LISTENING.load(Ordering::Relaxed)
}

/// Tells the listener, if there is one, that `point` was passed.
#[inline(always)]
pub fn emit(point: Point, number: u64) {
    // Relaxed: only a hint; OnceLock::get orders the rest.
    if LISTENING.load(Ordering::Relaxed) {
        tell(point, number);
    }
}

#[cold]
fn tell(point: Point, number: u64) {
    if let Some(listener) = LISTENER.get() {
        listener(point, number);
    }
}
