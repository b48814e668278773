//! The waker of whoever awaits a task, in one word: [`Joiner`].
//!
//! Mostly that is a task of the same scheduler, whose wakers' functions the task knows (`own`
//! below): then the word is the waker's data, with a mark in the byte that an address leaves free.
//! Any other waker is a [`SmallWaker`], which never has this mark.

use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::task::{RawWaker, RawWakerVTable, Waker};

use yamanote_base::small_waker::{DATA, SmallWaker, UNUSED};

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

    /// Keeps `waker`.
    #[inline]
    pub(crate) fn new(waker: Waker, own: &'static RawWakerVTable) -> Self {
        match Self::own(&waker, own) {
            Some(word) => {
                let _ = ManuallyDrop::new(waker);
                Self(Some(word))
            }
            None => Self(Some(SmallWaker::new(waker).into_raw())),
        }
    }

    /// Whether it is there, and would wake the same task as `waker`.
    #[inline]
    pub(crate) fn will_wake(self, waker: &Waker, own: &'static RawWakerVTable) -> bool {
        match Self::own(waker, own) {
            own @ Some(_) => self.0 == own,
            None => self.foreign().is_some_and(|known| known.will_wake(waker)),
        }
    }

    /// The waker.
    ///
    /// # Safety
    /// It is there, was made with the same `own`, and is read out once.
    #[inline]
    pub(crate) unsafe fn read(self, own: &'static RawWakerVTable) -> Waker {
        if let Some(foreign) = self.foreign() {
            return ManuallyDrop::into_inner(foreign).into_waker();
        }
        let word = self.0.map_or(ptr::null_mut(), NonNull::as_ptr);
        let data = word.map_addr(|address| address & DATA);
        // SAFETY: `new` took in a waker of these functions and this data, which was left undropped.
        unsafe { Waker::from_raw(RawWaker::new(data, own)) }
    }

    /// What stands for `waker`, if its functions are `own` and its data leave the byte free.
    #[inline]
    fn own(waker: &Waker, own: &'static RawWakerVTable) -> Option<NonNull<()>> {
        let data = waker.data().cast_mut();
        if !ptr::eq(waker.vtable(), own) || data.addr() > DATA {
            return None;
        }
        NonNull::new(data.map_addr(|address| address | UNUSED))
    }

    /// The small waker that it is, if it is one.
    #[inline]
    fn foreign(self) -> Option<ManuallyDrop<SmallWaker>> {
        let word = self.0.filter(|word| word.addr().get() < UNUSED)?;
        // SAFETY: without the mark it is what `new` had from `into_raw`; dropped by `read` alone.
        Some(ManuallyDrop::new(unsafe { SmallWaker::from_raw(word) }))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_waker_is_the_same_after_it_was_a_word() {
        assert_eq!(size_of::<Joiner>(), size_of::<usize>());
        let [first, second] = [(); 2].map(|()| Arc::new(Count(AtomicUsize::new(0))));
        let (waker, other) = (Waker::from(first.clone()), Waker::from(second));
        for own in [waker.vtable(), Waker::noop().vtable()] {
            let before = first.0.load(Ordering::Relaxed);
            let joiner = Joiner::new(waker.clone(), own);
            assert!(joiner.will_wake(&waker, own) && !joiner.will_wake(&other, own));
            assert!(joiner.is_some() && !joiner.will_wake(Waker::noop(), own));
            // SAFETY: it was made with these, and is read once.
            unsafe { joiner.read(own) }.wake();
            assert_eq!(first.0.load(Ordering::Relaxed), before + 1);
        }
        assert!(!Joiner::none().will_wake(&waker, waker.vtable()));
        assert!(!Joiner::none().will_wake(&waker, Waker::noop().vtable()));
        assert_eq!(Arc::strong_count(&first), 2);
    }
}
