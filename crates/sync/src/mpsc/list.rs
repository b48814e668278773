//! The queue of values under every mpsc channel: many [`Pusher`]s, one [`Popper`], blocks of slots.
//!
//! A sender claims a *position* by adding to `tail`, finds the position's block from `hint` on,
//! and fills the slot. The receiver reads the slots in order. Why no block is reused too early
//! is argued at [`Queue`].

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::ptr::{self, NonNull};

use yamanote_base::atomic::{Arc, AtomicPtr, AtomicUsize, Ordering, UnsafeCell, load_settled};

use super::block::{Block, STEP, start_of};

/// The lowest bit of `tail`: no position claimed from here on is filled.
const CLOSED: usize = 1;

/// A sender's handle on a queue with a `C` beside it.
pub(super) struct Pusher<T, C> {
    queue: Arc<Queue<T, C>>,
}

/// The receiver's handle on a queue: there is one.
pub(super) struct Popper<T, C> {
    queue: Arc<Queue<T, C>>,
}

/// Blocks in a list, of which senders fill and the receiver empties the slots.
///
/// ```text
///   oldest ──▶ … ──▶ head.block ──▶ … ──▶ hint ──▶ … ──▶ last ──▶ (linked when needed)
///   retired, to be reused           where senders begin to look
/// ```
///
/// **The hint never overtakes a sender.** It moves from a block to the next only when every slot
/// of the block is filled, so that all who claimed a position in it have found it.
///
/// **No block is reused under a sender.** Who moves the hint away from a block then reads `tail`
/// by a read-modify-write and notes the position T in the block. A sender that loaded the old
/// hint claimed its position p before that read (had it claimed after, then by the two
/// read-modify-writes of `tail` the change of the hint would have happened before its load of
/// the hint). So p < T. A sender fills its slot as its last touch of any block, so once the
/// receiver has read all positions before T, nobody is at the block any more: it is linked
/// behind the last one, or freed if there are enough.
struct Queue<T, C> {
    tail: Apart<Tail<T>>,
    /// Read and written by the one `Popper` (by reading methods through `&`), then by `Drop`.
    head: Apart<UnsafeCell<Head<T>>>,
    channel: C,
}

/// Keeps what senders write on another cache line than what the receiver writes.
#[repr(align(128))]
struct Apart<V>(V);

struct Tail<T> {
    /// The next position to be claimed, and `CLOSED`.
    position: AtomicUsize,
    /// A block at or before that of any position that is yet to be found.
    hint: AtomicPtr<Block<T>>,
}

struct Head<T> {
    /// The next position to be read.
    position: usize,
    /// The block of the position before it (of the first position, in the beginning).
    block: NonNull<Block<T>>,
    /// The first block that was not taken back.
    oldest: NonNull<Block<T>>,
    /// A block at or behind `block`: where the end of the list is looked for.
    last: NonNull<Block<T>>,
    /// Where the queue was closed.
    end: Option<usize>,
}

// SAFETY: the queue moves values between threads, and shares only `channel`.
unsafe impl<T: Send, C: Send> Send for Queue<T, C> {}
// SAFETY: as above; `head` is touched by the one popper only.
unsafe impl<T: Send, C: Sync> Sync for Queue<T, C> {}

// No user code runs in the middle of a change: a panic leaves no half-done state behind.
impl<T, C> UnwindSafe for Queue<T, C> {}
impl<T, C> RefUnwindSafe for Queue<T, C> {}

/// A queue with `channel` beside it.
pub(super) fn queue<T, C>(channel: C) -> (Pusher<T, C>, Popper<T, C>) {
    let first = Block::allocate(0);
    let tail = Tail {
        position: AtomicUsize::new(0),
        hint: AtomicPtr::new(first.as_ptr()),
    };
    let head = Head {
        position: 0,
        block: first,
        oldest: first,
        last: first,
        end: None,
    };
    let queue = Arc::new(Queue {
        tail: Apart(tail),
        head: Apart(UnsafeCell::new(head)),
        channel,
    });
    (
        Pusher {
            queue: queue.clone(),
        },
        Popper { queue },
    )
}

