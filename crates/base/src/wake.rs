//! A list of wakers, gathered under a lock and woken after it: [`WakeList`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Wakers that one list holds without a heap allocation.
const INLINE: usize = 32;

/// Wakers gathered while a lock is held, to be woken when it no longer is.
///
/// Unbounded: as many as wait for the one thing that happened; the first 32 need no heap.
#[derive(Debug)]
pub struct WakeList {
    inline: [Option<Waker>; INLINE],
    inline_len: usize,
    spilled: Vec<Waker>,
}

impl WakeList {
    /// An empty list.
    pub const fn new() -> Self {
        Self {
            inline: [const { None }; INLINE],
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
    pub fn push(&mut self, waker: Waker) {
        match self.inline.get_mut(self.inline_len) {
            Some(slot) => {
                *slot = Some(waker);
                self.inline_len += 1;
            }
            None => self.spilled.push(waker),
        }
    }

    /// Appends a waker, if there is one.
    pub fn extend(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.push(waker);
        }
    }

    /// Wakes all, in the order of [`push`](Self::push), and leaves the list empty.
    ///
    /// # Panics
    /// When a waker panics; the others have been woken all the same.
    pub fn wake_all(&mut self) {
        /// Goes on where a panicking waker stopped.
        struct Rest<'a> {
            inline: std::slice::IterMut<'a, Option<Waker>>,
            spilled: std::vec::Drain<'a, Waker>,
        }

        impl Rest<'_> {
            fn wake(&mut self) {
                while let Some(waker) = self.inline.next().and_then(Option::take) {
                    waker.wake();
                }
                for waker in self.spilled.by_ref() {
                    waker.wake();
                }
            }
        }

        impl Drop for Rest<'_> {
            fn drop(&mut self) {
                self.wake();
            }
        }

        let len = std::mem::take(&mut self.inline_len);
        Rest {
            inline: self.inline[..len].iter_mut(),
            spilled: self.spilled.drain(..),
        }
        .wake();
    }
}

impl WakeList {
    /// Like [`wake_all`](Self::wake_all), for callers that must go on: a waker that panics has
    /// been reported by the panic hook, and is left at that.
    pub fn wake_quietly(&mut self) {
        let _ = catch_unwind(AssertUnwindSafe(|| self.wake_all()));
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
    use std::sync::{Arc, Mutex};
    use std::task::Wake;

    struct Note(usize, Arc<Mutex<Vec<usize>>>);

    impl Wake for Note {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
            if self.0 == 7 {
                std::panic::resume_unwind(Box::new("seven"));
            }
        }
    }

    #[test]
    fn wakes_all_in_order_though_one_panics() {
        let woken = Arc::new(Mutex::new(Vec::new()));
        let mut list = WakeList::new();
        for i in 0..40 {
            list.push(Waker::from(Arc::new(Note(i, woken.clone()))));
        }
        assert_eq!(list.len(), 40);
        assert!(catch_unwind(AssertUnwindSafe(|| list.wake_all())).is_err());
        assert_eq!(*woken.lock().unwrap(), (0..40).collect::<Vec<_>>());
        assert!(list.is_empty());
        list.push(Waker::noop().clone());
        assert_eq!(list.len(), 1);
    }
}
