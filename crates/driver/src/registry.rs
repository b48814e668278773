//! The process's runtimes by number: how a timer finds its runtime from outside of it.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Weak};
use yamanote_base::atomic::plain::{AtomicUsize, Ordering};

use yamanote_base::lock::Mutex;

use crate::handle::{Handle, HandleParts};

/// Those that live, and perhaps some that are about to leave.
static RUNTIMES: LazyLock<Mutex<BTreeMap<usize, Weak<HandleParts>>>> =
    LazyLock::new(Mutex::default);

/// The number of the next runtime; 0 is none. Not reused, at a million a second for ages.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// A number for a new runtime.
pub(crate) fn next_id() -> usize {
    // Relaxed: any number will do that nobody else gets.
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Makes a new runtime known.
pub(crate) fn enter(id: usize, runtime: Weak<HandleParts>) {
    RUNTIMES.lock().insert(id, runtime);
}

/// Forgets a runtime.
pub(crate) fn leave(id: usize) {
    let gone = RUNTIMES.lock().remove(&id);
    drop(gone);
}

/// The runtime with this number, unless it is gone.
pub(crate) fn find(id: usize) -> Option<Handle> {
    let known = RUNTIMES.lock().get(&id).cloned();
    known?.upgrade().map(Handle::of)
}