impl<T, C> Pusher<T, C> {
    /// What is beside the queue.
    #[inline]
    pub(super) fn channel(&self) -> &C {
        &self.queue.channel
    }

    /// Whether both belong to one queue.
    pub(super) fn same_queue(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.queue, &other.queue)
    }

    /// Whether the receiver [closed](Popper::close) the queue.
    pub(super) fn is_closed(&self) -> bool {
        self.queue.is_closed()
    }

    /// Appends `value`; gives it back if the queue is closed.
    ///
    /// What the caller looks at next is ordered after the [`is_claimed`](Popper::is_claimed) of a
    /// receiver that was told that nothing comes.
    #[inline]
    pub(super) fn push(&self, value: T) -> Result<(), T> {
        match self.claim() {
            Some(claim) => {
                // SAFETY: it was just claimed.
                unsafe { self.fill(claim, value) };
                Ok(())
            }
            None => Err(value),
        }
    }

    /// [`push`](Self::push) in two steps: claims a position, and returns what fills it.
    #[cfg(test)]
    pub(super) fn push_later(&self) -> impl FnOnce(T) + '_ {
        let claim = self.claim().expect("the test has not closed the queue");
        // SAFETY: it was just claimed, and this is called once.
        move |value| unsafe { self.fill(claim, value) }
    }

    /// Claims the next position, unless the queue is closed.
    #[inline]
    fn claim(&self) -> Option<usize> {
        if self.queue.is_closed() {
            return None;
        }
        // SeqCst: as AcqRel it pairs with the read-modify-write in retire_behind(), see `Queue`;
        // and what the caller looks at next comes, in the one order, after is_claimed() of a
        // receiver that did not see the claim.
        let claim = self.queue.tail.0.position.fetch_add(STEP, Ordering::SeqCst);
        (claim & CLOSED == 0).then_some(claim)
    }

    /// Puts `value` where the receiver finds it.
    ///
    /// # Safety
    /// The caller has got `claim` from [`claim`](Self::claim), and fills it once.
    #[inline]
    unsafe fn fill(&self, claim: usize, value: T) {
        let block = self.queue.find(claim);
        // SAFETY: the block is neither freed nor reused before the slot is filled and read.
        let block = unsafe { block.as_ref() };
        // SAFETY: it is the block of the position, which the caller alone claimed.
        unsafe { block.write(claim, value) };
    }
}

impl<T, C> Clone for Pusher<T, C> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
        }
    }
}

impl<T, C> Queue<T, C> {
    fn is_closed(&self) -> bool {
        // Acquire: pairs with the Release in close().
        self.tail.0.position.load(Ordering::Acquire) & CLOSED != 0
    }

    /// The block of `claim`, a position that the caller has claimed and not filled.
    #[inline]
    fn find(&self, claim: usize) -> NonNull<Block<T>> {
        // Acquire: pairs with the Release in retire_behind(); shows the block's fields.
        let hint = self.tail.0.hint.load(Ordering::Acquire);
        let hint = NonNull::new(hint).expect("the hint is never null");
        // SAFETY: a block that was found through the hint after the claim is not reused before
        // the claim is filled: see `Queue`.
        if unsafe { hint.as_ref() }.start() == start_of(claim) {
            return hint;
        }
        self.find_behind(hint, start_of(claim))
    }

    /// The block that begins at `start`, somewhere behind `block`, which is the hint.
    #[cold]
    fn find_behind(&self, mut block: NonNull<Block<T>>, start: usize) -> NonNull<Block<T>> {
        let mut is_hint = true;
        // Bounded: one turn for each block between the hint and the claim.
        loop {
            // SAFETY: as in `find`; blocks behind the hint are not retired before it.
            let current = unsafe { block.as_ref() };
            if current.start() == start {
                return block;
            }
            let next = current.next().unwrap_or_else(|| self.grow(current));
            is_hint = is_hint && current.is_full() && self.retire_behind(current, next);
            block = next;
        }
    }

