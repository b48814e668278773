//! Memory that is provided to the kernel, which takes a buffer of it for each receive.
//!
//! **Who has a buffer when.** Its number lies in the ring of free buffers, from where the kernel
//! takes it; or a completion has named it, and then one [`Held`] has it, which gives it back when
//! it is dropped, or to the pool, if the ring was asked to send it. The memory lives as long as the
//! ring that knows it, and as each of those.
//!
//! The kernel takes the buffers in turn, so all of them pass through the caches: there are few at
//! first, and twice as many (or what was missed) when it has found none.

use std::any::TypeId;
use std::io;
use std::mem;
use std::ptr::NonNull;

use io_uring::Submitter;
use io_uring::types::BufRingEntry;
use yamanote_base::atomic::ListLock;
use yamanote_base::atomic::plain::{AtomicU16, Ordering};
use yamanote_base::huge;

use crate::held::{Header, Held, Kind};

/// The number by which receives name the buffers of their ring.
pub(super) const GROUP: u16 = 0;
/// From one buffer to the next.
const SPACE: usize = 2048;
/// Bytes of one: its head lies before them.
const LEN: usize = SPACE - size_of::<Head>();
/// How many there are at first.
const COUNT_FIRST: u16 = 256;
/// How many there are at most: a power of two. Memory that none has used takes no place.
const COUNT_MAX: u16 = 16 * 1024;

/// What is known of a buffer, beside its bytes: a [`Held`] leads to all of it. It has a cache line,
/// so that the bytes begin with one.
#[repr(C, align(64))]
struct Head {
    /// At the beginning, where a `Held` looks for it.
    header: Header,
    buffers: NonNull<Buffers>,
    number: u16,
}

/// The buffers of one ring, for the ring itself.
///
/// It counts what it lends, and the lock protects how many have come back: whoever finds both
/// equal after the ring is gone is the last.
pub(super) struct BufferPool {
    buffers: NonNull<Buffers>,
    /// How many were lent so far, without those that the ring itself has taken back.
    lent: u64,
    /// Those it has taken back and not given to the kernel: at most all that there are.
    back: Vec<u16>,
}

/// What the ring and those that have a buffer share.
struct Buffers {
    memory: NonNull<u8>,
    free: NonNull<BufRingEntry>,
    /// Its lock is held by who writes to `free`.
    counts: ListLock<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Where the next free one goes.
    tail: u16,
    /// How many were given to the kernel so far, of which each is free or lent.
    known: u16,
    /// How many came back so far.
    returned: u64,
    /// How many there will be in all, once the ring is gone.
    returned_at_last: Option<u64>,
}

// SAFETY: it is one of those that share the `Buffers`.
unsafe impl Send for BufferPool {}
// SAFETY: a buffer is read by its chunk alone; the ring of free ones is written under the lock.
unsafe impl Send for Buffers {}
// SAFETY: as above.
unsafe impl Sync for Buffers {}

const MEMORY_LEN: usize = COUNT_MAX as usize * SPACE;
const FREE_LEN: usize = COUNT_MAX as usize * size_of::<BufRingEntry>();

impl BufferPool {
    /// Provides buffers to the ring of `submitter`. They must stay until that is closed, or has
    /// forgotten them.
    pub(super) fn provide(submitter: &Submitter<'_>) -> io::Result<Self> {
        let memory = map(MEMORY_LEN)?;
        // As all pass through the caches, so do their pages through the processor's notes of them.
        huge::ask(memory, MEMORY_LEN);
        let free = map(FREE_LEN).inspect_err(|_| unmap(memory, MEMORY_LEN))?;
        let buffers = Box::new(Buffers {
            memory,
            free: free.cast(),
            counts: ListLock::new(Counts::default()),
        });
        let pool = Self {
            buffers: NonNull::from(Box::leak(buffers)),
            lent: 0,
            back: Vec::new(),
        };
        pool.buffers().add(COUNT_FIRST);
        let address = free.as_ptr() as u64;
        // SAFETY: there are so many entries, which stay: the caller sees to it.
        unsafe { submitter.register_buf_ring_with_flags(address, COUNT_MAX, GROUP, 0)? };
        Ok(pool)
    }

