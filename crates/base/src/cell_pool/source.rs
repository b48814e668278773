//! Where blocks come from, and go to, when no thread keeps them: [`Source`].
//!
//! Up to a megabyte of a size is allocated one by one. What comes after lies in chunks of two
//! megabytes, which the system is asked to put on one huge page each. For a processor remembers
//! where some two thousand pages are; of tasks on as many small pages, each of which is run in its
//! turn, it has to look up every one anew, and it does not fetch ahead what it has to look up.
//!
//! A block is taken from the chunk with the lowest address that has room, so that those at the end
//! become empty. One empty chunk of a size is kept, others go back to the allocator.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;
use std::sync::LazyLock;

use super::chain::Chain;
use super::{Block, SizeClass};
use crate::ahead::LINE;
use crate::atomic::plain::{AtomicUsize, Ordering};
use crate::huge;
use crate::lock::Mutex;

/// Bytes of a chunk, which begins at a multiple of them: a huge page of most systems.
const CHUNK: usize = 2 << 20;

const CHUNK_LAYOUT: Layout = match Layout::from_size_align(CHUNK, CHUNK) {
    Ok(layout) => layout,
    Err(_) => panic!("a power of two is an alignment"),
};

/// So many bytes of a size are allocated one by one.
const SINGLE_BYTES: usize = 1 << 20;

/// By the index of the size class.
static SOURCES: LazyLock<Vec<Mutex<Source>>> =
    LazyLock::new(|| SizeClass::all().map(Source::new).map(Mutex::new).collect());

/// How many chunks have a block that is out.
static USED_CHUNKS: AtomicUsize = AtomicUsize::new(0);

/// Where the blocks of one size come from. Under its lock, the program's allocator is the only
/// foreign code that runs.
struct Source {
    class: SizeClass,
    /// How many blocks are out that were allocated one by one.
    singles: usize,
    /// By address.
    chunks: Vec<Chunk>,
    /// None of those before has room.
    open_from: usize,
}

/// A piece of memory that is cut into blocks. It goes back to the allocator when dropped, unless a
/// block of it is out: then it is lost.
struct Chunk {
    place: NonNull<u8>,
    /// Bytes from which on it has never been used.
    begun: usize,
    /// Blocks that came back.
    returned: Chain,
    /// How many blocks are out: in use, or kept by a thread.
    out: usize,
}

// SAFETY: nobody else has its memory, but for that of the blocks that are out.
unsafe impl Send for Chunk {}

/// Whether so many blocks of some size are out that they hardly are in a processor's cache.
#[inline(always)]
pub(super) fn is_vast() -> bool {
    // Relaxed: a hint.
    USED_CHUNKS.load(Ordering::Relaxed) > 0
}

/// A block of `class`, with others behind it, `most` in all, if that costs nothing.
#[cold]
pub(super) fn take(class: SizeClass, most: usize) -> Chain {
    let mut source = SOURCES[class.index].lock();
    if let Some(chunk) = source.open_chunk() {
        return chunk.take(class, most);
    }
    source.singles += 1;
    drop(source);
    Chain::of(Block::allocate(class))
}

/// Takes blocks back.
#[cold]
pub(super) fn give(mut blocks: Chain) {
    let class = blocks.class();
    let mut singles = Chain::new(class);
    let mut source = SOURCES[class.index].lock();
    while let Some(block) = blocks.pop() {
        match source.chunk_of(&block) {
            Some(index) => source.give(index, block),
            None => {
                source.singles -= 1;
                singles.push(block);
            }
        }
    }
    drop(source);
    while let Some(block) = singles.pop() {
        block.deallocate();
    }
}

impl Source {
    fn new(class: SizeClass) -> Self {
        Self {
            class,
            singles: 0,
            chunks: Vec::new(),
            open_from: 0,
        }
    }

    /// A chunk with room, if there are to be chunks, and memory.
    fn open_chunk(&mut self) -> Option<&mut Chunk> {
        let open = &self.chunks[self.open_from..];
        let behind = open.iter().position(|chunk| chunk.has_room(self.class));
        self.open_from = match behind {
            Some(behind) => self.open_from + behind,
            None if self.singles * self.class.bytes < SINGLE_BYTES => {
                self.open_from = self.chunks.len();
                return None;
            }
            None => {
                let chunk = Chunk::allocate(self.class)?;
                let index = (self.chunks).partition_point(|other| other.place < chunk.place);
                self.chunks.insert(index, chunk);
                index
            }
        };
        Some(&mut self.chunks[self.open_from])
    }

