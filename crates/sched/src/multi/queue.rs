//! The local run queue of one worker: a ring with one owner and any number of thieves.
//!
//! The owner pushes at `tail`; everybody, the owner too, takes at `head`, by moving it forward
//! with one compare-and-swap. (Go's `runq` works so, after Arora, Blumofe, Plaxton, 1998.)
//!
//! | word | who writes | what it says |
//! |---|---|---|
//! | `tail` | the owner | slots below it hold items, once it is stored with Release |
//! | `head` | whoever takes, by CAS | slots below it are free again |
//! | `slots[i]` | the owner, while `tail - head < LEN` | the item; garbage outside `head..tail` |
//!
//! Why a thief may copy first and claim afterwards: the owner overwrites the slot of position `p`
//! only when `head` has passed `p`. So if the thief's CAS finds `head` as the thief read it, no
//! slot from there to `tail` was overwritten in between, and the copies are the items. If it
//! fails, the copies are forgotten; they are plain words, so forgetting them is free. Positions
//! are 64 bits wide and never wrap round in a machine's life, so there is no ABA.

use std::ptr;

use yamanote_base::ahead;
use yamanote_base::atomic::{Arc, AtomicPtr, AtomicU64, IN_MODEL, Ordering};
use yamanote_base::cell_pool;

/// Slots of a ring; a power of two.
pub const LEN: usize = if IN_MODEL { 4 } else { 256 };

/// Something that travels through a ring as one pointer.
pub trait Item: Send + Sized {
    /// Gives the item up for its pointer.
    fn into_raw(self) -> *mut ();

    /// The item behind `raw`.
    ///
    /// # Safety
    /// `raw` came from [`into_raw`](Self::into_raw) and is used once.
    unsafe fn from_raw(raw: *mut ()) -> Self;

    /// Has its memory [fetched](ahead), which will be used soon.
    fn fetch(&self) {}
}

/// How far behind the item that is taken that one is which is fetched: so much ahead that it is
/// there in time, and not so far that it is gone again.
pub(crate) const AHEAD: usize = 2;

/// How much of such an item is fetched from a ring, where there is no asking it for its size.
const LINES: usize = 8;

struct Ring {
    head: AtomicU64,
    tail: AtomicU64,
    slots: Box<[AtomicPtr<()>]>,
}

/// The owner's end of a ring.
pub struct Local<T: Item> {
    ring: Arc<Ring>,
    _items: std::marker::PhantomData<T>,
}

/// A thief's end of a ring.
pub struct Steal<T: Item> {
    ring: Arc<Ring>,
    _items: std::marker::PhantomData<fn() -> T>,
}

/// A new, empty ring.
#[must_use]
pub fn ring<T: Item>() -> (Local<T>, Steal<T>) {
    let slots = (0..LEN).map(|_| AtomicPtr::new(ptr::null_mut())).collect();
    let ring = Arc::new(Ring {
        head: AtomicU64::new(0),
        tail: AtomicU64::new(0),
        slots,
    });
    let local = Local {
        ring: ring.clone(),
        _items: std::marker::PhantomData,
    };
    (
        local,
        Steal {
            ring,
            _items: std::marker::PhantomData,
        },
    )
}

impl Ring {
    fn slot(&self, position: u64) -> &AtomicPtr<()> {
        // The remainder is below LEN, so the cast loses nothing.
        &self.slots[(position % LEN as u64) as usize]
    }

    /// Copies up to `most` items (of `share` of what is there) and claims them.
    fn take(&self, share: impl Fn(u64) -> u64, mut copy: impl FnMut(u64, *mut ())) -> u64 {
        loop {
            // Acquire: pairs with the Release of other takers, so that `tail`, read next, is
            // never behind `head`.
            let head = self.head.load(Ordering::Acquire);
            // Acquire: pairs with the Release of the owner's push; the slots are filled.
            let tail = self.tail.load(Ordering::Acquire);
            let count = share(tail.saturating_sub(head));
            if count == 0 {
                return 0;
            }
            for i in 0..count {
                // Relaxed: ordered by `tail` above; if overwritten since, the CAS fails.
                copy(i, self.slot(head + i).load(Ordering::Relaxed));
            }
            // Release: pairs with the owner's Acquire in room(); the copies were made before the
            // slots are free. Failure: everything is read anew.
            let claimed =
                self.head
                    .compare_exchange(head, head + count, Ordering::AcqRel, Ordering::Relaxed);
            if claimed.is_ok() {
                return count;
            }
        }
    }

    fn len(&self) -> u64 {
        // Acquire on head first: as in take(), so that the difference is never negative.
        let head = self.head.load(Ordering::Acquire);
        self.tail.load(Ordering::Acquire).saturating_sub(head)
    }
}

impl<T: Item> Local<T> {
    /// How many more items fit in now; only the owner can make it less.
    fn room(&self, tail: u64) -> u64 {
        // Acquire: pairs with the Release in take(); the copies of freed slots were made.
        LEN as u64 - (tail - self.ring.head.load(Ordering::Acquire))
    }

    fn tail(&self) -> u64 {
        // Relaxed: only the owner writes it.
        self.ring.tail.load(Ordering::Relaxed)
    }

    /// Appends `item`; when the ring is full, half of it and `item` go to `overflow`, in order.
    pub fn push(&mut self, item: T, overflow: impl FnMut(T)) {
        let tail = self.tail();
        if self.room(tail) == 0 {
            return self.spill(item, overflow);
        }
        // Relaxed: published by the store of `tail`.
        self.ring
            .slot(tail)
            .store(item.into_raw(), Ordering::Relaxed);
        // Release: pairs with the Acquire in take(); publishes the slot and the item.
        self.ring.tail.store(tail + 1, Ordering::Release);
    }

