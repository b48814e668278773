//! Memory that is provided to the kernel, which takes a buffer for each receive.

use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;

/// The number by which receives name these buffers.
pub const GROUP: u16 = 0;
/// Bytes of one.
const LEN: usize = 1024;

/// Buffers, and the ring in which those lie that the kernel may take.
#[derive(Debug)]
pub struct Buffers {
    memory: *mut u8,
    ring: *mut BufRingEntry,
    count: u16,
    /// Where the next goes.
    tail: u16,
}

impl Buffers {
    /// Makes `count` buffers, a power of two. They live as long as the program.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn new(count: u16) -> io::Result<Self> {
        Ok(Self {
            memory: map(usize::from(count) * LEN)?,
            ring: map(usize::from(count) * size_of::<BufRingEntry>())?.cast(),
            count,
            tail: 0,
        })
    }

    /// Provides all of them to `ring`.
    ///
    /// # Errors
    /// Those of the system.
    pub fn register(&mut self, ring: &IoUring) -> io::Result<()> {
        let submitter = ring.submitter();
        // SAFETY: the memory is mapped for `count` entries and never unmapped.
        unsafe {
            submitter.register_buf_ring_with_flags(self.ring as u64, self.count, GROUP, 0)?;
        }
        for buffer in 0..self.count {
            self.give_back(buffer);
        }
        Ok(())
    }

    /// Where a buffer is, and its length.
    #[must_use]
    pub fn of(&self, buffer: u16) -> (*mut u8, u32) {
        let buffer = usize::from(buffer % self.count);
        (self.memory.wrapping_add(buffer * LEN), LEN as u32)
    }

    /// The kernel may take `buffer` again.
    pub fn give_back(&mut self, buffer: u16) {
        let (start, len) = self.of(buffer);
        let at = usize::from(self.tail % self.count);
        // SAFETY: the ring has `count` entries.
        let entry = unsafe { self.ring.add(at) };
        // SAFETY: it is zeroed at least, and the kernel reads none beyond the tail that it
        // has been shown; this one it has used up, or has not seen yet.
        let entry = unsafe { &mut *entry };
        entry.set_addr(start as u64);
        entry.set_len(len);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: it is the first entry of the ring.
        let tail = unsafe { BufRingEntry::tail(self.ring) };
        // SAFETY: the tail lives in the ring, is aligned, and is written here alone.
        let tail = unsafe { AtomicU16::from_ptr(tail.cast_mut()) };
        // Release: pairs with the kernel's load; the entries below are written.
        tail.store(self.tail, Ordering::Release);
    }
}

fn map(len: usize) -> io::Result<*mut u8> {
    let (access, kind) = (
        libc::PROT_READ | libc::PROT_WRITE,
        libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE,
    );
    // SAFETY: new memory, which overlaps nothing.
    let memory = unsafe { libc::mmap(std::ptr::null_mut(), len, access, kind, -1, 0) };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    Ok(memory.cast())
}
