//! The slots of a broadcast channel and who waits for the next one: [`Ring`].
//!
//! The value at position `p` lies in slot `p % len`, until all receivers that were there when it
//! was sent have had it, or until it is overwritten at position `p + len`.

use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use yamanote_base::lock::{Mutex, MutexGuard};
use yamanote_base::wait::{WaitQueue, Waiter};
use yamanote_base::waits;

/// What reports call it.
const MESSAGE: &str = "broadcast: a message";

/// The most receivers at once.
const RECEIVERS_MAX: usize = usize::MAX >> 2;

/// A power of two of slots, and the tail to which values are appended.
pub(super) struct Ring<T> {
    slots: Box<[Mutex<Slot<T>>]>,
    tail: WaitQueue<Tail, ()>,
}

pub(super) struct Slot<T> {
    /// The position of the value that was put here last.
    position: u64,
    /// How many receivers are still to have it; `value` is `Some` if and only if not 0.
    remaining: usize,
    value: Option<T>,
}

struct Tail {
    /// The position of the next value.
    position: u64,
    receivers: usize,
    is_closed: bool,
}

/// What a receiver found at its position.
pub(super) enum Found<'a, T> {
    Value(Reading<'a, T>),
    /// Nothing yet.
    Nothing,
    /// Nothing, for good.
    Closed,
    /// The value was overwritten; this is the oldest position that is left.
    Overwritten(u64),
}

impl<T> Ring<T> {
    /// A ring of at least `capacity` slots, without receivers.
    ///
    /// # Panics
    /// If `capacity` is 0 or more than `usize::MAX / 2`.
    #[track_caller]
    pub(super) fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "broadcast channel capacity cannot be zero");
        assert!(
            capacity <= usize::MAX >> 1,
            "broadcast channel capacity exceeded `usize::MAX / 2`"
        );
        let len = capacity.next_power_of_two();
        // No receiver ever stands at the position of a slot that was never filled.
        let empty = |i| Slot {
            position: widen(i).wrapping_sub(widen(len)),
            remaining: 0,
            value: None,
        };
        Self {
            slots: (0..len).map(|i| Mutex::new(empty(i))).collect(),
            tail: WaitQueue::new(Tail {
                position: 0,
                receivers: 0,
                is_closed: false,
            }),
        }
    }

    /// Appends `value` for every receiver, whose number is returned; gives it back if that is 0.
    pub(super) fn send(&self, value: T) -> Result<usize, T> {
        let mut tail = self.tail.lock();
        let receivers = tail.receivers;
        if receivers == 0 {
            return Err(value);
        }
        let position = tail.position;
        tail.position = position.wrapping_add(1);
        let mut slot = self.slot(position);
        let overwritten = slot.value.replace(value);
        slot.position = position;
        slot.remaining = receivers;
        drop(slot);
        tail.wake_all(|()| {});
        drop(overwritten);
        Ok(receivers)
    }

    /// Sends nothing any more; all who wait are told.
    pub(super) fn close(&self) {
        let mut tail = self.tail.lock();
        tail.is_closed = true;
        tail.wake_all(|()| {});
    }

    /// Counts a receiver; returns its position: that of the next value.
    pub(super) fn subscribe(&self) -> u64 {
        let mut tail = self.tail.lock();
        assert!(tail.receivers < RECEIVERS_MAX, "too many receivers");
        tail.receivers += 1;
        tail.position
    }

    /// Counts a receiver at `position` no more; returns whether it was the last.
    pub(super) fn unsubscribe(&self, position: u64) -> Unsubscribed<'_, T> {
        let mut tail = self.tail.lock();
        tail.receivers -= 1;
        let (end, was_last) = (tail.position, tail.receivers == 0);
        drop(tail);
        // What lies further back was overwritten.
        let kept = end.wrapping_sub(position).min(widen(self.slots.len()));
        Unsubscribed {
            ring: self,
            position: end.wrapping_sub(kept),
            end,
            was_last,
        }
    }

    /// Looks for the value at `position`.
    pub(super) fn find(&self, position: u64) -> Found<'_, T> {
        // Two turns at most: what is sent between the looks at the slot and at the tail is found
        // in the next turn, or is overwritten by then.
        loop {
            if let Some(reading) = self.read(position) {
                return Found::Value(reading);
            }
            if let Some(found) = self.absence(&self.tail.lock(), position) {
                return found;
            }
        }
    }

    /// [`find`](Self::find), but while there is nothing, `waiter` is queued for the task of `cx`.
    pub(super) fn poll_find(
        &self,
        position: u64,
        mut waiter: Pin<&mut Waiter<()>>,
        cx: &mut Context<'_>,
    ) -> Poll<Found<'_, T>> {
        if waiter.is_armed() {
            // Who sends or closes empties the queue: who is still in it has nothing to find.
            ready!(self.tail.poll_popped(waiter.as_mut(), cx, |()| MESSAGE));
            waiter.as_mut().settle();
        }
        // Two turns at most, as in find().
        loop {
            if let Some(reading) = self.read(position) {
                return Poll::Ready(Found::Value(reading));
            }
            // Before the lock, and dropped after it: cloning and dropping a waker is user code.
            let waker = cx.waker().clone();
            let mut tail = self.tail.lock();
            match self.absence(&tail, position) {
                Some(Found::Nothing) => {
                    tail.push_back(waiter, waker);
                    waits::note(|| MESSAGE);
                    return Poll::Pending;
                }
                Some(found) => return Poll::Ready(found),
                None => {}
            }
        }
    }

    /// The value at `position`, if it is in its slot.
    #[inline]
    pub(super) fn read(&self, position: u64) -> Option<Reading<'_, T>> {
        let slot = self.slot(position);
        (slot.position == position).then(|| Reading(Some(slot)))
    }

    /// Why there is no value at `position`; `None` if there is one.
    fn absence(&self, tail: &Tail, position: u64) -> Option<Found<'_, T>> {
        let len = widen(self.slots.len());
        match tail.position.wrapping_sub(position) {
            0 if tail.is_closed => Some(Found::Closed),
            0 => Some(Found::Nothing),
            behind if behind > len => Some(Found::Overwritten(tail.position.wrapping_sub(len))),
            _ => None,
        }
    }

    /// Takes `waiter` out of the queue.
    pub(super) fn cancel(&self, waiter: Pin<&mut Waiter<()>>) {
        let removed = self.tail.lock().remove(waiter);
        drop(removed);
    }

    /// How many receivers there are.
    pub(super) fn receivers(&self) -> usize {
        self.tail.lock().receivers
    }

    /// How many values were sent from `position` on.
    pub(super) fn len_from(&self, position: u64) -> usize {
        let behind = self.tail.lock().position.wrapping_sub(position);
        usize::try_from(behind).unwrap_or(usize::MAX)
    }

    /// How many values are still to be received by somebody.
    pub(super) fn len(&self) -> usize {
        let tail = self.tail.lock();
        // Whoever is still to have a value is also still to have all later ones.
        let (mut low, mut high) = (0, self.slots.len());
        // Bounded: a binary search.
        while low < high {
            let middle = low + (high - low) / 2;
            let first = tail.position.wrapping_sub(widen(self.slots.len() - middle));
            if self.slot(first).remaining == 0 {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.slots.len() - low
    }

    /// Whether every value was received by everybody.
    pub(super) fn is_empty(&self) -> bool {
        let tail = self.tail.lock();
        self.slot(tail.position.wrapping_sub(1)).remaining == 0
    }

    #[inline]
    fn slot(&self, position: u64) -> MutexGuard<'_, Slot<T>> {
        let mask = widen(self.slots.len() - 1);
        let index = usize::try_from(position & mask).expect("the mask is below a usize");
        self.slots[index].lock()
    }
}

