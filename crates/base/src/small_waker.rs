//! A waker in one word, for what there may be millions of: [`SmallWaker`].
//!
//! A waker is a data pointer and a vtable, and a program has a handful of vtables. So they get
//! numbers, which lie in the byte that an address leaves free.
//!
//! | highest byte | the rest |
//! |---|---|
//! | 255 | no small waker: whoever keeps it may use such words for others ([`UNUSED`]) |
//! | 16 to 254, a number | the data pointer of a waker whose vtable has this number |
//! | less | a sixteenth of the address of a box with a waker |
//!
//! A waker is in a box if the numbers have run out, or if its data pointer uses that byte, as most
//! do where addresses have 32 bits.

use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use crate::atomic::plain::{AtomicPtr, Ordering};
use crate::cell_pool::Room;

const NUMBER_SHIFT: u32 = usize::BITS - 8;
/// The bits of a data pointer that has the highest byte free.
pub const DATA: usize = (1 << NUMBER_SHIFT) - 1;
/// The least word of which no small waker consists.
pub const UNUSED: usize = !DATA;
/// The first number.
const FIRST: usize = 16;
/// So many places may be the first of a vtable: two to this power.
const FIRST_PLACES_LOG2: u32 = 7;
/// How many places a vtable may have. Where others have taken all of these it gets no number.
const PROBES: usize = 8;
const PLACES: usize = FIRST + (1 << FIRST_PLACES_LOG2) + PROBES - 1;
const _: () = assert!(PLACES <= UNUSED >> NUMBER_SHIFT);

/// Each vtable that has a number, at that number. Places are filled and never changed.
static VTABLES: [AtomicPtr<RawWakerVTable>; PLACES] =
    [const { AtomicPtr::new(std::ptr::null_mut()) }; PLACES];

/// A waker; one word, also in an `Option`.
pub struct SmallWaker(NonNull<()>);

/// Its address is a multiple of 16.
#[repr(align(16))]
struct Boxed(Waker);

// SAFETY: it is a waker, by the table above, and these are `Send`.
unsafe impl Send for SmallWaker {}
// SAFETY: as above, `Sync`.
unsafe impl Sync for SmallWaker {}

impl SmallWaker {
    /// Takes `waker` in. Calls none of its functions.
    #[inline]
    #[must_use]
    pub fn new(waker: Waker) -> Self {
        let data = waker.data().cast_mut();
        if data.addr() > DATA {
            return Self::boxed(waker);
        }
        let Some(number) = number_of(waker.vtable()) else {
            return Self::boxed(waker);
        };
        let word = data.map_addr(|address| address | number << NUMBER_SHIFT);
        std::mem::forget(waker);
        Self(NonNull::new(word).expect("no number is 0"))
    }

    #[cold]
    fn boxed(waker: Waker) -> Self {
        let room = Room::<Boxed>::take().into_raw();
        // SAFETY: it is room for one.
        unsafe { room.write(Boxed(waker)) };
        let word = room
            .as_ptr()
            .map_addr(|address| address / align_of::<Boxed>());
        Self(NonNull::new(word.cast()).expect("a box is not at 0, and its address is not lost"))
    }

    /// The box that the waker is in, if it is in one.
    #[inline]
    fn room(&self) -> Option<NonNull<Boxed>> {
        if self.number() >= FIRST {
            return None;
        }
        let place = self
            .0
            .as_ptr()
            .map_addr(|sixteenth| sixteenth * align_of::<Boxed>());
        NonNull::new(place.cast())
    }

    /// Whether both would wake the same task, as [`Waker::will_wake`] says.
    #[inline]
    #[must_use]
    pub fn will_wake(&self, waker: &Waker) -> bool {
        self.get().will_wake(waker)
    }

    /// The word. The waker is lost, unless it is made of this again.
    #[inline]
    #[must_use]
    pub fn into_raw(self) -> NonNull<()> {
        ManuallyDrop::new(self).0
    }

    /// The small waker of a word.
    ///
    /// # Safety
    /// `word` came from [`into_raw`](Self::into_raw), and only one that is made of it is dropped.
    #[inline]
    #[must_use]
    pub unsafe fn from_raw(word: NonNull<()>) -> Self {
        Self(word)
    }

    /// The waker.
    #[inline]
    #[must_use]
    pub fn into_waker(self) -> Waker {
        let this = ManuallyDrop::new(self);
        if let Some(room) = this.room() {
            return Self::unboxed(room);
        }
        ManuallyDrop::into_inner(this.get())
    }

    /// The waker out of the box, which goes.
    #[cold]
    fn unboxed(room: NonNull<Boxed>) -> Waker {
        // SAFETY: `boxed` has put it there, and the small waker, of which this is the end, has
        // kept it.
        let Boxed(waker) = unsafe { room.read() };
        // SAFETY: `boxed` made it, and it is used once.
        drop(unsafe { Room::from_raw(room) });
        waker
    }

    #[inline]
    fn number(&self) -> usize {
        self.0.addr().get() >> NUMBER_SHIFT
    }