    #[cold]
    fn spill(&mut self, item: T, mut overflow: impl FnMut(T)) {
        let mut copies = [ptr::null_mut(); LEN / 2];
        let count = self.ring.take(
            |there| there.min(LEN as u64 / 2),
            |i, raw| copies[i as usize] = raw,
        );
        for raw in &copies[..count as usize] {
            // SAFETY: take() claimed exactly these, so each is here alone.
            overflow(unsafe { T::from_raw(*raw) });
        }
        overflow(item);
    }

    /// Takes the oldest item.
    pub fn pop(&mut self) -> Option<T> {
        let mut copied = ptr::null_mut();
        let count = self.ring.take(|there| there.min(1), |_, raw| copied = raw);
        if cell_pool::is_vast() {
            self.fetch_ahead();
        }
        // SAFETY: take() claimed it, so it is here alone.
        (count == 1).then(|| unsafe { T::from_raw(copied) })
    }

    /// Has what will be taken soon fetched, after something was taken.
    #[cold]
    fn fetch_ahead(&self) {
        // Relaxed: a hint. If thieves take it, it was in vain.
        let head = self.ring.head.load(Ordering::Relaxed);
        let slot = self.ring.slot(head + AHEAD as u64 - 1);
        // No more is known of it: a thief may have run it by now.
        ahead::fetch_lines(slot.load(Ordering::Relaxed), LINES);
    }

    /// How many items are in the ring.
    pub fn len(&self) -> usize {
        self.ring.len() as usize
    }

    /// Whether the ring is empty.
    pub fn is_empty(&self) -> bool {
        self.ring.len() == 0
    }
}

impl<T: Item> Drop for Local<T> {
    fn drop(&mut self) {
        while self.pop().is_some() {}
    }
}

impl<T: Item> Steal<T> {
    /// Takes half of the items, rounded up: one is returned, the others go to `thief`, whose
    /// ring must be empty.
    ///
    /// Returns the item and how many were taken in all.
    pub fn steal_into(&self, thief: &mut Local<T>) -> Option<(T, usize)> {
        debug_assert!(
            thief.is_empty(),
            "a worker steals when it has nothing of its own"
        );
        let tail = thief.tail();
        let mut first = ptr::null_mut();
        let room = thief.room(tail);
        let count = self.ring.take(
            |there| there.div_ceil(2).min(room),
            |i, raw| match i {
                0 => first = raw,
                // Relaxed: beyond the thief's tail, where nobody looks before the store below.
                _ => thief.ring.slot(tail + i - 1).store(raw, Ordering::Relaxed),
            },
        );
        if count == 0 {
            return None;
        }
        if count > 1 {
            // Release: as in push().
            thief.ring.tail.store(tail + count - 1, Ordering::Release);
        }
        // SAFETY: take() claimed it, so it is here alone.
        Some((unsafe { T::from_raw(first) }, count as usize))
    }

    /// How many items are in the ring, at a glance.
    pub fn len(&self) -> usize {
        self.ring.len() as usize
    }

    /// Whether the ring is empty, at a glance.
    pub fn is_empty(&self) -> bool {
        self.ring.len() == 0
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::Barrier;

    impl Item for Box<usize> {
        fn into_raw(self) -> *mut () {
            Box::into_raw(self).cast()
        }

        unsafe fn from_raw(raw: *mut ()) -> Self {
            // SAFETY: by the trait's contract it came from `into_raw`.
            unsafe { Box::from_raw(raw.cast()) }
        }
    }

    #[test]
    fn the_ring_is_first_in_first_out_and_spills_its_older_half() {
        let (mut local, _) = ring();
        let mut spilled = Vec::new();
        for i in 0..=LEN {
            local.push(Box::new(i), |item| spilled.push(*item));
        }
        let mut expected: Vec<_> = (0..LEN / 2).collect();
        expected.push(LEN);
        assert_eq!(spilled, expected);
        assert_eq!(local.pop(), Some(Box::new(LEN / 2)));
    }

    /// Steals until nothing is left after `done` was set; gives what was stolen.
    fn steal_until(steal: &Steal<Box<usize>>, done: &std::sync::atomic::AtomicBool) -> Vec<usize> {
        let (mut mine, _) = ring();
        let mut seen = Vec::new();
        while !done.load(Ordering::Acquire) || !steal.is_empty() {
            seen.extend(steal.steal_into(&mut mine).map(|(item, _)| *item));
            while let Some(item) = mine.pop() {
                seen.push(*item);
            }
        }
        seen
    }

    #[test]
    fn every_item_is_taken_once_by_owner_or_thieves() {
        const ITEMS: usize = 200_000;
        let (mut local, steal) = ring::<Box<usize>>();
        let steal = Arc::new(steal);
        let start = Arc::new(Barrier::new(3));
        let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let thieves: Vec<_> = (0..2)
            .map(|_| {
                let (steal, start, done) = (steal.clone(), start.clone(), done.clone());
                std::thread::spawn(move || {
                    start.wait();
                    steal_until(&steal, &done)
                })
            })
            .collect();
        start.wait();
        let mut seen = Vec::new();
        for i in 0..ITEMS {
            local.push(Box::new(i), |item| seen.push(*item));
            if i % 3 == 0 {
                seen.extend(local.pop().map(|item| *item));
            }
        }
        done.store(true, Ordering::Release);
        while let Some(item) = local.pop() {
            seen.push(*item);
        }
        for thief in thieves {
            seen.extend(thief.join().unwrap());
        }
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..ITEMS));
    }
}
