//! A block of slots of an mpsc queue: [`Block`].
//!
//! Who may touch what is decided by `list.rs`, which names the right in each call; this file
//! holds the fields and their orderings.

use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use yamanote_base::atomic::{AtomicBool, AtomicPtr, AtomicUsize, IN_MODEL, Ordering, UnsafeCell};

/// Slots in a block; a power of two.
const SLOTS: usize = if IN_MODEL { 2 } else { 32 };

/// The distance between two positions; the lowest bit of a position is free for marks.
pub(super) const STEP: usize = 2;

/// The distance between the first positions of two consecutive blocks.
const LAP: usize = SLOTS * STEP;

/// A block of slots for consecutive positions.
pub(super) struct Block<T> {
    /// The position of the first slot; changed only while nobody else has the block.
    start: AtomicUsize,
    /// The block behind this one; null until a sender needs it.
    next: AtomicPtr<Block<T>>,
    /// 0 as long as a sender may find the block through the hint; else the position, with the
    /// lowest bit set, before which every sender that still may touch the block has its slot.
    retired_at: AtomicUsize,
    /// Whether a slot holds a value to be read.
    filled: [AtomicBool; SLOTS],
    /// A slot is written by the one sender that claimed its position, then read by the receiver.
    slots: [UnsafeCell<MaybeUninit<T>>; SLOTS],
}

/// The position of the first slot of the block that `position` is in.
pub(super) const fn start_of(position: usize) -> usize {
    position & !(LAP - 1)
}

const fn offset_of(position: usize) -> usize {
    (position & (LAP - 1)) / STEP
}

impl<T> Block<T> {
    /// So many blocks may wait behind the receiver's to be filled again: what a burst has left
    /// behind beyond that is freed. 16 KiB, or four.
    pub(super) const KEPT: usize = match (16 << 10) / size_of::<Self>() {
        _ if IN_MODEL => 1,
        kept @ 5.. => kept,
        _ => 4,
    };

    /// An empty block that begins at `start`; the caller frees it with [`free`](Self::free).
    pub(super) fn allocate(start: usize) -> NonNull<Self> {
        // Made in place: on the stack, a block of large values would not fit.
        let mut memory = Box::<Self>::new_uninit();
        let block = memory.as_mut_ptr();
        // SAFETY: `block` points to memory of this type; no reference to it exists.
        let start_field = unsafe { &raw mut (*block).start };
        // SAFETY: as above, in this and the fields below.
        unsafe { start_field.write(AtomicUsize::new(start)) };
        // SAFETY: see above.
        let next_field = unsafe { &raw mut (*block).next };
        // SAFETY: see above.
        unsafe { next_field.write(AtomicPtr::new(ptr::null_mut())) };
        // SAFETY: see above.
        let retired_field = unsafe { &raw mut (*block).retired_at };
        // SAFETY: see above.
        unsafe { retired_field.write(AtomicUsize::new(0)) };
        for i in 0..SLOTS {
            // SAFETY: see above; `i` is within the arrays.
            let filled = unsafe { &raw mut (*block).filled[i] };
            // SAFETY: see above.
            unsafe { filled.write(AtomicBool::new(false)) };
            // SAFETY: see above.
            let slot = unsafe { &raw mut (*block).slots[i] };
            // SAFETY: see above.
            unsafe { slot.write(UnsafeCell::new(MaybeUninit::uninit())) };
        }
        // SAFETY: every field was written.
        NonNull::from(Box::leak(unsafe { memory.assume_init() }))
    }