    /// A copy of the waker, which stays this one's.
    #[inline]
    fn get(&self) -> ManuallyDrop<Waker> {
        if let Some(room) = self.room() {
            // SAFETY: `boxed` has put one there.
            let waker = unsafe { &raw const (*room.as_ptr()).0 };
            // SAFETY: it is not dropped as long as this is not.
            return ManuallyDrop::new(unsafe { waker.read() });
        }
        let data = self.0.as_ptr().map_addr(|address| address & DATA);
        // Relaxed: whoever made this word had read the number's place before; it does not change.
        // What is in the vtable came with the waker.
        let vtable = VTABLES[self.number()].load(Ordering::Relaxed);
        // SAFETY: a place with a number is filled, from a `&'static`.
        let vtable = unsafe { &*vtable };
        // SAFETY: data and vtable are those of the waker that was taken in, which is not dropped
        // as long as this is not.
        ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, vtable)) })
    }
}

/// The number of `vtable`.
#[inline]
fn number_of(vtable: &'static RawWakerVTable) -> Option<usize> {
    let first = first_place(vtable);
    // Relaxed: the pointer is compared, and not followed.
    let is_at = |place: usize| std::ptr::eq(VTABLES[place].load(Ordering::Relaxed), vtable);
    // Where two are near in memory, how near decides once for the whole program whether they want
    // the same place. So the second that comes must not pay for a search each time.
    match () {
        () if is_at(first) => Some(first),
        () if is_at(first + 1) => Some(first + 1),
        () => find_number(vtable, first),
    }
}

/// The place where `vtable` is looked for first.
#[inline]
fn first_place(vtable: &'static RawWakerVTable) -> usize {
    let address = std::ptr::from_ref(vtable).addr() as u64;
    // Fibonacci hashing: D. Knuth, "The Art of Computer Programming", volume 3, section 6.4.
    let hash = address.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    FIRST + (hash >> (u64::BITS - FIRST_PLACES_LOG2)) as usize
}

/// Looks for `vtable` from its `first` place on, and gives it a number if it has none.
#[cold]
fn find_number(vtable: &'static RawWakerVTable, first: usize) -> Option<usize> {
    let vtable = std::ptr::from_ref(vtable).cast_mut();
    (first..first + PROBES).find(|place| {
        // Relaxed, both: the pointers are compared. Who follows one has a waker with this vtable.
        let (order, null) = (Ordering::Relaxed, std::ptr::null_mut());
        match VTABLES[*place].compare_exchange(null, vtable, order, order) {
            Ok(_) => true,
            Err(known) => known == vtable,
        }
    })
}

impl Drop for SmallWaker {
    #[inline]
    fn drop(&mut self) {
        // The copy is the one that ends; nothing follows for this one.
        drop(Self(self.0).into_waker());
    }
}

impl fmt::Debug for SmallWaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn it_is_one_word_and_wakes_and_drops_as_the_waker_that_it_took_in() {
        assert_eq!(size_of::<Option<SmallWaker>>(), size_of::<usize>());
        let (first, second) = ([(); 2].map(|()| Arc::new(Count(AtomicUsize::new(0))))).into();
        let (waker, other) = (Waker::from(first.clone()), Waker::from(second));
        let small = SmallWaker::new(waker.clone());
        assert!(small.will_wake(&waker) && !small.will_wake(&other));
        small.into_waker().wake();
        assert_eq!(first.0.load(Ordering::Relaxed), 1);
        drop(SmallWaker::new(waker));
        assert_eq!(Arc::strong_count(&first), 1);
    }

    static CALLS: AtomicUsize = AtomicUsize::new(0);

    fn calls(data: *const ()) {
        CALLS.fetch_add(data.addr(), Ordering::Relaxed);
    }

    fn clone_one(data: *const ()) -> RawWaker {
        RawWaker::new(data, &ONE)
    }

    const VTABLE: RawWakerVTable = RawWakerVTable::new(clone_one, calls, calls, |_| ());
    static ONE: RawWakerVTable = VTABLE;
    /// More than there are numbers.
    static MANY: [RawWakerVTable; 1000] = [VTABLE; 1000];

    #[test]
    fn wakers_without_a_number_and_with_any_data_are_kept_as_they_are() {
        let data = [0, 1, DATA, DATA + 1, usize::MAX];
        let mut boxed = 0;
        for (vtable, data) in MANY
            .iter()
            .flat_map(|vtable| data.map(|data| (vtable, data)))
        {
            let raw = RawWaker::new(std::ptr::without_provenance(data), vtable);
            // SAFETY: these functions do nothing with the data but to look at the pointer.
            let small = SmallWaker::new(unsafe { Waker::from_raw(raw) });
            boxed += usize::from(small.room().is_some());
            let before = CALLS.load(Ordering::Relaxed);
            let waker = small.into_waker();
            assert!(std::ptr::eq(waker.vtable(), vtable) && waker.data().addr() == data);
            waker.wake();
            assert_eq!(CALLS.load(Ordering::Relaxed), before.wrapping_add(data));
        }
        assert!(boxed > 2000 && boxed < 5000, "some of both: {boxed}");
    }
}
