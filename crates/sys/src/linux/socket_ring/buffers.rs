//! Memory that is provided to the kernel, which takes a buffer of it for each receive.
//!
//! **Who has a buffer when.** Its number lies in the ring of free buffers, from where the kernel
//! takes it; or a completion has named it, and then one [`Provided`] has it, which gives it back
//! when it is dropped. The memory lives as long as the ring that knows it, and as each of those.
//!
//! The kernel takes the buffers in turn, so all of them pass through the caches: there are few
//! at first. When it has found none there are twice as many at once, or more if more receives
//! have missed one: each that does has to begin again, behind all that arrived meanwhile.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;

use io_uring::Submitter;
use io_uring::types::BufRingEntry;
use yamanote_base::atomic::plain::{AtomicU16, Ordering};
use yamanote_base::lock::Mutex;

/// The number by which receives name the buffers of their ring.
pub(super) const GROUP: u16 = 0;
/// Bytes of one.
const LEN: usize = 2048;
/// How many there are at first.
const COUNT_FIRST: u16 = 256;
/// How many there are at most: a power of two. Memory that none has used takes no place.
const COUNT_MAX: u16 = 16 * 1024;

/// Bytes that have arrived, in a provided buffer, which goes back when this is dropped.
pub struct Provided {
    pool: Arc<BufferPool>,
    /// Two halves of a word: moved as one.
    number: u32,
    len: u32,
}

/// The buffers of one ring.
pub(super) struct BufferPool {
    memory: NonNull<u8>,
    free: NonNull<BufRingEntry>,
    /// Its lock is held by who writes to `free`.
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Where the next free one goes.
    tail: u16,
    /// How many were given to the kernel so far, of which each is free or lent.
    known: u16,
}

// SAFETY: a buffer is read by its chunk alone; the ring of free ones is written under the lock.
unsafe impl Send for BufferPool {}
// SAFETY: as above.
unsafe impl Sync for BufferPool {}

const MEMORY_LEN: usize = COUNT_MAX as usize * LEN;
const FREE_LEN: usize = COUNT_MAX as usize * size_of::<BufRingEntry>();

impl BufferPool {
    /// Provides buffers to the ring of `submitter`. They must stay until that is closed, or has
    /// forgotten them.
    pub(super) fn provide(submitter: &Submitter<'_>) -> io::Result<Arc<Self>> {
        let memory = map(MEMORY_LEN)?;
        let free = map(FREE_LEN).inspect_err(|_| unmap(memory, MEMORY_LEN))?;
        let pool = Arc::new(Self {
            memory,
            free: free.cast(),
            counts: Mutex::new(Counts::default()),
        });
        pool.add(COUNT_FIRST);
        let address = pool.free.as_ptr() as u64;
        // SAFETY: there are so many entries, which stay: the caller sees to it.
        unsafe { submitter.register_buf_ring_with_flags(address, COUNT_MAX, GROUP, 0)? };
        Ok(pool)
    }

    /// For so many receives the kernel has found no free buffer: how many there are more now.
    pub(super) fn grow(&self, missed: usize) -> usize {
        let known = self.counts.lock().known;
        let missed = u16::try_from(missed).unwrap_or(COUNT_MAX);
        let more = known.max(missed).min(COUNT_MAX - known);
        self.add(more);
        usize::from(more)
    }

    /// Gives so many to the kernel that it did not know.
    fn add(&self, count: u16) {
        let mut counts = self.counts.lock();
        for number in counts.known..counts.known + count {
            self.free(number, &mut counts);
        }
        counts.known += count;
        self.show(&counts);
    }

    /// The chunk of `len` bytes that a completion has named.
    ///
    /// # Safety
    /// The kernel has just said so: nobody else has the buffer.
    pub(super) unsafe fn chunk(self: &Arc<Self>, number: u16, len: u32) -> Provided {
        assert!(
            number < COUNT_MAX && len as usize <= LEN,
            "it is one of ours"
        );
        Provided {
            pool: self.clone(),
            number: u32::from(number),
            len,
        }
    }

    fn start(&self, number: u32) -> *mut u8 {
        self.memory.as_ptr().wrapping_add(number as usize * LEN)
    }

    /// The kernel may take the buffer again, which nobody else has.
    fn give_back(&self, number: u32) {
        let mut counts = self.counts.lock();
        // It came from a number of the kernel's, which has 16 bits.
        self.free(number as u16, &mut counts);
        self.show(&counts);
    }

    /// Writes the buffer, which nobody has, to the ring of free ones.
    fn free(&self, number: u16, counts: &mut Counts) {
        let at = usize::from(counts.tail % COUNT_MAX);
        // SAFETY: `free` has `COUNT_MAX` entries.
        let entry = unsafe { self.free.as_ptr().add(at) };
        // SAFETY: it is initialised: zeroed at least. The kernel reads none from the tail on, and
        // there are no more buffers than entries: this one is free to be written, under the lock.
        let entry = unsafe { &mut *entry };
        entry.set_addr(self.start(u32::from(number)) as u64);
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

impl Drop for BufferPool {
    fn drop(&mut self) {
        // No chunk is left, and the kernel has forgotten it.
        unmap(self.memory, MEMORY_LEN);
        unmap(self.free.cast(), FREE_LEN);
    }
}

impl Deref for Provided {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the kernel has written so many bytes, and the buffer is this chunk's alone.
        unsafe { std::slice::from_raw_parts(self.pool.start(self.number), self.len as usize) }
    }
}

impl AsRef<[u8]> for Provided {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Provided {
    fn drop(&mut self) {
        self.pool.give_back(self.number);
    }
}

impl fmt::Debug for Provided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provided").field("len", &self.len).finish()
    }
}
