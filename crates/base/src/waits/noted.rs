//! What the polls of a simulation wait for, noted by thread.
//!
//! As long as there is no simulation in the process, a leaf pays one load and one branch, and only
//! when it waits.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::{WAITS_MAX, Wait, Waits};
use crate::atomic::plain::{AtomicBool, Ordering};
use crate::lock::Mutex;

/// Whether waits are noted.
pub const ARE_NOTED: bool = true;

/// The number of no task.
const NOBODY: u64 = u64::MAX - 1;

/// What is taken, by its address, and the number of the task that took it; as much as is locked.
static TAKEN: Mutex<BTreeMap<usize, u64>> = Mutex::new(BTreeMap::new());

static WATCHED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static FOUND: Cell<Waits> = const { Cell::new([None; WAITS_MAX]) };
    static POLLED: Cell<u64> = const { Cell::new(NOBODY) };
}

/// Has leaves note what they wait for, from now on.
pub fn watch() {
    // Relaxed: what is noted late is missed, no more.
    WATCHED.store(true, Ordering::Relaxed);
}

#[inline(always)]
fn is_watched() -> bool {
    // Relaxed: see watch().
    WATCHED.load(Ordering::Relaxed)
}

/// Notes that the current poll waits for something.
#[inline(always)]
pub fn note<W: Into<Wait>>(wait: impl FnOnce() -> W) {
    if is_watched() {
        add(wait);
    }
}

/// Begins a poll, by the task of this number.
pub fn begin(task: u64) {
    let _ = FOUND.try_with(|found| found.set([None; WAITS_MAX]));
    let _ = POLLED.try_with(|polled| polled.set(task));
}

/// Ends a poll; returns what was noted on this thread since it began.
#[must_use]
pub fn end() -> Waits {
    let _ = POLLED.try_with(|polled| polled.set(NOBODY));
    let taken = FOUND.try_with(|found| found.replace([None; WAITS_MAX]));
    taken.unwrap_or([None; WAITS_MAX])
}

/// Notes that the current task has taken what is at an address, where it stays while it is taken.
#[inline(always)]
pub fn note_taken(address: impl FnOnce() -> usize) {
    if is_watched() {
        take(address());
    }
}

/// Notes that what is at an address is taken no more.
#[inline(always)]
pub fn note_given_back(address: impl FnOnce() -> usize) {
    if is_watched() {
        give_back(address());
    }
}

/// The number of the task that has taken what is at `address`, if one has that is of a world.
#[must_use]
pub fn taker(address: usize) -> Option<u64> {
    TAKEN.lock().get(&address).copied()
}

#[cold]
#[inline(never)]
fn take(address: usize) {
    let task = POLLED.try_with(Cell::get).unwrap_or(NOBODY);
    if task != NOBODY {
        TAKEN.lock().insert(address, task);
    }
}

#[cold]
#[inline(never)]
fn give_back(address: usize) {
    TAKEN.lock().remove(&address);
}

#[cold]
#[inline(never)]
fn add<W: Into<Wait>>(wait: impl FnOnce() -> W) {
    let wait = wait().into();
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
        begin(7);
        (0..2 * WAITS_MAX).for_each(|_| note(|| "a word"));
        let noted = end();
        assert!(noted.iter().flatten().all(|wait| wait.what == "a word"));
        assert_eq!(noted.iter().flatten().count(), WAITS_MAX);
        assert_eq!(end(), [None; WAITS_MAX]);
    }

    #[test]
    fn who_takes_is_known_until_it_is_given_back() {
        watch();
        let lock = 0_u64;
        let address = || std::ptr::from_ref(&lock).addr();
        begin(7);
        note_taken(address);
        assert_eq!(end(), [None; WAITS_MAX]);
        assert_eq!(taker(address()), Some(7));
        note_given_back(address);
        assert_eq!(taker(address()), None);
        note_taken(address);
        assert_eq!(taker(address()), None, "no task is polled");
    }
}
