//! The one allocation of a oneshot channel, its state word, and its two ends.
//!
//! | bit | set by | what it says |
//! |---|---|---|
//! | `TX_DONE` | sender, once | it will not send any more |
//! | `VALUE` | sender, with `TX_DONE` | the value lies in its slot, and is the receiver's |
//! | `TX_LEFT` | sender, last | it does not touch the cell any more |
//! | `RX_CLOSED` | receiver, once | nothing may be sent any more |
//! | `RX_LEFT` | receiver, last | it does not touch the cell any more |
//! | `RX_WAKER` | receiver, also clears it | its waker lies in its slot |
//! | `TX_WAKER` | sender, also clears it | its waker lies in its slot |
//!
//! A waker's slot belongs to the end that fills it while its bit is clear; an end clears the bit
//! before it touches the slot. The slot passes to the other end, for good, by the step that sets
//! that end's final bit (`TX_DONE` or `RX_CLOSED`) while the waker's bit is set and the final bit
//! of the end that filled it is not. The value's slot is the sender's until `VALUE`. The end that
//! finds the other one's `LEFT` bit when it leaves frees the cell.

use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use yamanote_base::atomic::{AtomicUsize, Ordering, UnsafeCell};
use yamanote_base::cell_pool::Room;
use yamanote_base::waits;

const RX_WAKER: usize = 1;
const TX_WAKER: usize = 1 << 1;
const TX_DONE: usize = 1 << 2;
const VALUE: usize = 1 << 3;
const RX_CLOSED: usize = 1 << 4;
const TX_LEFT: usize = 1 << 5;
const RX_LEFT: usize = 1 << 6;

struct OneshotCell<T> {
    word: AtomicUsize,
    /// Whose these are at each moment is said at the top of this file.
    value: UnsafeCell<Option<T>>,
    rx_waker: UnsafeCell<Option<Waker>>,
    tx_waker: UnsafeCell<Option<Waker>>,
}

/// The sender's end.
pub(super) struct SenderEnd<T>(CellRef<T>);

/// The receiver's end.
pub(super) struct ReceiverEnd<T>(CellRef<T>);

/// What a look at the channel found.
pub(super) enum Received<T> {
    Value(T),
    NotYet,
    Never,
}

/// A pointer to a cell that its end has not left.
struct CellRef<T> {
    cell: NonNull<OneshotCell<T>>,
    owns: PhantomData<OneshotCell<T>>,
}

// SAFETY: an end moves the value between threads and shares nothing of it: `T: Send` suffices.
unsafe impl<T: Send> Send for CellRef<T> {}
// SAFETY: a shared end offers only looks at the word.
unsafe impl<T: Send> Sync for CellRef<T> {}

// The value is moved in and out, never pinned in the cell.
impl<T> Unpin for CellRef<T> {}

pub(super) fn pair<T>() -> (SenderEnd<T>, ReceiverEnd<T>) {
    let cell = Room::<OneshotCell<T>>::take().into_raw();
    let fresh = OneshotCell {
        word: AtomicUsize::new(0),
        value: UnsafeCell::new(None),
        rx_waker: UnsafeCell::new(None),
        tx_waker: UnsafeCell::new(None),
    };
    // SAFETY: it is room for a cell.
    unsafe { cell.write(fresh) };
    let sender = SenderEnd(CellRef {
        cell,
        owns: PhantomData,
    });
    (
        sender,
        ReceiverEnd(CellRef {
            cell,
            owns: PhantomData,
        }),
    )
}

impl<T> CellRef<T> {
    #[inline]
    fn cell(&self) -> &OneshotCell<T> {
        // SAFETY: the cell is freed by the second end that leaves; this one has not left yet,
        // because leaving ends the `CellRef`'s use (in the ends' `Drop` and `finish`).
        unsafe { self.cell.as_ref() }
    }

    #[inline]
    fn load(&self) -> usize {
        // Acquire: pairs with the Release of every step of the other end; what it left in a slot
        // is seen.
        self.cell().word.load(Ordering::Acquire)
    }

    fn set(&self, bits: usize) -> usize {
        // AcqRel: Release publishes what this end left in the slots; Acquire as in load().
        self.cell().word.fetch_or(bits, Ordering::AcqRel)
    }

