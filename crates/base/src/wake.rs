//! A list of wakers, gathered under a lock and woken after it: [`WakeList`].

use std::mem::MaybeUninit;
use std::task::Waker;

use crate::ahead;
use crate::quietly::quietly;

/// Wakers that one list holds without a heap allocation.
const INLINE: usize = 32;

/// Wakers gathered while a lock is held, to be woken when it no longer is.
///
/// Unbounded: as many as wait for the one thing that happened; the first 32 need no heap.
/// An empty one costs nothing to make or to drop: there is one in each turn of a driver.
pub struct WakeList {
    /// The first `inline_len` are wakers.
    inline: [MaybeUninit<Waker>; INLINE],
    inline_len: usize,
    spilled: Vec<Waker>,
}

impl WakeList {
    /// An empty list.
    pub const fn new() -> Self {
        Self {
            inline: [const { MaybeUninit::uninit() }; INLINE],
            inline_len: 0,
            spilled: Vec::new(),
        }
    }

    /// Whether there is nobody to wake.
    pub fn is_empty(&self) -> bool {
        self.inline_len == 0
    }

    /// How many wakers are in the list.
    pub fn len(&self) -> usize {
        self.inline_len + self.spilled.len()
    }

    /// Appends a waker.
    #[inline]
    pub fn push(&mut self, waker: Waker) {
        ahead::fetch(waker.data());
        match self.inline.get_mut(self.inline_len) {
            Some(slot) => {
                slot.write(waker);
                self.inline_len += 1;
            }
            None => self.spilled.push(waker),
        }
    }

    /// Appends a waker, if there is one.
    #[inline]
    pub fn extend(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.push(waker);
        }
    }

    /// Wakes all, in the order of [`push`](Self::push), and leaves the list empty.
    ///
    /// # Panics
    /// When wakers panic, as the first of them; the others have been woken all the same.
    pub fn wake_all(&mut self) {
        /// Goes on where a panicking waker stopped.
        struct Rest<'a> {
            /// Wakers, each of which is this one's.
            inline: std::slice::Iter<'a, MaybeUninit<Waker>>,
            spilled: std::vec::IntoIter<Waker>,
        }

        impl Rest<'_> {
            fn wake(&mut self) {
                for waker in self.inline.by_ref() {
                    // SAFETY: it is one, as said above, and the iterator has left it behind.
                    unsafe { waker.assume_init_read() }.wake();
                }
                for waker in self.spilled.by_ref() {
                    waker.wake();
                }
            }
        }

        impl Drop for Rest<'_> {
            fn drop(&mut self) {
                // One panic is under way if there are any left; a second one that leaves this
                // function would abort the process. Bounded: each turn leaves one behind at least.
                while self.inline.len() + self.spilled.len() > 0 {
                    quietly(|| self.wake());
                }
            }
        }

        // From here on the list has none of them, whatever becomes of the `Rest`.
        let len = std::mem::take(&mut self.inline_len);
        Rest {
            inline: self.inline[..len].iter(),
            spilled: std::mem::take(&mut self.spilled).into_iter(),
        }
        .wake();
    }
}

impl WakeList {
    /// Like [`wake_all`](Self::wake_all), for callers that must go on: a waker that panics has
    /// been reported by the panic hook, and is left at that.
    pub fn wake_quietly(&mut self) {
        quietly(|| self.wake_all());
    }
}

impl Drop for WakeList {
    fn drop(&mut self) {
        if self.inline_len == 0 {
            return;
        }
        for waker in &mut self.inline[..self.inline_len] {
            // SAFETY: the first `inline_len` are wakers, and nobody uses the list after this.
            // A waker whose drop panics leaves those after it undropped.
            unsafe { waker.assume_init_drop() };
        }
    }
}

impl std::fmt::Debug for WakeList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WakeList")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

impl Default for WakeList {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::{Arc, Mutex};
    use std::task::Wake;

    struct Note(usize, Arc<Mutex<Vec<usize>>>);

    impl Wake for Note {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
            if self.0 % 10 == 7 {
                std::panic::resume_unwind(Box::new(self.0));
            }
        }
    }

    #[test]
    fn wakes_all_in_order_though_some_panic() {
        let woken = Arc::new(Mutex::new(Vec::new()));
        let mut list = WakeList::new();
        for i in 0..40 {
            list.push(Waker::from(Arc::new(Note(i, woken.clone()))));
        }
        assert_eq!(list.len(), 40);
        let panic = catch_unwind(AssertUnwindSafe(|| list.wake_all())).unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&7_usize));
        assert_eq!(*woken.lock().unwrap(), (0..40).collect::<Vec<_>>());
        assert!(list.is_empty());
        list.push(Waker::noop().clone());
        assert_eq!(list.len(), 1);
    }

    #[test]
    fn a_list_that_is_dropped_drops_its_wakers() {
        let woken = Arc::new(Mutex::new(Vec::new()));
        for len in [0, 1, 40] {
            let mut list = WakeList::new();
            for i in 0..len {
                list.push(Waker::from(Arc::new(Note(i, woken.clone()))));
            }
            assert_eq!(Arc::strong_count(&woken), 1 + len);
            drop(list);
            assert_eq!(Arc::strong_count(&woken), 1);
        }
        assert!(woken.lock().unwrap().is_empty());
    }
}