    fn buffers(&self) -> &Buffers {
        // SAFETY: they are there until this is dropped, at least.
        unsafe { self.buffers.as_ref() }
    }

    /// For so many receives the kernel has found no free buffer: how many there are more now. As
    /// many as those at least: each has to begin again, behind all that arrived meanwhile.
    pub(super) fn grow(&self, missed: usize) -> usize {
        let buffers = self.buffers();
        let known = buffers.counts.lock().known;
        let missed = u16::try_from(missed).unwrap_or(COUNT_MAX);
        let more = known.max(missed).min(COUNT_MAX - known);
        buffers.add(more);
        usize::from(more)
    }

    /// The `len` bytes that a completion has named.
    ///
    /// # Safety
    /// The kernel has just said so: nobody else has the buffer.
    #[inline]
    pub(super) unsafe fn received(&mut self, number: u16, len: u32) -> Held {
        let len = len as usize;
        assert!(number < COUNT_MAX && len <= LEN, "it is one of ours");
        let head = self.buffers().head(number);
        self.lent += 1;
        // SAFETY: it was written when the kernel was given the buffer, which nobody else has until
        // `Head::drop` gives it back.
        unsafe { Held::lent(head.cast(), len) }
    }

    /// Takes back what this has lent, to be [given back](Self::give_back) with others; any other
    /// buffer is returned.
    #[inline]
    pub(super) fn take_back(&mut self, held: Held) -> Option<Held> {
        let Some(header) = held.lent_header() else {
            return Some(held);
        };
        // SAFETY: rings alone lend, each a `Head`, which is there as long as the buffer is lent.
        let head = unsafe { header.cast::<Head>().as_ref() };
        if head.buffers != self.buffers {
            return Some(held);
        }
        self.back.push(head.number);
        self.lent -= 1;
        // It is not dropped, but lent no more.
        mem::forget(held);
        None
    }

    /// Gives the kernel what was taken back.
    #[inline]
    pub(super) fn give_back(&mut self) {
        if self.back.is_empty() {
            return;
        }
        // SAFETY: they are there until this is dropped, at least.
        let buffers = unsafe { self.buffers.as_ref() };
        let mut counts = buffers.counts.lock();
        for number in self.back.drain(..) {
            buffers.free(number, &mut counts);
        }
        buffers.show(&counts);
    }

    /// How many are lent now.
    #[cfg(test)]
    pub(super) fn lent(&self) -> u64 {
        self.lent - self.buffers().counts.lock().returned
    }

    /// The memory is the kernel's for ever.
    pub(super) fn leave_to_the_kernel(&mut self) {
        // One that never comes back.
        self.lent += 1;
    }
}

impl Buffers {
    /// Gives so many to the kernel that it did not know.
    fn add(&self, count: u16) {
        let mut counts = self.counts.lock();
        for number in counts.known..counts.known + count {
            let place = self.head(number);
            let head = Head {
                header: Header::new(Head::KIND, bytes_of(place).as_ptr()),
                buffers: NonNull::from(self),
                number,
            };
            // SAFETY: there is room for it, and nobody uses the buffer yet.
            unsafe { place.write(head) };
            self.free(number, &mut counts);
        }
        counts.known += count;
        self.show(&counts);
    }

    fn head(&self, number: u16) -> NonNull<Head> {
        let at = usize::from(number % COUNT_MAX) * SPACE;
        // SAFETY: there are `COUNT_MAX` buffers in the memory.
        unsafe { self.memory.add(at) }.cast()
    }

    /// The kernel may take the buffer again, which nobody else has; whether these are of no use
    /// any more.
    #[inline]
    fn give_back(&self, number: u16) -> bool {
        let mut counts = self.counts.lock();
        self.free(number, &mut counts);
        self.show(&counts);
        counts.returned += 1;
        counts.are_useless()
    }