    /// Frees a block.
    ///
    /// # Safety
    /// `block` comes from [`allocate`](Self::allocate), nobody else has it, and it is not used
    /// afterwards. Values still in it are leaked.
    pub(super) unsafe fn free(block: NonNull<Self>) {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(block.as_ptr()) });
    }

    /// The position of the first slot.
    pub(super) fn start(&self) -> usize {
        // Relaxed: written before the block was linked; who has the block acquired that link.
        self.start.load(Ordering::Relaxed)
    }

    /// How many blocks this one is behind `other`.
    pub(super) fn blocks_behind(&self, other: &Self) -> usize {
        self.start().wrapping_sub(other.start()) / LAP
    }

    /// The block behind this one, if it is there already.
    pub(super) fn next(&self) -> Option<NonNull<Self>> {
        // Acquire: pairs with the Release in link(); shows the new block's fields.
        NonNull::new(self.next.load(Ordering::Acquire))
    }

    /// Links `fresh` behind this block, unless there is one: then that one is returned.
    ///
    /// # Safety
    /// `fresh` is empty, and nobody else has it.
    pub(super) unsafe fn link(&self, fresh: NonNull<Self>) -> Result<(), NonNull<Self>> {
        // SAFETY: nobody frees it: the caller has it alone.
        let start_field = unsafe { &fresh.as_ref().start };
        // Relaxed: published by the exchange below.
        start_field.store(self.start().wrapping_add(LAP), Ordering::Relaxed);
        // AcqRel: Release pairs with the Acquire in next(); Acquire, as that, shows the fields of
        // the block that another thread has linked.
        let linked = self.next.compare_exchange(
            ptr::null_mut(),
            fresh.as_ptr(),
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        match linked {
            Ok(_) => Ok(()),
            Err(next) => Err(NonNull::new(next).expect("the exchange fails for a linked block")),
        }
    }

    /// Whether every slot was filled (and perhaps emptied).
    pub(super) fn is_full(&self) -> bool {
        // Acquire: pairs with the Release in write(); those who filled the slots are done here.
        self.filled
            .iter()
            .all(|filled| filled.load(Ordering::Acquire))
    }

    /// Puts `value` at `position`, for the receiver to read.
    ///
    /// # Safety
    /// The caller alone claimed `position`, which is in this block, and writes there once. It
    /// does not touch the block afterwards.
    #[inline]
    pub(super) unsafe fn write(&self, position: usize, value: T) {
        let offset = offset_of(position);
        self.slots[offset].with_mut(|slot| {
            // SAFETY: until `filled` is set, the slot belongs to who claimed the position.
            unsafe { slot.write(MaybeUninit::new(value)) }
        });
        // Release: pairs with the Acquire in is_filled() and is_full().
        self.filled[offset].store(true, Ordering::Release);
    }

    /// Whether there is a value at `position`.
    #[inline]
    pub(super) fn is_filled(&self, position: usize) -> bool {
        // Acquire: pairs with the Release in write().
        self.filled[offset_of(position)].load(Ordering::Acquire)
    }

    /// Takes the value from `position`.
    ///
    /// # Safety
    /// The slot [is filled](Self::is_filled); the caller is the receiver, and reads there once.
    #[inline]
    pub(super) unsafe fn read(&self, position: usize) -> T {
        self.slots[offset_of(position)].with(|slot| {
            // SAFETY: once `filled` is set, the slot belongs to the receiver.
            let slot = unsafe { &*slot };
            // SAFETY: `write` left a value there, and the caller reads it once.
            unsafe { slot.assume_init_read() }
        })
    }

    /// Notes that no sender will find this block any more but those with a slot before `position`.
    pub(super) fn retire(&self, position: usize) {
        // Release: pairs with the Acquire in retired_at().
        self.retired_at.store(position | 1, Ordering::Release);
    }

    /// The position noted by [`retire`](Self::retire).
    pub(super) fn retired_at(&self) -> Option<usize> {
        // Acquire: pairs with the Release in retire(): its caller is past the change of the hint.
        let mark = self.retired_at.load(Ordering::Acquire);
        (mark != 0).then_some(mark & !1)
    }

    /// Makes the block as good as new.
    pub(super) fn reset(&mut self) {
        // Relaxed: the exclusive borrow orders it; the block is published anew by a Release.
        for filled in &self.filled {
            filled.store(false, Ordering::Relaxed);
        }
        self.next.store(ptr::null_mut(), Ordering::Relaxed);
        self.retired_at.store(0, Ordering::Relaxed);
    }
}
