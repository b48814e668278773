//! The system's allocator, which counts while it is told to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// Relaxed throughout: numbers that are read when what they count is over; nothing is behind them.
static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);

/// What was allocated since counting began.
pub(crate) struct Counted {
    #[allow(dead_code, reason = "not every program needs it")]
    pub(crate) allocations: u64,
    /// Allocated, less what was freed.
    pub(crate) bytes: i64,
}

/// Counts from here.
pub(crate) fn begin() {
    ALLOCATIONS.store(0, Ordering::Relaxed);
    BYTES.store(0, Ordering::Relaxed);
    COUNTS.store(true, Ordering::Relaxed);
}

/// What was counted so far.
pub(crate) fn so_far() -> Counted {
    let allocations = ALLOCATIONS.load(Ordering::Relaxed);
    Counted {
        allocations,
        bytes: BYTES.load(Ordering::Relaxed),
    }
}

/// Counts no more.
#[allow(dead_code, reason = "not every program ends it")]
pub(crate) fn end() -> Counted {
    COUNTS.store(false, Ordering::Relaxed);
    so_far()
}

fn count(allocations: u64, bytes: i64) {
    if COUNTS.load(Ordering::Relaxed) {
        ALLOCATIONS.fetch_add(allocations, Ordering::Relaxed);
        BYTES.fetch_add(bytes, Ordering::Relaxed);
    }
}

// SAFETY: every call is handed on, unchanged, to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size() as i64);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, -(layout.size() as i64));
        // SAFETY: the caller's promise, handed on; the block came from `System`.
        unsafe { System.dealloc(block, layout) }
    }
}
