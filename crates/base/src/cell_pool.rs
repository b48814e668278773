//! Memory of what ended (tasks, oneshot channels), kept for what is to come: each thread has a pool
//! of its own.
//!
//! A block goes to the pool of the thread that frees it, so there is no lock. Where one thread
//! spawns and another frees, the pool of the second fills up to its bound, and the rest goes back
//! to the source that all share, some blocks at a time.

mod chain;
mod source;

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr::NonNull;

use crate::atomic::IN_MODEL;
use chain::{Chain, Link};

/// Where a block begins is a multiple of this.
const ALIGN: usize = 16;

/// Memory for a value.
#[derive(Debug)]
pub struct Block {
    place: NonNull<u8>,
    class: SizeClass,
}

/// A size of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeClass {
    /// How many bytes a block has.
    pub bytes: usize,
    /// Its place among [`CLASSES`].
    pub index: usize,
}

/// Sizes up to the first number of bytes are apart by the second: small tasks, of which there may
/// be very many, waste nothing, large ones a fifth at most.
const STEPS: [(usize, usize); 4] = [(256, 8), (512, 16), (2048, 128), (8192, 512)];

/// How many sizes there are; larger blocks are not kept.
pub const CLASSES: usize = 32 + 16 + 12 + 12;

/// Bytes that a thread keeps at most: a thousand tasks of a common size (256 to 512 bytes).
pub const BYTES_MAX: usize = 512 * 1024;

/// What a thread exchanges with the source at a time: so many blocks, of so many bytes, at most.
const BATCH: usize = 16;
const BATCH_BYTES: usize = 16 * 1024;

/// Room for a `T`, from the pool if that keeps blocks of its size; given back when dropped. What is
/// put there is dropped by whoever puts it there.
#[derive(Debug)]
pub struct Room<T>(NonNull<MaybeUninit<T>>);

thread_local! {
    static POOL: CellPool = const { CellPool::new() };
}

struct CellPool {
    /// By size class: the block that was given last.
    last: [Cell<Link>; CLASSES],
    bytes: Cell<usize>,
}

impl CellPool {
    const fn new() -> Self {
        Self {
            last: [const { Cell::new(None) }; CLASSES],
            bytes: Cell::new(0),
        }
    }

    #[inline]
    fn take(&self, class: SizeClass) -> Option<Block> {
        let last = &self.last[class.index];
        let place = last.get()?;
        // SAFETY: `keep` left a link there, and has had the block alone since.
        last.set(unsafe { place.cast::<Link>().read() });
        self.bytes.set(self.bytes.get() - class.bytes);
        // SAFETY: it came to `keep` as a block of this class, and has left the list.
        Some(unsafe { Block::from_raw(place, class) })
    }

    /// Keeps the block at `place`, or says that there are enough.
    ///
    /// # Safety
    /// It is that of a block of this class, and is given away if this returns `true`.
    #[inline]
    unsafe fn keep(&self, class: SizeClass, place: NonNull<u8>) -> bool {
        let bytes = self.bytes.get() + class.bytes;
        if bytes > BYTES_MAX {
            return false;
        }
        self.bytes.set(bytes);
        let last = &self.last[class.index];
        // SAFETY: a block has room for a link, and is aligned for it.
        unsafe { place.cast::<Link>().write(last.get()) };
        last.set(Some(place));
        true
    }

    /// A block from the source; others that come with it are kept.
    fn fill(&self, class: SizeClass) -> Block {
        let room = (BYTES_MAX - self.bytes.get()) / class.bytes;
        let mut blocks = source::take(class, 1 + room.min(class.batch()));
        let block = blocks.pop().expect("the source has given one");
        while let Some(more) = blocks.pop() {
            let place = more.into_raw();
            // SAFETY: it is a block of this class, for which there is room.
            let kept = unsafe { self.keep(class, place) };
            debug_assert!(kept, "the room was counted");
        }
        block
    }

    /// Gives `block` to the source, and some of its size that were kept, lest the next does too.
    fn spill(&self, block: Block) {
        let class = block.class;
        let mut blocks = Chain::of(block);
        for _ in 0..class.batch() {
            let Some(kept) = self.take(class) else { break };
            blocks.push(kept);
        }
        source::give(blocks);
    }
}

