//! The one waiter list: an intrusive queue of pinned waiters under a lock, [`WaitQueue`].
//!
//! A future owns a [`Waiter`] and queues it; whoever makes the awaited thing true pops waiters
//! and wakes them after unlocking. Everything in a waiter but `queue` and `armed` is touched
//! only under the lock of the queue that it is bound to.
//!
//! ```text
//!            push_back                 pop_front
//!   FREE ────────────────▶ QUEUED ────────────────▶ POPPED
//!    ▲                        │ remove                 │ remove
//!    └────────────────────────┴────────────────────────┘
//! ```
//!
//! The API is safe because: a waiter is pinned, so it stays where the links point; it is bound
//! to the first queue that it meets and checked against it, so links never cross two locks; its
//! owner must `remove` it before it is dropped, else the process aborts; and the owner's side
//! takes `Pin<&mut Waiter>`, so two threads never act as owner at once.

use std::fmt;
use std::marker::PhantomPinned;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll, Waker};

use crate::atomic::UnsafeCell;
use crate::const_unless_model;
use crate::lock::{Mutex, MutexGuard};
use crate::wake::WakeList;

/// A lock around a value `G` and a queue of waiters that carry a `T` each.
pub struct WaitQueue<G, T> {
    locked: Mutex<Guarded<G, T>>,
}

struct Guarded<G, T> {
    value: G,
    head: Link<T>,
    tail: Link<T>,
}

type Link<T> = Option<NonNull<Waiter<T>>>;

/// A place in a [`WaitQueue`], owned by the future that waits.
pub struct Waiter<T> {
    node: UnsafeCell<Node<T>>,
    /// The queue it is bound to; read and written by the owner only.
    queue: *const (),
    /// Whether `remove` is still owed; read and written by the owner only.
    armed: bool,
    _pin: PhantomPinned,
}

/// Touched only under the lock of the queue that the waiter is bound to.
struct Node<T> {
    prev: Link<T>,
    next: Link<T>,
    queued: bool,
    waker: Option<Waker>,
    data: T,
}

/// A locked [`WaitQueue`]; dereferences to its value.
pub struct Locked<'a, G, T> {
    guard: MutexGuard<'a, Guarded<G, T>>,
    id: *const (),
}

/// What [`Locked::remove`] found.
#[derive(Debug)]
#[must_use = "the waker is to be dropped after unlocking"]
pub struct Removed {
    /// Whether the waiter was still in the queue: nobody had popped it.
    pub was_queued: bool,
    /// The waker it still held; drop it after unlocking.
    pub waker: Option<Waker>,
}

// SAFETY: the links inside lead to waiters that are touched only under the lock, and these carry
// a `T: Send` and a waker.
unsafe impl<G: Send, T: Send> Send for Guarded<G, T> {}
// SAFETY: `queue` is an identity, never followed; the node is touched under its queue's lock.
unsafe impl<T: Send> Send for Waiter<T> {}
// SAFETY: a shared `Waiter` offers no operation at all.
unsafe impl<T: Send> Sync for Waiter<T> {}

impl<G, T> WaitQueue<G, T> {
    const_unless_model! {
        /// An empty queue around `value`.
        pub const fn new(value: G) -> Self {
            Self { locked: Mutex::new(Guarded { value, head: None, tail: None }) }
        }
    }

    /// Locks the queue.
    pub fn lock(&self) -> Locked<'_, G, T> {
        Locked {
            guard: self.locked.lock(),
            id: ptr::from_ref(self).cast(),
        }
    }

    /// Ready, with the queue locked, once `waiter` is no longer queued; until then it is to be
    /// woken by the task of `cx`. The waker is cloned and dropped outside of the lock.
    pub fn poll_popped(
        &self,
        mut waiter: Pin<&mut Waiter<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<Locked<'_, G, T>> {
        let locked = self.lock();
        if !locked.is_queued(waiter.as_mut()) {
            return Poll::Ready(locked);
        }
        if locked.will_wake(waiter.as_mut(), cx.waker()) {
            return Poll::Pending;
        }
        drop(locked);
        let fresh = cx.waker().clone();
        let mut locked = self.lock();
        if !locked.is_queued(waiter.as_mut()) {
            // The lock is returned, so the clone must not be dropped here and now.
            drop(locked);
            drop(fresh);
            return Poll::Ready(self.lock());
        }
        let stale = locked.set_waker(waiter, fresh);
        drop(locked);
        drop(stale);
        Poll::Pending
    }
}

impl<T> Waiter<T> {
    const_unless_model! {
        /// A waiter that is in no queue.
        pub const fn new(data: T) -> Self {
            let node = Node { prev: None, next: None, queued: false, waker: None, data };
            let node = UnsafeCell::new(node);
            Self { node, queue: ptr::null(), armed: false, _pin: PhantomPinned }
        }
    }

    /// Whether this waiter was ever queued and not removed since: its owner owes a
    /// [`remove`](Locked::remove).
    pub fn is_armed(&self) -> bool {
        self.armed
    }
}