    /// Moves the hint from `block`, which is full, to `next`; `false` if another thread did.
    fn retire_behind(&self, block: &Block<T>, next: NonNull<Block<T>>) -> bool {
        let known = ptr::from_ref(block).cast_mut();
        let hint = &self.tail.0.hint;
        // AcqRel: Release shows `next`'s fields to find(). No other thread has meanwhile reused
        // `block` and made it the hint again: it is not reused before the caller fills its slot.
        let moved =
            hint.compare_exchange(known, next.as_ptr(), Ordering::AcqRel, Ordering::Acquire);
        if moved.is_ok() {
            // AcqRel, a read-modify-write: pairs with the one in push(), see `Queue`.
            let tail = self.tail.0.position.fetch_add(0, Ordering::AcqRel);
            block.retire(tail & !CLOSED);
        }
        moved.is_ok()
    }

    /// Links a block behind `last`, or finds that another thread did.
    fn grow(&self, last: &Block<T>) -> NonNull<Block<T>> {
        let fresh = Block::allocate(0);
        // SAFETY: it is new, and hence this thread's alone.
        let Err(next) = (unsafe { last.link(fresh) }) else {
            return fresh;
        };
        // Most often several threads find at once that there is no block; the next one is needed
        // soon.
        // SAFETY: `next` is behind the hint, and not retired before the caller fills its slot.
        let behind = unsafe { next.as_ref() };
        // SAFETY: `fresh` was not linked, and hence is still this thread's alone.
        if unsafe { behind.link(fresh) }.is_err() {
            // SAFETY: as above; it comes from `allocate`.
            unsafe { Block::free(fresh) };
        }
        next
    }
}

impl<T, C> Popper<T, C> {
    /// What is beside the queue.
    #[inline]
    pub(super) fn channel(&self) -> &C {
        &self.queue.channel
    }

    /// The next value.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        self.pop_by(Block::next)
    }

    /// The next value, if it is in the block at hand.
    #[inline]
    pub(super) fn pop_near(&mut self) -> Option<T> {
        self.pop_by(|_| None)
    }

    /// The next value, if it is the first of a block.
    #[inline]
    pub(super) fn pop_first(&mut self) -> Option<T> {
        let (position, _) = self.place();
        if position == start_of(position) {
            self.pop()
        } else {
            None
        }
    }

    /// The next value; its block, if it is the first there, is found by `next`.
    #[inline]
    fn pop_by(&mut self, next: impl FnOnce(&Block<T>) -> Option<NonNull<Block<T>>>) -> Option<T> {
        self.queue.head.0.with_mut(|head| {
            // SAFETY: this is the one popper, borrowed exclusively.
            let head = unsafe { &mut *head };
            head.pop(next)
        })
    }

    /// Lets nobody push any more. What was claimed before still comes.
    pub(super) fn close(&mut self) {
        // AcqRel: Release pairs with the Acquire in is_closed().
        let tail = self
            .queue
            .tail
            .0
            .position
            .fetch_or(CLOSED, Ordering::AcqRel);
        if tail & CLOSED != 0 {
            return;
        }
        self.queue.head.0.with_mut(|head| {
            // SAFETY: this is the one popper, borrowed exclusively.
            unsafe { (*head).end = Some(tail) }
        });
    }

    /// Whether the queue is closed and all that was pushed before has been popped.
    pub(super) fn is_drained(&self) -> bool {
        let (position, end) = self.place();
        end == Some(position)
    }

    /// How many values there are, counting those that are just being pushed.
    pub(super) fn len(&self) -> usize {
        // Acquire: who counted a value sees what led to it.
        self.len_until(self.queue.tail.0.position.load(Ordering::Acquire))
    }

    /// Whether the next value is there, or just being pushed. If not, who pushes it later sees what
    /// the caller did before, by a read-modify-write that is SeqCst.
    #[inline]
    pub(super) fn is_claimed(&self) -> bool {
        self.len_until(load_settled(&self.queue.tail.0.position)) > 0
    }

    /// How many values there are before `tail`.
    #[inline]
    fn len_until(&self, tail: usize) -> usize {
        let (position, end) = self.place();
        end.unwrap_or(tail & !CLOSED).wrapping_sub(position) / STEP
    }

    /// The position of the next value, and where the queue was closed.
    #[inline]
    fn place(&self) -> (usize, Option<usize>) {
        self.queue.head.0.with(|head| {
            // SAFETY: this is the one popper; it is borrowed, so nobody changes the head.
            let head = unsafe { &*head };
            (head.position, head.end)
        })
    }
}