    /// Writes the buffer, which nobody has, to the ring of free ones.
    fn free(&self, number: u16, counts: &mut Counts) {
        let at = usize::from(counts.tail % COUNT_MAX);
        // SAFETY: `free` has `COUNT_MAX` entries.
        let entry = unsafe { self.free.as_ptr().add(at) };
        // SAFETY: it is initialised: zeroed at least. The kernel reads none from the tail on, and
        // there are no more buffers than entries: this one is free to be written, under the lock.
        let entry = unsafe { &mut *entry };
        entry.set_addr(bytes_of(self.head(number)).as_ptr() as u64);
        entry.set_len(LEN as u32);
        entry.set_bid(number);
        counts.tail = counts.tail.wrapping_add(1);
    }

    /// Shows the kernel what was written.
    fn show(&self, counts: &Counts) {
        // SAFETY: it is the first entry, and initialised: zeroed at least.
        let shown = unsafe { BufRingEntry::tail(self.free.as_ptr()) };
        // SAFETY: it lies in the ring of free buffers, is aligned, and is written here alone.
        let shown = unsafe { AtomicU16::from_ptr(shown.cast_mut()) };
        // Release: pairs with the kernel's load; the entries before it are written.
        shown.store(counts.tail, Ordering::Release);
    }
}

/// New memory, zeroed, of which nothing takes place until it is used; it begins with a page, as
/// the kernel wants the ring of free buffers to lie.
fn map(len: usize) -> io::Result<NonNull<u8>> {
    let (access, kind) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
    );
    // SAFETY: new memory, which overlaps nothing.
    let memory = unsafe { libc::mmap(std::ptr::null_mut(), len, access, kind, -1, 0) };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(memory.cast()).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

fn unmap(memory: NonNull<u8>, len: usize) {
    // SAFETY: the callers have it from `map`, with this length, and use it no more.
    let done = unsafe { libc::munmap(memory.as_ptr().cast(), len) };
    debug_assert_eq!(done, 0, "what was mapped is unmapped");
}

impl Counts {
    fn are_useless(&self) -> bool {
        self.returned_at_last == Some(self.returned)
    }
}

/// Where the bytes of a buffer begin.
fn bytes_of(head: NonNull<Head>) -> NonNull<u8> {
    // SAFETY: they follow the head.
    unsafe { head.add(1) }.cast()
}

/// # Safety
/// No buffer is lent, the ring is gone, and the kernel has forgotten them.
unsafe fn free(buffers: NonNull<Buffers>) {
    // SAFETY: it came from a box, and nobody else will use it.
    drop(unsafe { Box::from_raw(buffers.as_ptr()) });
}

impl Drop for BufferPool {
    fn drop(&mut self) {
        let mut counts = self.buffers().counts.lock();
        counts.returned_at_last = Some(self.lent);
        let are_useless = counts.are_useless();
        drop(counts);
        if are_useless {
            // SAFETY: all have come back, and who has lent them ends here.
            unsafe { free(self.buffers) };
        }
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // No chunk is left, and the kernel has forgotten it.
        unmap(self.memory, MEMORY_LEN);
        unmap(self.free.cast(), FREE_LEN);
    }
}

impl Head {
    const KIND: &'static Kind = &Kind {
        id: TypeId::of::<Self>,
        drop: Self::drop,
        is_lent: true,
    };

    /// Gives the buffer back.
    ///
    /// # Safety
    /// It is the header of a buffer that was lent, which nobody uses any more.
    unsafe fn drop(header: NonNull<Header>) {
        // SAFETY: the header is the first of a head, which is there as long as the buffer is lent.
        let head = unsafe { header.cast::<Self>().as_ref() };
        let (buffers, number) = (head.buffers, head.number);
        // SAFETY: they are there as long as one is lent, as this is.
        if unsafe { buffers.as_ref() }.give_back(number) {
            // SAFETY: this was the last, and the ring is gone.
            unsafe { free(buffers) };
        }
    }
}