impl<T> Drop for Waiter<T> {
    fn drop(&mut self) {
        if self.armed {
            // The queue still links here: going on would leave dangling pointers.
            eprintln!("yamanote: a waiter was dropped without being removed from its queue");
            std::process::abort();
        }
    }
}

impl<G, T> Locked<'_, G, T> {
    /// Whether anybody waits.
    pub fn has_waiters(&self) -> bool {
        self.guard.head.is_some()
    }

    /// Queues `waiter` at the back, to be woken by `waker`.
    ///
    /// # Panics
    /// If it is queued already, or bound to another queue.
    pub fn push_back(&mut self, waiter: Pin<&mut Waiter<T>>, waker: Waker) {
        let this = self.bind(waiter);
        let tail = self.guard.tail;
        with_node(this, |node| {
            assert!(!node.queued, "a waiter is queued once at a time");
            node.queued = true;
            node.waker = Some(waker);
            node.prev = tail;
            node.next = None;
        });
        match tail {
            Some(tail) => with_node(tail, |node| node.next = Some(this)),
            None => self.guard.head = Some(this),
        }
        self.guard.tail = Some(this);
    }

    /// Whether `waiter` is in the queue: pushed, and neither popped nor removed.
    pub fn is_queued(&self, waiter: Pin<&mut Waiter<T>>) -> bool {
        with_node(self.bound(waiter), |node| node.queued)
    }

    /// What `waiter` carries.
    pub fn data<'a>(&'a mut self, waiter: Pin<&'a mut Waiter<T>>) -> &'a mut T {
        let this = self.bound(waiter);
        // SAFETY: `this` is the pinned waiter borrowed for 'a.
        let waiter = unsafe { this.as_ref() };
        waiter.node.with_mut(|node| {
            // SAFETY: the lock of its queue is held for 'a (`&'a mut self`), and `bound` checked
            // that it is this queue.
            unsafe { &mut (*node).data }
        })
    }

    /// Whether `waiter` would wake the same task as `waker`.
    pub fn will_wake(&self, waiter: Pin<&mut Waiter<T>>, waker: &Waker) -> bool {
        with_node(self.bound(waiter), |node| {
            node.waker
                .as_ref()
                .is_some_and(|known| known.will_wake(waker))
        })
    }

    /// Replaces the waker of a queued `waiter`; drop the old one after unlocking.
    #[must_use = "the waker is to be dropped after unlocking"]
    pub fn set_waker(&mut self, waiter: Pin<&mut Waiter<T>>, waker: Waker) -> Option<Waker> {
        with_node(self.bound(waiter), |node| node.waker.replace(waker))
    }

    /// Takes `waiter` out of the queue, if it is still in; its data stays with it.
    pub fn remove(&mut self, mut waiter: Pin<&mut Waiter<T>>) -> Removed {
        let this = self.bound(waiter.as_mut());
        let was_queued = with_node(this, |node| node.queued);
        if was_queued {
            self.unlink(this);
        }
        // SAFETY: only `armed` is written; nothing is moved out of the pin.
        unsafe { waiter.get_unchecked_mut() }.armed = false;
        Removed {
            was_queued,
            waker: with_node(this, |node| node.waker.take()),
        }
    }

    /// What the first waiter carries.
    pub fn front(&mut self) -> Option<&mut T> {
        // SAFETY: what is linked is pinned and not dropped: `remove` is owed until then.
        let waiter = unsafe { self.guard.head?.as_ref() };
        // SAFETY: the lock is held for as long as the borrow of `self` lasts.
        Some(waiter.node.with_mut(|node| unsafe { &mut (*node).data }))
    }

    /// Takes the first waiter out; wake the waker after unlocking.
    pub fn pop_front(&mut self) -> Option<Waker> {
        let front = self.guard.head?;
        self.pop(front)
    }

    /// Takes the last waiter out, after `f` has seen what it carries.
    pub fn pop_back_with(&mut self, f: impl FnOnce(&mut T)) -> Option<Waker> {
        let back = self.guard.tail?;
        with_node(back, |node| f(&mut node.data));
        self.pop(back)
    }

    /// Takes the first waiter out, after `f` has seen what it carries.
    pub fn pop_front_with(&mut self, f: impl FnOnce(&mut T)) -> Option<Waker> {
        f(self.front()?);
        self.pop_front()
    }

    /// Takes out every waiter whose data `chosen` accepts, in order; wake `wakes` after unlocking.
    ///
    /// `chosen` runs under the lock and must be short. It may change the data.
    pub fn pop_all(&mut self, wakes: &mut WakeList, mut chosen: impl FnMut(&mut T) -> bool) {
        // Bounded by the length of the queue, which does not grow while it is locked.
        let mut next = self.guard.head;
        while let Some(this) = next {
            let take = with_node(this, |node| {
                next = node.next;
                chosen(&mut node.data)
            });
            if take {
                wakes.extend(self.pop(this));
            }
        }
    }

    fn pop(&mut self, this: NonNull<Waiter<T>>) -> Option<Waker> {
        self.unlink(this);
        with_node(this, |node| node.waker.take())
    }

    fn unlink(&mut self, this: NonNull<Waiter<T>>) {
        let (prev, next) = with_node(this, |node| {
            debug_assert!(node.queued);
            node.queued = false;
            (node.prev.take(), node.next.take())
        });
        match prev {
            Some(prev) => with_node(prev, |node| node.next = next),
            None => self.guard.head = next,
        }
        match next {
            Some(next) => with_node(next, |node| node.prev = prev),
            None => self.guard.tail = prev,
        }
    }

    /// Binds `waiter` to this queue and notes that `remove` is owed.
    fn bind(&self, waiter: Pin<&mut Waiter<T>>) -> NonNull<Waiter<T>> {
        // SAFETY: only the owner's two fields are written; nothing is moved out of the pin.
        let waiter = unsafe { waiter.get_unchecked_mut() };
        if waiter.queue.is_null() {
            waiter.queue = self.id;
        }
        assert!(waiter.queue == self.id, "a waiter belongs to one queue");
        waiter.armed = true;
        NonNull::from(waiter)
    }

    /// The address of a waiter that is not bound elsewhere.
    fn bound(&self, waiter: Pin<&mut Waiter<T>>) -> NonNull<Waiter<T>> {
        // SAFETY: nothing is moved out of the pin.
        let waiter = unsafe { waiter.get_unchecked_mut() };
        let here = waiter.queue == self.id || waiter.queue.is_null();
        assert!(here, "a waiter belongs to one queue");
        NonNull::from(waiter)
    }
}

