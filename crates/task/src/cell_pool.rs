//! Memory of tasks that ended, kept for tasks to come: each thread has a pool of its own.
//!
//! A block goes to the pool of the thread that frees it, so there is no lock. Where one thread
//! spawns and another frees, the pool of the second fills up to its bound, and the rest goes back
//! to the allocator.

use std::cell::RefCell;
use std::mem::MaybeUninit;

use yamanote_base::atomic::MODEL;

/// The unit of memory; with its alignment.
pub(crate) type Unit = MaybeUninit<u128>;

/// Memory for a task: as many units as a multiple of [`STEP`].
pub(crate) type Block = Box<[Unit]>;

/// Units between two sizes of blocks: 64 bytes, that is, a cache line.
const STEP: usize = 4;

/// How many sizes there are; larger blocks are not kept.
const SIZES: usize = 32;

/// Bytes that a thread keeps at most. A thousand tasks of a common size (256 to 512 bytes) fit.
const BYTES_MAX: usize = 512 * 1024;

thread_local! {
    static POOL: RefCell<CellPool> = const { RefCell::new(CellPool::new()) };
}

struct CellPool {
    /// By size, from one step to `SIZES` steps.
    blocks: [Vec<Block>; SIZES],
    bytes: usize,
}

impl CellPool {
    const fn new() -> Self {
        Self {
            blocks: [const { Vec::new() }; SIZES],
            bytes: 0,
        }
    }
}

/// How many units a block for `bytes` has; `None` if such blocks are not kept.
pub(crate) const fn units(bytes: usize) -> Option<usize> {
    let steps = bytes.div_ceil(STEP * size_of::<Unit>());
    // The model checker finds uses of freed memory only if it is freed.
    if steps == 0 || steps > SIZES || MODEL {
        None
    } else {
        Some(steps * STEP)
    }
}

/// A block of `units`, a number given by [`units`].
pub(crate) fn take(units: usize) -> Block {
    let kept = POOL.try_with(|pool| {
        let mut pool = pool.borrow_mut();
        let block = pool.blocks[units / STEP - 1].pop()?;
        pool.bytes -= size_of_val(&*block);
        Some(block)
    });
    match kept {
        Ok(Some(block)) => block,
        // Nothing was kept, or the thread's locals are gone.
        _ => Box::new_uninit_slice(units),
    }
}

/// Keeps `block`, which [`take`] gave, or frees it if there are enough.
pub(crate) fn give(block: Block) {
    let mut block = Some(block);
    // When the thread's locals are gone, the block is freed below.
    let _ = POOL.try_with(|pool| {
        let mut pool = pool.borrow_mut();
        let bytes = block.as_deref().map_or(0, size_of_val);
        if pool.bytes + bytes > BYTES_MAX {
            return;
        }
        if let Some(block) = block.take() {
            pool.bytes += bytes;
            pool.blocks[block.len() / STEP - 1].push(block);
        }
    });
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_used_again_for_what_has_its_size() {
        let units = units(300).expect("small blocks are kept");
        assert_eq!(units * size_of::<Unit>(), 320);
        let block = take(units);
        let address = block.as_ptr();
        give(block);
        let again = take(super::units(257).expect("small blocks are kept"));
        assert_eq!(again.as_ptr(), address);
    }

    #[test]
    fn a_thread_keeps_a_bounded_number_of_bytes() {
        let units = units(2048).expect("the largest size that is kept");
        assert_eq!(super::units(2049), None);
        let blocks: Vec<Block> = (0..1000).map(|_| take(units)).collect();
        blocks.into_iter().for_each(give);
        let kept = POOL.with(|pool| pool.borrow().bytes);
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
            static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
        }
        let thread = std::thread::spawn(|| {
            LATE.set(Some(Late(Some(take(4)))));
            give(take(4));
        });
        assert!(thread.join().is_ok());
    }
}
