//! What a task waits for, noted by the leaf that has nothing yet, for the report of a simulation.
//!
//! As long as there is no simulation in the process, a leaf pays one load and one branch, and only
//! when it waits.

use std::cell::Cell;
use std::panic::Location;
use std::time::Instant;

use crate::atomic::plain::{AtomicBool, Ordering};
use crate::interest::Interest;

/// Of one poll so many waits are kept, the first ones.
pub const WAITS_MAX: usize = 4;

/// Something that a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What it is, as a report names it.
    pub what: &'static str,
    /// What more there is to say.
    pub detail: Detail,
}

/// Which one it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// There is no more to say.
    None,
    /// The task that was spawned there.
    SpawnedAt(&'static Location<'static>),
    /// The moment.
    Until(Instant),
    /// The socket whose readiness is in the cell at this address, and what of it: the world knows
    /// which one that is.
    Socket(usize, Interest),
}

/// What one poll has found; `None` beyond the last.
pub type Waits = [Option<Wait>; WAITS_MAX];

static WATCHED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static FOUND: Cell<Waits> = const { Cell::new([None; WAITS_MAX]) };
}

/// Has leaves note what they wait for, from now on.
pub fn watch() {
    // Relaxed: what is noted late is missed, no more.
    WATCHED.store(true, Ordering::Relaxed);
}

/// Notes that the current poll waits for `what`. Best where the leaf takes its place in a queue:
/// beside a result that is handed on, the call that is not made costs it its registers.
#[inline(always)]
pub fn note(what: &'static str) {
    // Relaxed: see watch().
    if WATCHED.load(Ordering::Relaxed) {
        add_word(what);
    }
}

/// [`note`] of what is found out only if somebody wants to know.
#[inline(always)]
pub fn note_of(what: impl FnOnce() -> &'static str) {
    // Relaxed: see watch().
    if WATCHED.load(Ordering::Relaxed) {
        add_word(what());
    }
}

/// [`note`] with more to say.
#[inline(always)]
pub fn note_with(what: &'static str, detail: impl FnOnce() -> Detail) {
    // Relaxed: see watch().
    if WATCHED.load(Ordering::Relaxed) {
        add(what, detail);
    }
}

/// Takes what was noted on this thread since the last call.
pub fn take() -> Waits {
    let taken = FOUND.try_with(|found| found.replace([None; WAITS_MAX]));
    taken.unwrap_or([None; WAITS_MAX])
}

/// Not generic, so that it stays in this crate: what leaves inline is a load and a branch.
#[cold]
#[inline(never)]
fn add_word(what: &'static str) {
    add(what, || Detail::None);
}

#[cold]
#[inline(never)]
fn add(what: &'static str, detail: impl FnOnce() -> Detail) {
    let detail = detail();
    let wait = Wait { what, detail };
    // While the thread's locals are being destroyed, nobody asks.
    let _ = FOUND.try_with(|found| {
        let mut waits = found.get();
        if let Some(place) = waits.iter_mut().find(|place| place.is_none()) {
            *place = Some(wait);
        }
        found.set(waits);
    });
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_first_waits_of_a_poll_are_kept() {
        watch();
        take();
        (0..2 * WAITS_MAX).for_each(|_| note("a word"));
        let noted = take();
        assert!(noted.iter().flatten().all(|wait| wait.what == "a word"));
        assert_eq!(noted.iter().flatten().count(), WAITS_MAX);
        assert_eq!(take(), [None; WAITS_MAX]);
    }
}