/// Calls `f` with the node of a waiter of the queue whose lock the caller holds.
fn with_node<T, R>(waiter: NonNull<Waiter<T>>, f: impl FnOnce(&mut Node<T>) -> R) -> R {
    // SAFETY: it is either borrowed by the caller or linked, hence pinned and not dropped.
    let waiter = unsafe { waiter.as_ref() };
    // SAFETY: nodes are touched under the queue's lock only, and no two at once are the same.
    waiter.node.with_mut(|node| f(unsafe { &mut *node }))
}

impl<G, T> Deref for Locked<'_, G, T> {
    type Target = G;

    fn deref(&self) -> &G {
        &self.guard.value
    }
}

impl<G, T> DerefMut for Locked<'_, G, T> {
    fn deref_mut(&mut self) -> &mut G {
        &mut self.guard.value
    }
}

impl<G, T> fmt::Debug for WaitQueue<G, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitQueue").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Waiter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter")
            .field("armed", &self.armed)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::pin::pin;

    fn waker() -> Waker {
        Waker::noop().clone()
    }

    #[test]
    fn pops_in_order_and_removes_from_the_middle() {
        let queue = WaitQueue::new(0);
        let (mut a, mut b, mut c) = (
            pin!(Waiter::new(1)),
            pin!(Waiter::new(2)),
            pin!(Waiter::new(3)),
        );
        let mut locked = queue.lock();
        locked.push_back(a.as_mut(), waker());
        locked.push_back(b.as_mut(), waker());
        locked.push_back(c.as_mut(), waker());
        assert!(locked.remove(b.as_mut()).was_queued);
        assert_eq!(locked.front(), Some(&mut 1));
        assert!(locked.pop_front().is_some());
        assert!(!locked.is_queued(a.as_mut()));
        *locked.data(c.as_mut()) += 1;
        let mut seen = 0;
        assert!(locked.pop_front_with(|data| seen = *data).is_some());
        assert_eq!(seen, 4);
        assert!(!locked.has_waiters());
        assert!(!locked.remove(a.as_mut()).was_queued);
        assert!(!locked.remove(c.as_mut()).was_queued);
    }

    #[test]
    fn pop_all_takes_only_the_chosen() {
        let queue = WaitQueue::new(());
        let mut waiters: Vec<_> = (0..5).map(|i| Box::pin(Waiter::new(i))).collect();
        let mut wakes = WakeList::new();
        let mut locked = queue.lock();
        for waiter in &mut waiters {
            locked.push_back(waiter.as_mut(), waker());
        }
        locked.pop_all(&mut wakes, |i| *i % 2 == 0);
        assert_eq!(wakes.len(), 3);
        assert_eq!(locked.front(), Some(&mut 1));
        for waiter in &mut waiters {
            let _ = locked.remove(waiter.as_mut());
        }
    }

    #[test]
    #[should_panic(expected = "belongs to one queue")]
    fn a_waiter_cannot_meet_a_second_queue() {
        let (one, two) = (WaitQueue::new(()), WaitQueue::new(()));
        let mut waiter = pin!(Waiter::new(()));
        one.lock().push_back(waiter.as_mut(), waker());
        let _ = one.lock().remove(waiter.as_mut());
        two.lock().push_back(waiter.as_mut(), waker());
    }
}
