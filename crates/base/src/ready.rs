//! Readiness of one resource, and who waits for it: [`ReadyCell`].
//!
//! The driver (or a simulated socket) *sets* bits, an operation that met `WouldBlock` *clears*
//! what it saw, and tasks wait for what they need.
//!
//! | bits of the word | what | who writes |
//! |---|---|---|
//! | 0 to 7 | [`Ready`] | `set` adds, `clear` takes away (never the closed bits) |
//! | 8 | shut down: nothing will ever be set again | `shut_down`, once |
//! | 16 to 31 | tick: counts the calls of `set` | `set` |
//!
//! `clear` compares the tick with the one that the operation saw: what was set after the
//! operation began is news, and stays. No wake is lost, because a waiter looks at the word again
//! under the lock of the waiter queue, and `set` changes the word before it takes that lock.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::atomic::{AtomicUsize, Ordering};
use crate::interest::{Interest, Ready};
use crate::wait::{WaitQueue, Waiter};
use crate::waits::{self, Detail};
use crate::wake::WakeList;

const READY_MASK: usize = 0xff;
const SHUT_DOWN: usize = 1 << 8;
const TICK_ONE: usize = 1 << 16;
const TICK_MASK: usize = 0xffff << 16;
const CLOSED: usize = (Ready::READ_CLOSED.bits() | Ready::WRITE_CLOSED.bits()) as usize;

/// The readiness of one resource.
#[derive(Debug)]
pub struct ReadyCell {
    word: AtomicUsize,
    waiters: WaitQueue<PollSlots, Interest>,
}

/// The two wakers of the `poll_*` functions, which remember only the last caller each.
#[derive(Debug, Default)]
struct PollSlots {
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Which of the two `poll_*` slots a caller uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Reading, accepting, receiving.
    Read,
    /// Writing, connecting, sending.
    Write,
}

/// What a waiter saw: the readiness and the tick at which it was so.
#[derive(Clone, Copy, Debug)]
pub struct ReadyEvent {
    /// What is ready.
    pub ready: Ready,
    /// Whether the driver is gone.
    pub is_shutdown: bool,
    tick: usize,
}

/// A future that waits until something of an interest is ready.
#[derive(Debug)]
pub struct Readiness<'a> {
    cell: &'a ReadyCell,
    interest: Interest,
    waiter: Waiter<Interest>,
}

impl Direction {
    /// The interest of this direction alone.
    pub const fn interest(self) -> Interest {
        match self {
            Direction::Read => Interest::READABLE,
            Direction::Write => Interest::WRITABLE,
        }
    }
}

impl ReadyCell {
    /// A cell in which nothing is ready.
    #[must_use]
    pub fn new() -> Self {
        Self {
            word: AtomicUsize::new(0),
            waiters: WaitQueue::new(PollSlots::default()),
        }
    }

    /// What is ready now of `interest`.
    #[inline]
    pub fn event(&self, interest: Interest) -> ReadyEvent {
        // Acquire: pairs with the Release in set(); the caller sees what led to the event.
        ReadyEvent::of(self.word.load(Ordering::Acquire), interest)
    }

    /// Adds `ready`; the wakers of all who waited for it go to `wakes`.
    pub fn set(&self, ready: Ready, wakes: &mut WakeList) {
        self.update(|word| {
            let tick = word.wrapping_add(TICK_ONE) & TICK_MASK;
            tick | (word & !TICK_MASK) | usize::from(ready.bits())
        });
        self.collect(ready, wakes);
    }

    /// Takes away what `event` saw, unless something was set since; closed stays closed.
    pub fn clear(&self, event: ReadyEvent) {
        let gone = usize::from(event.ready.bits()) & !CLOSED;
        self.update(|word| {
            if word & TICK_MASK == event.tick {
                word & !gone
            } else {
                word
            }
        });
    }

    /// Marks that nothing will come any more; all who wait are woken and see it.
    pub fn shut_down(&self, wakes: &mut WakeList) {
        self.update(|word| word | SHUT_DOWN);
        self.collect(Ready::ALL, wakes);
    }

    /// Whether something of `direction` is ready; if not, the task is woken when it is.
    ///
    /// Remembers the last caller of each direction only.
    #[inline]
    pub fn poll(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<ReadyEvent> {
        let event = self.event(direction.interest());
        match event.is_settled() {
            true => Poll::Ready(event),
            false => self.poll_unready(cx, direction),
        }
    }

    fn poll_unready(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<ReadyEvent> {
        let interest = direction.interest();
        let waker = cx.waker().clone();
        let mut locked = self.waiters.lock();
        let slot = match direction {
            Direction::Read => &mut locked.reader,
            Direction::Write => &mut locked.writer,
        };
        let old = slot.replace(waker);
        let event = self.event(interest);
        drop(locked);
        drop(old);
        if event.is_settled() {
            Poll::Ready(event)
        } else {
            self.note_wait(interest);
            Poll::Pending
        }
    }

    /// Notes that the current poll waits for this cell.
    #[inline]
    fn note_wait(&self, interest: Interest) {
        waits::note(|| {
            let which = Detail::Socket(std::ptr::from_ref(self).addr(), interest);
            ("a socket", which)
        });
    }

    /// Waits until something of `interest` is ready.
    ///
    /// *Cancel safety:* dropping it leaves no trace.
    pub fn wait(&self, interest: Interest) -> Readiness<'_> {
        Readiness {
            cell: self,
            interest,
            waiter: Waiter::new(interest),
        }
    }

    /// Forgets the wakers of the `poll_*` functions: the resource has gone.
    pub fn forget_pollers(&self) {
        let slots = std::mem::take(&mut *self.waiters.lock());
        drop(slots);
    }

    fn collect(&self, ready: Ready, wakes: &mut WakeList) {
        let mut locked = self.waiters.lock();
        if ready.is_readable() {
            wakes.extend(locked.reader.take());
        }
        if ready.is_writable() {
            wakes.extend(locked.writer.take());
        }
        locked.pop_all(wakes, |interest| !ready.answering(*interest).is_empty());
    }

    fn update(&self, f: impl Fn(usize) -> usize) {
        // AcqRel: Release publishes what led to the event to event(); Acquire keeps set and
        // clear in one order, so that a clear sees the tick of every set before it.
        // The failure path reads only the word itself, which the next exchange checks.
        let _ = self
            .word
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| Some(f(word)));
    }
}

