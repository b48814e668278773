//! The waker of whoever awaits a task, in one word: [`Joiner`].
//!
//! Mostly that is a task of the same scheduler, whose wakers' functions the task knows: then
//! the word is the waker's data, with a mark in the byte that an address leaves free.
//! Any other waker is a [`SmallWaker`], which never has this mark.

use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::task::{RawWaker, Waker};

use yamanote_base::small_waker::{DATA, SmallWaker, UNUSED};

use crate::schedule::Schedule;
use crate::waker;

/// The waker of whoever awaits a task, or none. Never dropped by itself: who may read it out, the
/// state word says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Joiner(Option<NonNull<()>>);

impl Joiner {
    /// Nobody waits.
    #[inline]
    pub(crate) fn none() -> Self {
        Self(None)
    }

    #[inline]
    pub(crate) fn is_some(self) -> bool {
        self.0.is_some()
    }

    /// Keeps a clone of `waker`.
    #[inline(always)]
    pub(crate) fn of<S: Schedule>(waker: &Waker) -> Self {
        match Self::own::<S>(waker) {
            Some(word) => {
                // SAFETY: the data are those of a waker of a task of an `S`.
                unsafe { waker::clone_own::<S>(waker.data()) };
                Self(Some(word))
            }
            None => Self::of_foreign(waker),
        }
    }

    #[inline(never)]
    fn of_foreign(waker: &Waker) -> Self {
        Self(Some(SmallWaker::new(waker.clone()).into_raw()))
    }

    /// Whether it is there, and would wake the same task as `waker`.
    #[inline]
    pub(crate) fn will_wake<S: Schedule>(self, waker: &Waker) -> bool {
        match Self::own::<S>(waker) {
            own @ Some(_) => self.0 == own,
            None => self.foreign().is_some_and(|known| known.will_wake(waker)),
        }
    }

    /// The waker.
    ///
    /// # Safety
    /// It is there, was made for the same `S`, and is used up once.
    #[inline]
    pub(crate) unsafe fn read<S: Schedule>(self) -> Waker {
        match self.foreign() {
            Some(foreign) => ManuallyDrop::into_inner(foreign).into_waker(),
            None => {
                let raw = RawWaker::new(self.data(), S::WAKERS.table());
                // SAFETY: `of` has made a clone of a waker with this table and these data.
                unsafe { Waker::from_raw(raw) }
            }
        }
    }

    /// Uses the waker up to wake, which is not called by way of its table if it is one of an `S`.
    ///
    /// # Safety
    /// As [`read`](Self::read).
    #[inline]
    pub(crate) unsafe fn wake<S: Schedule>(self) {
        if self.0.is_some_and(|word| word.addr().get() >= UNUSED) {
            // SAFETY: `of` has made a clone of a waker of a task of an `S`.
            unsafe { waker::wake_own::<S>(self.data()) };
        } else if let Some(foreign) = self.foreign() {
            ManuallyDrop::into_inner(foreign).into_waker().wake();
        }
    }

    /// The data of a waker that is not foreign.
    #[inline]
    fn data(self) -> *const () {
        let word = self.0.map_or(ptr::null_mut(), NonNull::as_ptr);
        word.map_addr(|address| address & DATA)
    }

    /// What stands for `waker`, if that is one of a task of an `S`, and its data leave the byte
    /// free.
    #[inline]
    fn own<S: Schedule>(waker: &Waker) -> Option<NonNull<()>> {
        let data = waker.data().cast_mut();
        if !ptr::eq(waker.vtable(), S::WAKERS.table()) || data.addr() > DATA {
            return None;
        }
        NonNull::new(data.map_addr(|address| address | UNUSED))
    }

    /// The small waker that it is, if it is one.
    #[inline]
    fn foreign(self) -> Option<ManuallyDrop<SmallWaker>> {
        let word = self.0?;
        if word.addr().get() >= UNUSED {
            return None;
        }
        // SAFETY: without the mark it is what `of` had from `into_raw`; `read` or `wake` drops it.
        Some(ManuallyDrop::new(unsafe { SmallWaker::from_raw(word) }))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use crate::runnable::Runnable;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    struct Nowhere;

    // SAFETY: it points to nothing.
    unsafe impl Schedule for Nowhere {
        fn schedule(&self, task: Runnable) {
            drop(task);
        }
    }

    #[test]
    fn a_waker_of_others_is_the_same_after_it_was_a_word() {
        assert_eq!(size_of::<Joiner>(), size_of::<usize>());
        let [first, second] = [(); 2].map(|()| Arc::new(Count(AtomicUsize::new(0))));
        let (waker, other) = (Waker::from(first.clone()), Waker::from(second));
        let joiner = Joiner::of::<Nowhere>(&waker);
        assert!(joiner.will_wake::<Nowhere>(&waker) && !joiner.will_wake::<Nowhere>(&other));
        assert!(joiner.is_some() && !joiner.will_wake::<Nowhere>(Waker::noop()));
        // SAFETY: it is used up once.
        unsafe { joiner.wake::<Nowhere>() };
        assert_eq!(first.0.load(Ordering::Relaxed), 1);
        let joiner = Joiner::of::<Nowhere>(&waker);
        // SAFETY: as above.
        drop(unsafe { joiner.read::<Nowhere>() });
        assert!(!Joiner::none().will_wake::<Nowhere>(&waker));
        assert_eq!(Arc::strong_count(&first), 2);
    }
}
