//! Memory that is provided to the kernel, which takes a buffer of it for each receive.
//!
//! **Who has a buffer when.** Its number lies in the ring of free buffers, from where the kernel
//! takes it; or a completion has named it, and then one [`Provided`] has it, which gives it back
//! when it is dropped. The memory lives as long as the ring that knows it, and as each of those.

use std::alloc::{self, Layout};
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
/// How many there are: a power of two.
const COUNT: u16 = 4096;
/// As the kernel wants the ring of free buffers to lie.
const PAGE: usize = 4096;

/// Bytes that have arrived, in a provided buffer, which goes back when this is dropped.
pub struct Provided {
    pool: Arc<BufferPool>,
    number: u16,
    len: u32,
}

/// The buffers of one ring.
pub(super) struct BufferPool {
    memory: NonNull<u8>,
    free: NonNull<BufRingEntry>,
    /// Where the next free one goes. Its lock is held by who writes to `free`.
    tail: Mutex<u16>,
}

// SAFETY: a buffer is read by its chunk alone; the ring of free ones is written under the lock.
unsafe impl Send for BufferPool {}
// SAFETY: as above.
unsafe impl Sync for BufferPool {}

fn layouts() -> (Layout, Layout) {
    let count = usize::from(COUNT);
    let layout = |len| Layout::from_size_align(len, PAGE).expect("both are constants that fit");
    (
        layout(count * LEN),
        layout(count * size_of::<BufRingEntry>()),
    )
}

impl BufferPool {
    /// Provides buffers to the ring of `submitter`. They must stay until that is closed, or has
    /// forgotten them.
    pub(super) fn provide(submitter: &Submitter<'_>) -> io::Result<Arc<Self>> {
        let (memory, free) = layouts();
        let pool = Arc::new(Self {
            memory: allocate(memory)?,
            free: allocate(free)?.cast(),
            tail: Mutex::new(0),
        });
        for number in 0..COUNT {
            pool.give_back(number);
        }
        let address = pool.free.as_ptr() as u64;
        // SAFETY: there are `COUNT` entries, which stay: the caller sees to it.
        unsafe { submitter.register_buf_ring_with_flags(address, COUNT, GROUP, 0)? };
        Ok(pool)
    }

    /// The chunk of `len` bytes that a completion has named.
    ///
    /// # Safety
    /// The kernel has just said so: nobody else has the buffer.
    pub(super) unsafe fn chunk(self: &Arc<Self>, number: u16, len: u32) -> Provided {
        assert!(number < COUNT && len as usize <= LEN, "it is one of ours");
        Provided {
            pool: self.clone(),
            number,
            len,
        }
    }

    fn start(&self, number: u16) -> *mut u8 {
        self.memory.as_ptr().wrapping_add(usize::from(number) * LEN)
    }

    /// The kernel may take the buffer again, which nobody else has.
    fn give_back(&self, number: u16) {
        let mut tail = self.tail.lock();
        let at = usize::from(*tail % COUNT);
        // SAFETY: `free` has `COUNT` entries.
        let entry = unsafe { self.free.as_ptr().add(at) };
        // SAFETY: it is initialised: zeroed at least. The kernel reads none from the tail on, and
        // there are no more buffers than entries: this one is free to be written, under the lock.
        let entry = unsafe { &mut *entry };
        entry.set_addr(self.start(number) as u64);
        entry.set_len(LEN as u32);
        entry.set_bid(number);
        *tail = tail.wrapping_add(1);
        // SAFETY: it is the first entry, and initialised: zeroed at least.
        let shown = unsafe { BufRingEntry::tail(self.free.as_ptr()) };
        // SAFETY: it lies in the ring of free buffers, is aligned, and is written here alone.
        let shown = unsafe { AtomicU16::from_ptr(shown.cast_mut()) };
        // Release: pairs with the kernel's load; the entry above is written.
        shown.store(*tail, Ordering::Release);
    }
}

fn allocate(layout: Layout) -> io::Result<NonNull<u8>> {
    // SAFETY: neither layout is of no size.
    let memory = unsafe { alloc::alloc_zeroed(layout) };
    NonNull::new(memory).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

impl Drop for BufferPool {
    fn drop(&mut self) {
        let (memory, free) = layouts();
        // SAFETY: allocated with this layout. No chunk is left, and the kernel has forgotten it.
        unsafe { alloc::dealloc(self.memory.as_ptr(), memory) };
        // SAFETY: as above.
        unsafe { alloc::dealloc(self.free.as_ptr().cast(), free) };
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