/// A receiver that has gone, but for the values that it has not had: they are dropped one by one.
pub(super) struct Unsubscribed<'a, T> {
    ring: &'a Ring<T>,
    position: u64,
    end: u64,
    pub(super) was_last: bool,
}

impl<T> Unsubscribed<'_, T> {
    fn skip_all(&mut self) {
        // Bounded: at most as many as there are slots.
        while self.position != self.end {
            let position = self.position;
            self.position = position.wrapping_add(1);
            drop(self.ring.read(position));
        }
    }
}

impl<T> Drop for Unsubscribed<'_, T> {
    fn drop(&mut self) {
        /// Goes on where the drop of a value panicked.
        struct Rest<'a, 'b, T>(&'a mut Unsubscribed<'b, T>);

        impl<T> Drop for Rest<'_, '_, T> {
            fn drop(&mut self) {
                self.0.skip_all();
            }
        }

        Rest(self).0.skip_all();
    }
}

/// A value in its locked slot; dropping this counts a receiver as having had it, and the last one
/// drops the value, after unlocking.
pub(super) struct Reading<'a, T>(Option<MutexGuard<'a, Slot<T>>>);

impl<T> Deref for Reading<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        let slot = self
            .0
            .as_ref()
            .expect("the slot is locked until this is dropped");
        slot.value.as_ref().expect("somebody is still to have it")
    }
}

impl<T> Drop for Reading<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let mut slot = self.0.take().expect("this is dropped once");
        slot.remaining -= 1;
        let done = if slot.remaining == 0 {
            slot.value.take()
        } else {
            None
        };
        drop(slot);
        drop(done);
    }
}

#[inline]
fn widen(n: usize) -> u64 {
    u64::try_from(n).expect("a usize has at most 64 bits")
}