impl Drop for CellPool {
    fn drop(&mut self) {
        for class in SizeClass::all() {
            // Bounded by what is kept.
            while let Some(block) = self.take(class) {
                drop(block);
            }
        }
    }
}

impl Block {
    /// A block of its own.
    fn allocate(class: SizeClass) -> Self {
        let layout = class.layout();
        // SAFETY: no class is of no bytes.
        let place = unsafe { alloc(layout) };
        match NonNull::new(place) {
            Some(place) => Self { place, class },
            None => handle_alloc_error(layout),
        }
    }

    /// Gives it to the allocator, where it is of its own.
    fn deallocate(self) {
        let layout = self.class.layout();
        // SAFETY: `allocate` had it with this layout.
        unsafe { dealloc(self.into_raw().as_ptr(), layout) };
    }

    /// Where it is. The block is lost, unless it is made of this pointer again.
    #[must_use]
    #[inline]
    pub fn into_raw(self) -> NonNull<u8> {
        ManuallyDrop::new(self).place
    }

    /// The block at `place`.
    ///
    /// # Safety
    /// `place` came from [`into_raw`](Self::into_raw), of a block of `class`, and is used for this
    /// once.
    #[must_use]
    #[inline]
    pub unsafe fn from_raw(place: NonNull<u8>, class: SizeClass) -> Self {
        Self { place, class }
    }
}

impl Drop for Block {
    /// Gives it to where it came from.
    #[cold]
    fn drop(&mut self) {
        // SAFETY: it is used no more as this one, which is being dropped.
        source::give(Chain::of(unsafe { Self::from_raw(self.place, self.class) }));
    }
}

impl<T> Room<T> {
    /// The blocks into which a `T` fits.
    pub const CLASS: Option<SizeClass> = match align_of::<T>() <= ALIGN {
        true => SizeClass::of(size_of::<T>()),
        false => None,
    };

    /// Room for a value.
    #[must_use]
    #[inline]
    pub fn take() -> Self {
        Self(match Self::CLASS {
            Some(class) => take(class).into_raw().cast(),
            None => NonNull::from(Box::leak(Box::<T>::new_uninit())),
        })
    }

    /// Where it is. The room is not given back, unless it is made of this pointer again.
    #[must_use]
    #[inline]
    pub fn into_raw(self) -> NonNull<T> {
        ManuallyDrop::new(self).0.cast()
    }

    /// The room at `place`.
    ///
    /// # Safety
    /// `place` came from [`into_raw`](Self::into_raw), and is used for this once.
    #[inline]
    pub unsafe fn from_raw(place: NonNull<T>) -> Self {
        Self(place.cast())
    }
}

impl<T> Drop for Room<T> {
    #[inline]
    fn drop(&mut self) {
        let Some(class) = Self::CLASS else {
            // SAFETY: `take` leaked it from a box of this type.
            drop(unsafe { Box::from_raw(self.0.as_ptr()) });
            return;
        };
        // SAFETY: `take` had it from a block of this class.
        give(unsafe { Block::from_raw(self.0.cast(), class) });
    }
}

impl SizeClass {
    /// The blocks for `bytes`; `None` if such blocks are not kept.
    pub const fn of(bytes: usize) -> Option<Self> {
        // The model checker finds uses of freed memory only if it is freed.
        if bytes == 0 || IN_MODEL {
            return None;
        }
        let (mut row, mut below, mut index) = (0, 0, 0);
        while row < STEPS.len() {
            let (limit, step) = STEPS[row];
            if bytes <= limit {
                let steps = (bytes - below).div_ceil(step);
                let bytes = below + steps * step;
                index += steps - 1;
                return Some(Self { bytes, index });
            }
            index += (limit - below) / step;
            below = limit;
            row += 1;
        }
        None
    }

    /// All classes, by their index.
    pub fn all() -> impl Iterator<Item = Self> {
        let rows = STEPS.iter().scan(0, |below, &(limit, step)| {
            let begin = std::mem::replace(below, limit);
            Some((begin..limit).step_by(step).map(move |below| below + step))
        });
        let rows = rows.flatten().enumerate();
        rows.map(|(index, bytes)| Self { bytes, index })
    }

    /// How many blocks are exchanged with the source at a time, beside the one that is wanted.
    fn batch(self) -> usize {
        BATCH.min(BATCH_BYTES / self.bytes)
    }