impl<T> Head<T> {
    /// The value at the current position; its block, if it is the first there, is found by `next`.
    #[inline]
    fn pop(&mut self, next: impl FnOnce(&Block<T>) -> Option<NonNull<Block<T>>>) -> Option<T> {
        // SAFETY: only the receiver retires blocks, and only those before its own.
        let mut block = unsafe { self.block.as_ref() };
        if block.start() != start_of(self.position) {
            self.block = next(block)?;
            // SAFETY: as above.
            block = unsafe { self.block.as_ref() };
            self.take_back();
        }
        if !block.is_filled(self.position) {
            return None;
        }
        // SAFETY: it is filled, this is the receiver, and the position moves on.
        let value = unsafe { block.read(self.position) };
        self.position = self.position.wrapping_add(STEP);
        Some(value)
    }

    /// Takes back the blocks at which no sender can be any more.
    #[cold]
    fn take_back(&mut self) {
        // Bounded: one turn for each block behind the receiver.
        while self.oldest != self.block {
            let mut block = self.oldest;
            // SAFETY: it was not taken back yet.
            let oldest = unsafe { block.as_ref() };
            let Some(retired_at) = oldest.retired_at() else {
                return;
            };
            // Positions may wrap; they are never half the number range apart.
            if self.position.wrapping_sub(retired_at) > usize::MAX / 2 {
                return;
            }
            self.oldest = oldest
                .next()
                .expect("the receiver went on to the next block");
            if self.last == block {
                self.last = self.block;
            }
            // SAFETY: every sender that could touch the block has filled a slot that was read
            // (see `Queue`), and the receiver has left it.
            unsafe { block.as_mut() }.reset();
            // SAFETY: as above: it is the receiver's alone, and reset.
            unsafe { self.put_back(block) };
        }
    }

    /// Links `block` behind the last one, for senders to come; frees it if there are enough.
    ///
    /// # Safety
    /// `block` is reset, and the caller's alone.
    unsafe fn put_back(&mut self, block: NonNull<Block<T>>) {
        // Bounded: one turn for each block that was linked since the last time.
        loop {
            // SAFETY: `last` is at or behind the receiver's block, and not taken back.
            let last = unsafe { self.last.as_ref() };
            if let Some(next) = last.next() {
                self.last = next;
                continue;
            }
            // SAFETY: the receiver's own block is not taken back.
            let own = unsafe { self.block.as_ref() };
            if last.blocks_behind(own) >= Block::<T>::KEPT {
                // SAFETY: the caller's promise; it comes from `allocate`.
                unsafe { Block::free(block) };
                return;
            }
            // SAFETY: the caller's promise.
            match unsafe { last.link(block) } {
                Ok(()) => {
                    self.last = block;
                    return;
                }
                Err(next) => self.last = next,
            }
        }
    }
}

impl<T, C> Drop for Queue<T, C> {
    fn drop(&mut self) {
        /// Drops the values that were not received, then frees the blocks, though a drop panic.
        struct Remains<'a, T>(&'a mut Head<T>);

        impl<T> Remains<'_, T> {
            fn next(&mut self) -> Option<T> {
                self.0.pop(Block::next)
            }
        }

        impl<T> Drop for Remains<'_, T> {
            fn drop(&mut self) {
                while let Some(value) = self.next() {
                    drop(value);
                }
                let mut rest = Some(self.0.oldest);
                while let Some(block) = rest {
                    // SAFETY: it was not freed yet, and nobody else is left.
                    rest = unsafe { block.as_ref() }.next();
                    // SAFETY: as above; its values were popped.
                    unsafe { Block::free(block) };
                }
            }
        }

        self.head.0.with_mut(|head| {
            // SAFETY: the last handle is gone; nobody else is left.
            let mut remains = Remains(unsafe { &mut *head });
            while let Some(value) = remains.next() {
                drop(value);
            }
        });
    }
}