impl Default for ReadyCell {
    fn default() -> Self {
        Self::new()
    }
}

impl ReadyEvent {
    #[inline]
    fn of(word: usize, interest: Interest) -> Self {
        let bits = u8::try_from(word & READY_MASK).expect("the mask leaves eight bits");
        Self {
            ready: Ready::from_bits(bits).answering(interest),
            is_shutdown: word & SHUT_DOWN != 0,
            tick: word & TICK_MASK,
        }
    }

    /// Whether there is nothing to wait for: something is ready, or nothing ever will be.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.is_shutdown || !self.ready.is_empty()
    }

    /// Whether to clear it leaves something ready: what is closed stays closed.
    #[inline]
    #[must_use]
    pub fn is_ever_ready(&self) -> bool {
        usize::from(self.ready.bits()) & CLOSED != 0
    }

    /// The same event, of which only `ready` is to be cleared.
    #[must_use]
    pub fn with_ready(self, ready: Ready) -> Self {
        Self { ready, ..self }
    }
}

impl Readiness<'_> {
    /// The two fields that polling needs, without moving the pinned waiter.
    fn project(self: Pin<&mut Self>) -> (&ReadyCell, Interest, Pin<&mut Waiter<Interest>>) {
        // SAFETY: `waiter` is structurally pinned: it is never moved out, and `Readiness` has no
        // other place that hands out `&mut Waiter`.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above; it stays where the outer pin keeps it.
        (this.cell, this.interest, unsafe {
            Pin::new_unchecked(&mut this.waiter)
        })
    }
}

impl Future for Readiness<'_> {
    type Output = ReadyEvent;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ReadyEvent> {
        let (cell, interest, mut waiter) = self.project();
        let event = cell.event(interest);
        if event.is_settled() {
            return Poll::Ready(event);
        }
        let waker = cx.waker().clone();
        let mut locked = cell.waiters.lock();
        let event = cell.event(interest);
        if event.is_settled() {
            return Poll::Ready(event);
        }
        let old = if locked.is_queued(waiter.as_mut()) {
            locked.set_waker(waiter, waker)
        } else {
            locked.push_back(waiter, waker);
            None
        };
        drop(locked);
        drop(old);
        cell.note_wait(interest);
        Poll::Pending
    }
}

impl Drop for Readiness<'_> {
    fn drop(&mut self) {
        if !self.waiter.is_armed() {
            return;
        }
        // SAFETY: a value that was pinned is being dropped; it is not moved any more.
        let (cell, _, waiter) = unsafe { Pin::new_unchecked(self) }.project();
        let removed = cell.waiters.lock().remove(waiter);
        drop(removed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::pin::pin;

    #[test]
    fn clearing_an_old_event_keeps_what_came_since() {
        let cell = ReadyCell::new();
        let mut wakes = WakeList::new();
        cell.set(Ready::READABLE, &mut wakes);
        let seen = cell.event(Interest::READABLE);
        cell.set(Ready::READABLE, &mut wakes);
        cell.clear(seen);
        assert!(cell.event(Interest::READABLE).ready.is_readable());
        cell.clear(cell.event(Interest::READABLE));
        assert!(cell.event(Interest::READABLE).ready.is_empty());
        assert!(wakes.is_empty());
    }

    #[test]
    fn closed_cannot_be_cleared() {
        let cell = ReadyCell::new();
        cell.set(Ready::READ_CLOSED | Ready::READABLE, &mut WakeList::new());
        cell.clear(cell.event(Interest::READABLE));
        let event = cell.event(Interest::READABLE);
        assert_eq!(event.ready, Ready::READ_CLOSED);
        assert!(event.is_ever_ready());
        assert!(!cell.event(Interest::WRITABLE).is_ever_ready());
    }

    #[test]
    fn setting_wakes_who_waits_for_it_and_nobody_else() {
        let cell = ReadyCell::new();
        let mut cx = Context::from_waker(Waker::noop());
        let mut wakes = WakeList::new();
        let mut reader = pin!(cell.wait(Interest::READABLE));
        assert!(reader.as_mut().poll(&mut cx).is_pending());
        assert!(cell.poll(&mut cx, Direction::Write).is_pending());
        cell.set(Ready::READABLE, &mut wakes);
        assert_eq!(wakes.len(), 1);
        assert!(reader.poll(&mut cx).is_ready());
        cell.shut_down(&mut wakes);
        assert_eq!(wakes.len(), 2);
        assert!(matches!(cell.poll(&mut cx, Direction::Write), Poll::Ready(e) if e.is_shutdown));
    }
}