    #[inline]
    fn layout(self) -> Layout {
        Layout::from_size_align(self.bytes, ALIGN).expect("the largest class is small")
    }
}

/// Whether there are so many blocks of some size that what is to be used soon is better fetched
/// [ahead](crate::ahead).
#[must_use]
#[inline(always)]
pub fn is_vast() -> bool {
    source::is_vast()
}

/// A block of `class`.
#[inline]
pub fn take(class: SizeClass) -> Block {
    match POOL.try_with(|pool| pool.take(class)) {
        Ok(Some(block)) => block,
        _ => take_elsewhere(class),
    }
}

/// A block of `class`, of which the thread keeps none.
#[cold]
fn take_elsewhere(class: SizeClass) -> Block {
    let block = POOL.try_with(|pool| pool.fill(class));
    // The thread's locals may be gone.
    block.unwrap_or_else(|_| {
        let mut blocks = source::take(class, 1);
        blocks.pop().expect("the source has given one")
    })
}

/// Keeps `block`, or gives it back if there are enough.
#[inline]
pub fn give(block: Block) {
    let class = block.class;
    let place = block.into_raw();
    // SAFETY: it was just the place of a block of this class.
    let kept = POOL.try_with(|pool| unsafe { pool.keep(class, place) });
    if kept != Ok(true) {
        // SAFETY: as above; it was not given away.
        give_elsewhere(unsafe { Block::from_raw(place, class) });
    }
}

/// Gives `block` back, which the thread does not keep.
#[cold]
fn give_elsewhere(block: Block) {
    let mut block = Some(block);
    // Where the thread's locals are gone, this does nothing, and it is dropped below.
    let _ = POOL.try_with(|pool| block.take().map(|block| pool.spill(block)));
    drop(block);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn class(bytes: usize) -> SizeClass {
        SizeClass::of(bytes).expect("blocks of this size are kept")
    }

    #[test]
    fn classes_follow_each_other_and_waste_little() {
        let mut last = class(1);
        assert_eq!((last.index, last.bytes), (0, 8));
        for bytes in 2..=8192 {
            let class = class(bytes);
            assert!(class.bytes >= bytes && class.bytes - bytes < 16.max(bytes / 4));
            assert!(class == last || class.index == last.index + 1);
            last = class;
        }
        assert_eq!(last.index, CLASSES - 1);
        let all = SizeClass::all().inspect(|of| assert_eq!(*of, class(of.bytes)));
        assert_eq!(all.count(), CLASSES);
        assert_eq!(SizeClass::of(8193), None);
    }

    #[test]
    fn a_block_is_used_again_for_what_has_its_size() {
        let block = take(class(300));
        let place = block.place;
        give(block);
        let again = take(class(289));
        assert_eq!(again.place, place);
    }

    #[test]
    fn room_is_used_again_for_a_value_of_about_that_size() {
        let place = Room::<[u64; 30]>::take().into_raw();
        // SAFETY: it is room for this.
        unsafe { place.write([7; 30]) };
        // SAFETY: from `into_raw`, once.
        drop(unsafe { Room::from_raw(place) });
        let again = Room::<[u8; 233]>::take();
        assert_eq!(again.0.cast(), place);
        #[repr(align(64))]
        struct Aligned;
        assert_eq!(Room::<Aligned>::CLASS, None);
        drop(Room::<Aligned>::take());
    }

    #[test]
    fn a_thread_keeps_a_bounded_number_of_bytes() {
        let class = class(8192);
        let blocks: Vec<Block> = (0..100).map(|_| take(class)).collect();
        blocks.into_iter().for_each(give);
        let kept = POOL.with(|pool| pool.bytes.get());
        assert_eq!(kept, BYTES_MAX);
    }

    #[test]
    fn memory_may_be_given_back_while_the_thread_ends() {
        struct Late(Option<Block>);

        impl Drop for Late {
            fn drop(&mut self) {
                if let Some(block) = self.0.take() {
                    give(block);
                }
            }
        }

        thread_local! {
            static LATE: Cell<Option<Late>> = const { Cell::new(None) };
        }
        let thread = std::thread::spawn(|| {
            LATE.set(Some(Late(Some(take(class(64))))));
            give(take(class(64)));
        });
        assert!(thread.join().is_ok());
    }
}