    /// The index of the chunk in which `block` lies.
    fn chunk_of(&self, block: &Block) -> Option<usize> {
        let behind = (self.chunks).partition_point(|chunk| chunk.place <= block.place);
        let index = behind.checked_sub(1)?;
        let offset = block.place.addr().get() - self.chunks[index].place.addr().get();
        (offset < CHUNK).then_some(index)
    }

    fn give(&mut self, index: usize, block: Block) {
        self.open_from = self.open_from.min(index);
        self.chunks[index].give(block);
        let is_empty = |chunk: &Chunk| chunk.out == 0;
        // One is kept for what comes next.
        let empty = || self.chunks.iter().filter(|chunk| is_empty(chunk));
        if is_empty(&self.chunks[index]) && empty().count() > 1 {
            self.chunks.remove(index);
        }
    }
}

impl Chunk {
    fn allocate(class: SizeClass) -> Option<Self> {
        // SAFETY: the layout is not of no bytes.
        let place = NonNull::new(unsafe { alloc(CHUNK_LAYOUT) })?;
        huge::ask(place, CHUNK);
        Some(Self {
            place,
            begun: 0,
            returned: Chain::new(class),
            out: 0,
        })
    }

    fn has_room(&self, class: SizeClass) -> bool {
        !self.returned.is_empty() || self.begun + stride(class) <= CHUNK
    }

    /// At most so many blocks; at least one if it has room.
    fn take(&mut self, class: SizeClass, most: usize) -> Chain {
        if self.out == 0 {
            // Relaxed: a hint.
            USED_CHUNKS.fetch_add(1, Ordering::Relaxed);
        }
        let mut taken = Chain::new(class);
        for _ in 0..most {
            let Some(block) = self.returned.pop().or_else(|| self.begin(class)) else {
                break;
            };
            taken.push(block);
            self.out += 1;
        }
        taken
    }

    /// A block where none has been yet.
    fn begin(&mut self, class: SizeClass) -> Option<Block> {
        let at = self.begun;
        if at + stride(class) > CHUNK {
            return None;
        }
        self.begun += stride(class);
        // SAFETY: it lies in the chunk.
        let place = unsafe { self.place.add(at) };
        // SAFETY: there is room for a block, which begins at a multiple of `ALIGN`, and is nobody
        // else's.
        Some(unsafe { Block::from_raw(place, class) })
    }