    /// Sets a bit that is clear, and that only this end sets.
    fn add(&self, bit: usize) -> usize {
        // AcqRel: as in set(). A sum, since x86 has no `or` that tells what was there.
        let before = self.cell().word.fetch_add(bit, Ordering::AcqRel);
        debug_assert!(before & bit == 0, "the bit is clear");
        before
    }

    fn clear(&self, bits: usize) -> usize {
        // AcqRel: as in set().
        self.cell().word.fetch_and(!bits, Ordering::AcqRel)
    }

    fn exchange(&self, word: usize, next: usize) -> Result<usize, usize> {
        // AcqRel: as in set(). Acquire on failure: as in load().
        self.cell()
            .word
            .compare_exchange(word, next, Ordering::AcqRel, Ordering::Acquire)
    }

    /// Sets the own `left` bit as the last touch of the cell; frees it if the other end has left.
    fn leave(&self, left: usize, other_left: usize) {
        if self.add(left) & other_left != 0 {
            self.free();
        }
    }

    /// Frees the cell, and drops what is still in it.
    fn free(&self) {
        // SAFETY: both ends have left, this one just now: nobody else has the pointer, which
        // `pair` had from a room. It is given back also if a destructor panics.
        let _room = unsafe { Room::from_raw(self.cell) };
        // SAFETY: as above; `pair` put a cell there.
        unsafe { self.cell.drop_in_place() };
    }

    /// Takes the value; the caller owns its slot.
    fn take_value(&self) -> Option<T> {
        self.cell().value.with_mut(|slot| {
            // SAFETY: the callers own the slot: the sender before `VALUE`, the receiver after.
            unsafe { &mut *slot }.take()
        })
    }
}

/// Takes a waker out of its slot; the caller owns the slot.
fn take_waker(slot: &UnsafeCell<Option<Waker>>) -> Option<Waker> {
    slot.with_mut(|slot| {
        // SAFETY: the callers own the slot by the rules at the top of this file.
        unsafe { &mut *slot }.take()
    })
}

/// Leaves `cx`'s waker in the slot, whose bit the caller has cleared.
#[inline]
fn store_waker(slot: &UnsafeCell<Option<Waker>>, cx: &Context<'_>) {
    let known = slot.with(|slot| {
        // SAFETY: its bit is clear, so the slot belongs to the end that fills it: the caller.
        unsafe { &*slot }
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()))
    });
    if known {
        return;
    }
    let fresh = Some(cx.waker().clone());
    let stale = slot.with_mut(|slot| {
        // SAFETY: as above; cloning ran before, dropping runs after this access.
        mem::replace(unsafe { &mut *slot }, fresh)
    });
    drop(stale);
}

impl<T> SenderEnd<T> {
    pub(super) fn send(self, value: T) -> Result<(), T> {
        // A waker that panics ends `finish` when the cell was left: not to be left once more.
        let end = ManuallyDrop::new(self);
        end.0.cell().value.with_mut(|slot| {
            // SAFETY: the slot is the sender's until `VALUE` is set; it holds `None`.
            unsafe { *slot = Some(value) }
        });
        if end.finish(VALUE) {
            return Ok(());
        }
        let end = ManuallyDrop::into_inner(end);
        Err(end
            .0
            .take_value()
            .expect("it was put there by this function"))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.load() & RX_CLOSED != 0
    }

