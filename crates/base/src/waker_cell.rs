//! One waker that one side leaves and any other side takes: [`WakerCell`].
//!
//! The word *is* the waker: who exchanges it owns what was in it. So leaving a waker, and taking
//! it, are one exchange each, and nobody ever waits or is told to come again.
//!
//! | word | what |
//! |---|---|
//! | null | no waker |
//! | tag 0 or 1 | a waker: its data pointer, and the cell's vtable of that number |
//! | tag 2 | a waker in a box: of a third vtable, or with a data pointer that takes no tag |
//!
//! From null, `replace` goes to any other; from there, `take` goes to null, and `replace` to any.
//! A vtable's place in the cell is filled once, by the first waker that has it, and does not
//! change: whoever gets a tag out of the word finds the vtable that was meant.

use std::mem::ManuallyDrop;
use std::ptr;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::atomic::{AtomicPtr, Ordering};
use crate::const_unless_model;

/// The bits of the word that a data pointer must leave free.
const TAGS: usize = 3;
const BOXED: usize = 2;

/// A slot for one waker: one thread at a time registers, any thread wakes.
pub struct WakerCell {
    /// The waker, by the table above.
    word: AtomicPtr<()>,
    /// Null, or the vtable of the wakers with this tag.
    vtables: [AtomicPtr<RawWakerVTable>; BOXED],
}

impl WakerCell {
    const_unless_model! {
        /// An empty cell.
        pub const fn new() -> Self {
            Self {
                word: AtomicPtr::new(ptr::null_mut()),
                vtables: [
                    AtomicPtr::new(ptr::null_mut()),
                    AtomicPtr::new(ptr::null_mut()),
                ],
            }
        }
    }

    /// Leaves `waker` to be woken by the next [`wake`](Self::wake).
    ///
    /// Whoever registers must look at the condition once more afterwards.
    #[inline]
    pub fn register(&self, waker: &Waker) {
        drop(self.replace(waker));
    }

    /// Like [`register`](Self::register); gives the waker that was there before to the caller,
    /// who may look at the condition once more before that one's destructor runs.
    ///
    /// A waker that would wake the same task is left where it is, and nothing is written. If it
    /// was just being taken, then its wake comes before the task's next poll, as every wake does,
    /// and what led to the wake is seen there.
    // Always: who waits for a message has one call less.
    #[inline(always)]
    pub fn replace(&self, waker: &Waker) -> Option<Waker> {
        // Acquire: what is done next comes after this look.
        let word = self.word.load(Ordering::Acquire);
        if !word.is_null() && Some(word) == self.tagged(waker) {
            return None;
        }
        let word = self.pack(waker.clone());
        // SeqCst: see is_stored(). As Release it shows the waker and its vtable to take(); as
        // Acquire it shows what was done before a wake that came too early.
        self.unpack(self.word.swap(word, Ordering::SeqCst))
    }

    /// Whether a waker is stored, by one plain load.
    ///
    /// The caller has just changed the condition by a read-modify-write that is SeqCst, and the
    /// registering thread looks at the condition by a SeqCst load (or a read-modify-write) after
    /// [`register`](Self::register). In the one order of these four, either the change comes
    /// before that look, which sees it; or the look, and with it the registration, come before
    /// the change, and hence before this load, which sees the waker.
    #[inline]
    pub fn is_stored(&self) -> bool {
        !self.word.load(Ordering::SeqCst).is_null()
    }

    /// Takes the waker out, if there is one.
    #[inline]
    pub fn take(&self) -> Option<Waker> {
        // AcqRel: Acquire sees the waker that replace() published; Release shows the thread that
        // registers next what happened before this wake.
        self.unpack(self.word.swap(ptr::null_mut(), Ordering::AcqRel))
    }

    /// Wakes and forgets the registered waker.
    #[inline]
    pub fn wake(&self) {
        if let Some(waker) = self.take() {
            waker.wake();
        }
    }

