//! Blocks of one size, linked through their own memory: [`Chain`].

use std::ptr::NonNull;

use super::{Block, SizeClass};

/// Where the first block of a chain is. There is the link to the next.
pub(super) type Link = Option<NonNull<u8>>;

/// Blocks of a class; the last that came goes first. They are lost if it is dropped.
pub(super) struct Chain {
    class: SizeClass,
    first: Link,
}

impl Chain {
    pub(super) const fn new(class: SizeClass) -> Self {
        Self { class, first: None }
    }

    /// Of one block.
    pub(super) fn of(block: Block) -> Self {
        let mut chain = Self::new(block.class);
        chain.push(block);
        chain
    }

    pub(super) fn class(&self) -> SizeClass {
        self.class
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Puts `block` before the others, whose class it has.
    pub(super) fn push(&mut self, block: Block) {
        debug_assert_eq!(block.class, self.class);
        let place = block.into_raw();
        // SAFETY: a block has room for a link, and is aligned for it.
        unsafe { place.cast::<Link>().write(self.first) };
        self.first = Some(place);
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<Block> {
        let place = self.first?;
        // SAFETY: `push` left a link there, and the chain has had the block alone since.
        self.first = unsafe { place.cast::<Link>().read() };
        // SAFETY: it came to `push` as a block of this class, and has left the chain.
        Some(unsafe { Block::from_raw(place, self.class) })
    }
}