    pub(super) fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut word = self.0.load();
        if word & (RX_CLOSED | TX_WAKER) == TX_WAKER {
            word = self.0.clear(TX_WAKER);
        }
        if word & RX_CLOSED != 0 {
            return Poll::Ready(());
        }
        store_waker(&self.0.cell().tx_waker, cx);
        if self.0.add(TX_WAKER) & RX_CLOSED != 0 {
            Poll::Ready(())
        } else {
            waits::note(|| "oneshot: the end of the receiver");
            Poll::Pending
        }
    }

    /// Sets `TX_DONE` and leaves, having woken the receiver; `false` and nothing done if a
    /// `value` (`VALUE`, else 0) may not be sent any more. After `true` the end is not used again.
    fn finish(&self, value: usize) -> bool {
        let mut word = self.0.load();
        // Bounded: each failure is a step of the receiver, which has few.
        let waker_left = loop {
            if value != 0 && word & RX_CLOSED != 0 {
                return false;
            }
            let waker_left = word & (RX_WAKER | RX_CLOSED) == RX_WAKER;
            let left = if waker_left { 0 } else { TX_LEFT };
            match self.0.exchange(word, word | TX_DONE | value | left) {
                Ok(_) => break waker_left,
                Err(now) => word = now,
            }
        };
        if waker_left {
            let waker = take_waker(&self.0.cell().rx_waker);
            self.0.leave(TX_LEFT, RX_LEFT);
            if let Some(waker) = waker {
                waker.wake();
            }
        } else if word & RX_LEFT != 0 {
            self.0.free();
        }
        true
    }
}

impl<T> Drop for SenderEnd<T> {
    fn drop(&mut self) {
        self.finish(0);
    }
}

impl<T> ReceiverEnd<T> {
    pub(super) fn has_value(&self) -> bool {
        self.0.load() & VALUE != 0
    }

    pub(super) fn try_recv(&mut self) -> Received<T> {
        self.received(self.0.load())
    }

    /// `Ready(None)`: there will be no value.
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut word = self.0.load();
        if word & (TX_DONE | RX_WAKER) == RX_WAKER {
            word = self.0.clear(RX_WAKER);
        }
        if word & (TX_DONE | RX_CLOSED) == 0 {
            store_waker(&self.0.cell().rx_waker, cx);
            word = self.0.add(RX_WAKER);
        }
        match self.received(word) {
            Received::Value(value) => Poll::Ready(Some(value)),
            Received::Never => Poll::Ready(None),
            Received::NotYet => {
                waits::note(|| "oneshot: the value");
                Poll::Pending
            }
        }
    }

    pub(super) fn close(&mut self) {
        let word = self.0.set(RX_CLOSED);
        let [theirs, own] = self.take_wakers(word);
        if let Some(waker) = theirs {
            waker.wake();
        }
        // Nobody wakes who has polled: the sender is not to keep his task for as long as it lives.
        drop(own);
    }

    /// Takes the wakers whose slots are this end's since it has set `RX_CLOSED` in `word`: the
    /// sender's and its own.
    fn take_wakers(&self, word: usize) -> [Option<Waker>; 2] {
        let cell = self.0.cell();
        [(TX_WAKER, &cell.tx_waker), (RX_WAKER, &cell.rx_waker)]
            .map(|(bit, slot)| is_left(word, bit).then(|| take_waker(slot)).flatten())
    }

    fn received(&mut self, word: usize) -> Received<T> {
        if word & VALUE != 0 {
            return self.0.take_value().map_or(Received::Never, Received::Value);
        }
        if word & (TX_DONE | RX_CLOSED) != 0 {
            Received::Never
        } else {
            Received::NotYet
        }
    }
}

/// Whether the slot of the waker `bit` is the receiver's, if it sets `RX_CLOSED` in `word`.
fn is_left(word: usize, bit: usize) -> bool {
    word & (bit | TX_DONE | RX_CLOSED) == bit
}

impl<T> Drop for ReceiverEnd<T> {
    fn drop(&mut self) {
        let mut value = None;
        let mut word = self.0.load();
        // Bounded: each failure is a step of the sender, which has few.
        let any_left = loop {
            if word & TX_LEFT != 0 {
                self.0.free();
                return;
            }
            if word & VALUE != 0 {
                // Taken before the last touch of the cell, dropped after it.
                value = value.or_else(|| self.0.take_value());
            }
            let any_left = is_left(word, TX_WAKER) || is_left(word, RX_WAKER);
            let left = if any_left { 0 } else { RX_LEFT };
            match self.0.exchange(word, word | RX_CLOSED | left) {
                Ok(_) => break any_left,
                Err(now) => word = now,
            }
        };
        if any_left {
            let [theirs, own] = self.take_wakers(word);
            self.0.leave(RX_LEFT, TX_LEFT);
            if let Some(waker) = theirs {
                waker.wake();
            }
            drop(own);
        }
        drop(value);
    }
}
