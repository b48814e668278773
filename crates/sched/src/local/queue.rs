//! The queue of a scheduler of one thread: [`Queue`].
//!
//! It is used by the thread that has it, and calls nobody while it is; so it needs no borrow that
//! is counted. Its length is a power of two: a position becomes a place by a mask.

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr;

use yamanote_base::cell_pool;

use crate::burst;
use crate::multi::queue::{AHEAD, Item};

/// How many items it has room for at first.
const LEN: usize = 64;

/// Room for an item, as a word.
type Place = Cell<*mut ()>;

/// Items in the order in which they came.
///
/// There is one in each place from `head` to `tail`; both only grow, and wrap around.
pub(super) struct Queue<T: Item> {
    places: UnsafeCell<Box<[Place]>>,
    head: Cell<usize>,
    tail: Cell<usize>,
    _items: PhantomData<T>,
}

// SAFETY: the words are items that it owns, which are `Send`.
unsafe impl<T: Item> Send for Queue<T> {}

impl<T: Item> Queue<T> {
    pub(super) fn new() -> Self {
        Self::with_places_for(LEN)
    }

    /// An empty queue with `len` places, a power of two.
    fn with_places_for(len: usize) -> Self {
        assert!(len.is_power_of_two(), "a mask of positions is needed");
        let places = (0..len).map(|_| Cell::new(ptr::null_mut()));
        Self {
            places: UnsafeCell::new(places.collect()),
            head: Cell::new(0),
            tail: Cell::new(0),
            _items: PhantomData,
        }
    }

    #[inline(always)]
    fn with_places<R>(&self, f: impl FnOnce(&[Place]) -> R) -> R {
        // SAFETY: they are replaced by `swap` only, which no `f` calls: all are in this file. No
        // other thread is here, for the queue is not `Sync`.
        f(unsafe { &*self.places.get() })
    }

    #[inline(always)]
    fn with_place<R>(&self, position: usize, f: impl FnOnce(&Place) -> R) -> R {
        self.with_places(|places| {
            let index = position & (places.len() - 1);
            // SAFETY: the length is a power of two, so the index is less.
            f(unsafe { places.get_unchecked(index) })
        })
    }

    /// How many items it has room for.
    #[inline]
    fn capacity(&self) -> usize {
        self.with_places(<[Place]>::len)
    }

    #[inline]
    fn len(&self) -> usize {
        self.tail.get().wrapping_sub(self.head.get())
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.tail.get() == self.head.get()
    }

    /// Appends `item`.
    #[inline]
    pub(super) fn push(&self, item: T) {
        // A word from here on, so that there is nothing to drop if memory is out.
        let item = item.into_raw();
        if self.len() == self.capacity() {
            self.resize(2 * self.len());
        }
        let tail = self.tail.get();
        self.with_place(tail, |place| place.set(item));
        self.tail.set(tail.wrapping_add(1));
    }

    /// Takes the oldest item.
    #[inline]
    pub(super) fn pop(&self) -> Option<T> {
        let head = self.head.get();
        if head == self.tail.get() {
            return None;
        }
        self.head.set(head.wrapping_add(1));
        let item = self.with_place(head, Cell::get);
        if cell_pool::is_vast() {
            self.fetch_ahead(head);
        }
        // SAFETY: `push` has put it there. The place lies before the head now: it is used once.
        Some(unsafe { T::from_raw(item) })
    }

    /// Has an item fetched that will be taken soon, when the one at `head` is.
    #[cold]
    fn fetch_ahead(&self, head: usize) {
        if self.tail.get().wrapping_sub(head) > AHEAD {
            let item = self.with_place(head.wrapping_add(AHEAD), Cell::get);
            // SAFETY: `push` has put it there, and it stays there: this one is not dropped.
            ManuallyDrop::new(unsafe { T::from_raw(item) }).fetch();
        }
    }

    /// Moves the items of `other` behind those that are here.
    pub(super) fn append(&self, other: &Self) {
        while let Some(item) = other.pop() {
            self.push(item);
        }
    }

    /// Exchanges the items of both.
    pub(super) fn swap(&self, other: &Self) {
        self.head.swap(&other.head);
        self.tail.swap(&other.tail);
        // SAFETY: both are this thread's, and nobody borrows from them now: see with_places().
        unsafe { ptr::swap(self.places.get(), other.places.get()) };
    }

    /// Gives memory back that a burst took, if what came has gone.
    pub(super) fn forget_burst(&self) {
        if self.is_empty() && self.capacity() > burst::KEPT {
            self.resize(burst::KEPT);
        }
    }

    /// Moves the items to so many places, in which there is room for them.
    #[cold]
    #[inline(never)]
    fn resize(&self, len: usize) {
        let resized = Self::with_places_for(len);
        resized.append(self);
        self.swap(&resized);
    }
}

impl<T: Item> Drop for Queue<T> {
    fn drop(&mut self) {
        while let Some(item) = self.pop() {
            drop(item);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Arc;

    impl Item for Arc<usize> {
        fn into_raw(self) -> *mut () {
            Arc::into_raw(self).cast_mut().cast()
        }

        unsafe fn from_raw(raw: *mut ()) -> Self {
            // SAFETY: by the trait's contract it came from `into_raw`.
            unsafe { Arc::from_raw(raw.cast()) }
        }
    }

    fn numbers(queue: &Queue<Arc<usize>>) -> Vec<usize> {
        std::iter::from_fn(|| queue.pop())
            .map(|item| *item)
            .collect()
    }

    #[test]
    fn items_keep_their_order_while_the_queue_grows_from_any_position() {
        for before in 0..LEN + 2 {
            let queue = Queue::new();
            (0..before).for_each(|number| queue.push(Arc::new(number)));
            assert_eq!(numbers(&queue).len(), before);
            (0..5 * LEN).for_each(|number| queue.push(Arc::new(number)));
            assert_eq!(queue.pop().as_deref(), Some(&0));
            queue.push(Arc::new(5 * LEN));
            assert_eq!(numbers(&queue), Vec::from_iter(1..=5 * LEN));
            assert!(queue.is_empty() && queue.pop().is_none());
        }
    }

    #[test]
    fn positions_wrap_around() {
        let queue = Queue::new();
        queue.head.set(usize::MAX - 3);
        queue.tail.set(usize::MAX - 3);
        (0..LEN + 1).for_each(|number| queue.push(Arc::new(number)));
        assert_eq!(numbers(&queue), Vec::from_iter(0..=LEN));
    }

    #[test]
    fn two_queues_become_one_and_exchange_places() {
        let (one, two) = (Queue::new(), Queue::new());
        (0..3).for_each(|number| one.push(Arc::new(number)));
        (3..3 + LEN).for_each(|number| two.push(Arc::new(number)));
        one.append(&two);
        one.swap(&two);
        assert!(one.is_empty());
        assert_eq!(numbers(&two), Vec::from_iter(0..3 + LEN));
    }

    #[test]
    fn a_burst_is_forgotten_and_what_is_left_is_dropped() {
        let queue = Queue::new();
        let item = Arc::new(0);
        (0..4 * burst::KEPT).for_each(|_| queue.push(item.clone()));
        queue.forget_burst();
        assert_eq!(queue.capacity(), 4 * burst::KEPT);
        while queue.len() > 1 {
            queue.pop();
        }
        assert_eq!(Arc::strong_count(&item), 2);
        queue.pop();
        queue.forget_burst();
        assert_eq!(queue.capacity(), burst::KEPT);
        queue.push(item.clone());
        drop(queue);
        assert_eq!(Arc::strong_count(&item), 1);
    }
}
