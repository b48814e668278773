//! Which places of a set have tasks that ended: [`Finished`].

use std::collections::VecDeque;
use std::mem::{ManuallyDrop, offset_of};
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

use yamanote_base::lock::Mutex;
use yamanote_base::waker_cell::WakerCell;

/// Places whose wakers are in one allocation.
const CHUNK: usize = 32;

/// The places whose tasks have ended, in that order, and who waits for the next.
///
/// A note is a hint: it may be late, for a place that has another task by now. There is one at
/// most for each wake of a task's joiner, that is, about one for each task.
#[derive(Debug, Default)]
pub(super) struct Finished {
    places: Mutex<VecDeque<usize>>,
    waiting: WakerCell,
}

/// The wakers of [`CHUNK`] places. A waker points to one of the slots, which says where in the
/// chunk it lies, and owns a count of the chunk's `Arc`.
#[derive(Debug)]
struct Chunk {
    finished: Arc<Finished>,
    first_place: usize,
    slots: [u8; CHUNK],
}

/// A waker for each place of a set; it notes that the task there has ended.
#[derive(Debug, Default)]
pub(super) struct PlaceWakers(Vec<Arc<Chunk>>);

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

impl Finished {
    /// Notes that the task at `place` has ended.
    pub(super) fn push(&self, place: usize) {
        self.places.lock().push_back(place);
        // Who waits has registered before the look that has not seen the note, and so before the
        // lock was taken above; else that look sees the note.
        if self.waiting.is_stored() {
            self.waiting.wake();
        }
    }

    /// Gives all notes for `empty`, which is empty.
    pub(super) fn swap(&self, empty: &mut VecDeque<usize>) {
        debug_assert!(empty.is_empty(), "a note would be lost");
        std::mem::swap(&mut *self.places.lock(), empty);
    }

    /// Sets who is woken by the next note; gives back who was before.
    pub(super) fn register(&self, waker: &Waker) -> Option<Waker> {
        self.waiting.replace(waker)
    }
}

impl PlaceWakers {
    /// Calls `f` with the waker of `place`.
    pub(super) fn with<R>(
        &mut self,
        place: usize,
        finished: &Arc<Finished>,
        f: impl FnOnce(&Waker) -> R,
    ) -> R {
        // Bounded: places are taken into use one after the other.
        while self.0.len() <= place / CHUNK {
            self.0.push(Arc::new(Chunk {
                finished: finished.clone(),
                first_place: self.0.len() * CHUNK,
                // They are few enough for the cast.
                slots: std::array::from_fn(|slot| slot as u8),
            }));
        }
        let chunk = Arc::as_ptr(&self.0[place / CHUNK]);
        let slot = chunk.wrapping_byte_add(offset_of!(Chunk, slots) + place % CHUNK);
        let raw = RawWaker::new(slot.cast(), &VTABLE);
        // SAFETY: the functions below keep the contract of `RawWaker`; this one waker is never
        // dropped, and the chunk outlives it.
        f(&ManuallyDrop::new(unsafe { Waker::from_raw(raw) }))
    }
}

/// The chunk of a waker, and the waker's place.
///
/// # Safety
/// `data` is that of a live waker of this file.
unsafe fn chunk(data: *const ()) -> (*const Chunk, usize) {
    // SAFETY: it points to a slot, which is never changed.
    let slot = usize::from(unsafe { *data.cast::<u8>() });
    let chunk = data.wrapping_byte_sub(offset_of!(Chunk, slots) + slot);
    (chunk.cast(), slot)
}

/// # Safety
/// As [`chunk`].
unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the caller's.
    let (chunk, _) = unsafe { chunk(data) };
    // SAFETY: the pointer came from an `Arc`, which is counted: the waker is alive.
    unsafe { Arc::increment_strong_count(chunk) };
    RawWaker::new(data, &VTABLE)
}

/// # Safety
/// As [`chunk`]; the waker is used up.
unsafe fn wake(data: *const ()) {
    // SAFETY: the caller's.
    unsafe { wake_by_ref(data) };
    // SAFETY: the caller's.
    unsafe { drop_waker(data) };
}

/// # Safety
/// As [`chunk`].
unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the caller's.
    let (chunk, slot) = unsafe { chunk(data) };
    // SAFETY: the waker is alive, so its chunk is.
    let chunk = unsafe { &*chunk };
    chunk.finished.push(chunk.first_place + slot);
}

/// # Safety
/// As [`chunk`]; the waker is used up.
unsafe fn drop_waker(data: *const ()) {
    // SAFETY: the caller's.
    let (chunk, _) = unsafe { chunk(data) };
    // SAFETY: the pointer came from an `Arc`; the waker's count is given up.
    unsafe { Arc::decrement_strong_count(chunk) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waker_notes_its_place_and_outlives_the_set() {
        let finished = Arc::new(Finished::default());
        let mut wakers = PlaceWakers::default();
        let places = [0, 31, 32, 100, 5];
        let kept = places.map(|place| wakers.with(place, &finished, Waker::clone));
        drop(wakers);
        let again = kept.clone();
        assert!(kept[1].will_wake(&again[1]) && !kept[1].will_wake(&again[2]));
        kept.into_iter().for_each(Waker::wake);
        let mut notes = VecDeque::new();
        finished.swap(&mut notes);
        assert_eq!(Vec::from(notes), places);
        again[4].wake_by_ref();
        assert_eq!(
            Arc::strong_count(&finished),
            1 + 3,
            "three chunks are in use"
        );
        drop(again);
        assert_eq!(Arc::strong_count(&finished), 1);
    }
}