    fn give(&mut self, block: Block) {
        self.returned.push(block);
        self.out -= 1;
        if self.out == 0 {
            // Relaxed: a hint.
            USED_CHUNKS.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if self.out == 0 {
            // SAFETY: `allocate` had it with this layout, and no block of it is out.
            unsafe { dealloc(self.place.as_ptr(), CHUNK_LAYOUT) };
        }
    }
}

/// How far apart the blocks of a chunk begin: where that is some lines, by an odd number of them,
/// lest the first lines of all, which are used most, have but a few places in a cache.
const fn stride(class: SizeClass) -> usize {
    match class.bytes < 4 * LINE {
        true => class.bytes.next_multiple_of(super::ALIGN),
        false => (class.bytes.div_ceil(LINE) | 1) * LINE,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::mpsc;
    use std::{iter, thread};

    use super::*;
    use crate::cell_pool;

    fn class(bytes: usize) -> SizeClass {
        SizeClass::of(bytes).expect("blocks of this size are kept")
    }

    /// One of whose blocks a megabyte is out.
    fn source(bytes: usize) -> Source {
        let mut source = Source::new(class(bytes));
        source.singles = SINGLE_BYTES.div_ceil(source.class.bytes);
        source
    }

    /// What is left of the first chunk with room.
    fn fill(source: &mut Source) -> Vec<Block> {
        let class = source.class;
        let chunk = source.open_chunk().expect("there is memory");
        let mut taken = chunk.take(class, usize::MAX);
        iter::from_fn(|| taken.pop()).collect()
    }

    fn give_all(source: &mut Source, blocks: Vec<Block>) {
        for block in blocks {
            let index = source.chunk_of(&block).expect("it is of a chunk");
            source.give(index, block);
        }
    }

    #[test]
    fn a_chunk_is_cut_into_blocks_that_do_not_overlap() {
        for bytes in [8, 72, 256, 264, 1400, 8192] {
            let mut source = source(bytes);
            let blocks = fill(&mut source);
            let mut places: Vec<_> = blocks
                .iter()
                .map(|block| block.place.addr().get())
                .collect();
            places.sort_unstable();
            let step = stride(source.class);
            assert!(step >= source.class.bytes);
            assert!(places.windows(2).all(|pair| pair[1] - pair[0] == step));
            assert_eq!(places[0] % CHUNK, 0);
            assert_eq!(places.len(), CHUNK / step);
            give_all(&mut source, blocks);
        }
    }

    #[test]
    fn the_first_megabyte_is_in_no_chunk() {
        let mut source = source(1024);
        source.singles -= 1;
        assert!(source.open_chunk().is_none());
        source.singles += 1;
        assert!(source.open_chunk().is_some());
    }

    #[test]
    fn room_is_used_from_the_lowest_address_on_and_one_empty_chunk_is_kept() {
        let mut source = source(1024);
        let mut filled: Vec<_> = (0..3).map(|_| fill(&mut source)).collect();
        assert_eq!(source.chunks.len(), 3);
        filled.sort_unstable_by_key(|blocks| blocks[0].place.addr().get() / CHUNK);
        let places: Vec<_> = source.chunks.iter().map(|chunk| chunk.place).collect();
        assert!(places.is_sorted());
        let given = filled.split_off(1).into_iter().rev();
        for blocks in given {
            give_all(&mut source, blocks);
        }
        // The last was empty first, so the middle one went when it was.
        assert_eq!(source.chunks.len(), 2);
        assert_eq!(source.chunks[1].place, places[2]);
        let again = fill(&mut source);
        assert_eq!(source.chunk_of(&again[0]), Some(1));
        let first = filled.remove(0);
        give_all(&mut source, first);
        let lowest = source.open_chunk().expect("two have room").place;
        assert_eq!(lowest, places[0]);
        give_all(&mut source, again);
        assert_eq!(source.chunks.len(), 1);
    }

    #[test]
    fn blocks_that_threads_hand_on_are_nobody_elses_and_come_back() {
        const EACH: usize = 2_000;
        const THREADS: usize = 4;

        struct Handed(Block);

        // SAFETY: a block is memory that nobody else has.
        unsafe impl Send for Handed {}

        // No other test has blocks of this class.
        let class = class(1_000);
        let (senders, inboxes): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| mpsc::channel()).unzip();
        let work =
            |id: usize, next: mpsc::Sender<_>, inbox: mpsc::Receiver<([usize; 3], Handed)>| {
                for round in 0..10 {
                    for number in 0..EACH {
                        let (mark, block) = ([id, round, number], cell_pool::take(class));
                        // SAFETY: the block has room for it, and is ours.
                        unsafe { block.place.cast().write(mark) };
                        next.send((mark, Handed(block)))
                            .expect("the next one listens");
                    }
                    assert!(is_vast());
                    for (mark, handed) in inbox.iter().take(EACH) {
                        let Handed(block) = handed;
                        // SAFETY: who sent it has written this there.
                        assert_eq!(unsafe { block.place.cast::<[usize; 3]>().read() }, mark);
                        cell_pool::give(block);
                    }
                }
            };
        thread::scope(|scope| {
            let next = senders.iter().cycle().skip(1).cloned();
            let ends = inboxes.into_iter().zip(next).enumerate();
            let threads: Vec<_> = ends
                .map(|(id, (inbox, next))| scope.spawn(move || work(id, next, inbox)))
                .collect();
            for thread in threads {
                thread.join().expect("all were its own");
            }
        });
        let source = SOURCES[class.index].lock();
        assert_eq!(source.singles, 0);
        assert!(source.chunks.iter().all(|chunk| chunk.out == 0));
        assert_eq!(source.chunks.len(), 1);
    }
}