    /// `waker` as a word that needs no box, if it can be one.
    #[inline]
    fn tagged(&self, waker: &Waker) -> Option<*mut ()> {
        let data = waker.data().cast_mut();
        if data.is_null() || data.addr() & TAGS != 0 {
            return None;
        }
        let vtable = ptr::from_ref(waker.vtable()).cast_mut();
        // Bounded by their number.
        for (tag, place) in self.vtables.iter().enumerate() {
            // Relaxed: the vtable itself is static, and a place that is filled stays as it is.
            let mut known = place.load(Ordering::Relaxed);
            if known.is_null() {
                known = match place.compare_exchange(
                    known,
                    vtable,
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                ) {
                    Ok(_) => vtable,
                    Err(other) => other,
                };
            }
            if known == vtable {
                return Some(data.map_addr(|address| address | tag));
            }
        }
        None
    }

    /// The word that `waker` becomes.
    #[inline]
    fn pack(&self, waker: Waker) -> *mut () {
        match self.tagged(&waker) {
            Some(word) => {
                // The word owns it from here on.
                let _ = ManuallyDrop::new(waker);
                word
            }
            None => Self::boxed(waker),
        }
    }

    #[cold]
    fn boxed(waker: Waker) -> *mut () {
        let boxed: *mut () = Box::into_raw(Box::new(waker)).cast();
        boxed.map_addr(|address| address | BOXED)
    }

    /// The waker in `word`, which the caller has taken out of the cell.
    #[inline]
    fn unpack(&self, word: *mut ()) -> Option<Waker> {
        if word.is_null() {
            return None;
        }
        let tag = word.addr() & TAGS;
        let pointer = word.map_addr(|address| address & !TAGS);
        if tag == BOXED {
            // SAFETY: `boxed` made it from a box; it was in the cell once, and is the caller's.
            return Some(*unsafe { Box::from_raw(pointer.cast::<Waker>()) });
        }
        // Relaxed: the exchange of the word showed the place as whoever packed the word saw it.
        let vtable = self.vtables[tag].load(Ordering::Relaxed);
        // SAFETY: the place was filled, by `tagged`, from a `&'static`.
        let vtable: &'static RawWakerVTable = unsafe { &*vtable };
        // SAFETY: `pack` got both from a waker that it forgot; the word was in the cell once, and
        // is the caller's.
        Some(unsafe { Waker::from_raw(RawWaker::new(pointer, vtable)) })
    }
}

impl Drop for WakerCell {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl Default for WakerCell {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for WakerCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WakerCell").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    /// Counts its wakes; another type for each number.
    #[derive(Default)]
    struct Counter<const KIND: usize>(AtomicUsize);

    impl<const KIND: usize> Wake for Counter<KIND> {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Leaves a waker of its kind, takes it, and leaves it once more.
    fn is_woken<const KIND: usize>(cell: &WakerCell) -> bool {
        let counter = Arc::new(Counter::<KIND>::default());
        let waker = Waker::from(counter.clone());
        cell.register(&waker);
        cell.register(&waker);
        assert!(cell.is_stored());
        cell.wake();
        assert!(!cell.is_stored());
        cell.wake();
        cell.register(&waker);
        drop(waker);
        counter.0.load(Ordering::Relaxed) == 1 && Arc::strong_count(&counter) == 2
    }

    #[test]
    fn wakers_of_any_number_of_kinds_are_kept_and_let_go() {
        let cell = WakerCell::new();
        for _ in 0..2 {
            assert!(is_woken::<0>(&cell));
            assert!(is_woken::<1>(&cell));
            assert!(is_woken::<2>(&cell));
            assert!(is_woken::<3>(&cell));
            cell.register(Waker::noop());
            assert!(cell.take().is_some());
        }
    }

    #[test]
    fn what_is_left_in_a_cell_goes_with_it() {
        let counters = (
            Arc::new(Counter::<0>::default()),
            Arc::new(Counter::<1>::default()),
        );
        let cell = WakerCell::new();
        cell.register(&Waker::from(counters.0.clone()));
        assert_eq!(Arc::strong_count(&counters.0), 2);
        cell.register(&Waker::from(counters.1.clone()));
        assert_eq!(Arc::strong_count(&counters.0), 1);
        drop(cell);
        assert_eq!(Arc::strong_count(&counters.1), 1);
    }
}
