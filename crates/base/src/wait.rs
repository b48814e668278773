//! The one waiter list: an intrusive queue of pinned waiters under a lock, [`WaitQueue`].
//!
//! A future owns a [`Waiter`] and queues it; whoever makes the awaited thing true pops waiters
//! and wakes them after unlocking. A waiter's `place` says who may touch its data and its links:
//!
//! | place | who may touch the rest | goes to |
//! |---|---|---|
//! | `FREE` | its owner | `QUEUED` by `push_back` |
//! | `QUEUED` | who holds the queue's lock | `POPPED` by whoever pops it, `FREE` by `remove` |
//! | `POPPED` | its owner, who thus learns of it without the lock | `FREE` by `settle`, `remove` |
//!
//! The API is safe because: a waiter is pinned, so it stays where the links point; it is bound to
//! the queue that it is in and checked against it, so links never cross two locks; its owner must
//! `remove` it before it is dropped while queued, else the process aborts; and the owner's side
//! takes `Pin<&mut Waiter>`, so two threads never act as owner at once.

pub mod lock;

use std::fmt;
use std::marker::PhantomPinned;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll, Waker};

use crate::atomic::{AtomicUsize, ListGuard, ListLock, Ordering, UnsafeCell};
use crate::const_unless_model;
use crate::waits::{self, Wait};
use crate::wake::WakeList;

const FREE: usize = 0;
const QUEUED: usize = 1;
const POPPED: usize = 2;

/// A lock around a value `G` and a queue of waiters that carry a `T` each.
pub struct WaitQueue<G, T> {
    locked: ListLock<Guarded<G, T>>,
}

struct Guarded<G, T> {
    value: G,
    head: Link<T>,
    tail: Link<T>,
}

type Link<T> = Option<NonNull<Waiter<T>>>;

/// A place in a [`WaitQueue`], owned by the future that waits.
pub struct Waiter<T> {
    /// `FREE`, `QUEUED` or `POPPED`: see the table above.
    place: AtomicUsize,
    /// The queue it is bound to while it is not `FREE`, else null; read and written by the owner
    /// only. (Unlike an atomic it costs nothing where the compiler knows it: for who never waits.)
    queue: *const (),
    /// Touched by whom `place` names.
    data: UnsafeCell<T>,
    /// Written before the place is `QUEUED`, and touched while it is.
    links: UnsafeCell<MaybeUninit<Links<T>>>,
    _pin: PhantomPinned,
}

/// The neighbours of a queued waiter, and its waker: `Some` until it leaves the queue, so that a
/// waiter that is not queued has nothing to drop here.
struct Links<T> {
    prev: Link<T>,
    next: Link<T>,
    waker: Option<Waker>,
}

/// A locked [`WaitQueue`]; dereferences to its value.
pub struct Locked<'a, G, T> {
    guard: ListGuard<'a, Guarded<G, T>>,
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
// SAFETY: `queue` is an identity, never followed; who touches the rest is said by `place`.
unsafe impl<T: Send> Send for Waiter<T> {}
// SAFETY: a shared `Waiter` offers no operation at all.
unsafe impl<T: Send> Sync for Waiter<T> {}

// Nor can anybody see what a panic has left in it.
impl<T> UnwindSafe for Waiter<T> {}
impl<T> RefUnwindSafe for Waiter<T> {}

impl<G, T> WaitQueue<G, T> {
    const_unless_model! {
        /// An empty queue around `value`.
        pub const fn new(value: G) -> Self {
            Self { locked: ListLock::new(Guarded { value, head: None, tail: None }) }
        }
    }

    /// Locks the queue: for a few instructions, and none of them a user's.
    #[inline]
    pub fn lock(&self) -> Locked<'_, G, T> {
        Locked {
            guard: self.locked.lock(),
            id: ptr::from_ref(self).cast(),
        }
    }

    /// Ready once `waiter` is no longer queued, to be [settled](Waiter::settle) by the caller;
    /// until then it is to be woken by the task of `cx`, and waits for `what`, by what it carries.
    ///
    /// The waker is cloned and dropped outside of the lock.
    #[inline]
    pub fn poll_popped<W: Into<Wait>>(
        &self,
        waiter: Pin<&mut Waiter<T>>,
        cx: &mut Context<'_>,
        what: impl FnOnce(&T) -> W,
    ) -> Poll<()> {
        if waiter.is_popped() {
            return Poll::Ready(());
        }
        self.poll_queued(waiter, cx, what)
    }

    fn poll_queued<W: Into<Wait>>(
        &self,
        mut waiter: Pin<&mut Waiter<T>>,
        cx: &mut Context<'_>,
        what: impl FnOnce(&T) -> W,
    ) -> Poll<()> {
        let mut locked = self.lock();
        if !locked.is_queued(waiter.as_mut()) {
            return Poll::Ready(());
        }
        waits::note(|| what(locked.data(waiter.as_mut())));
        if locked.will_wake(waiter.as_mut(), cx.waker()) {
            return Poll::Pending;
        }
        drop(locked);
        let fresh = cx.waker().clone();
        let mut locked = self.lock();
        let (told, stale) = if locked.is_queued(waiter.as_mut()) {
            (Poll::Pending, locked.set_waker(waiter, fresh))
        } else {
            (Poll::Ready(()), Some(fresh))
        };
        drop(locked);
        drop(stale);
        told
    }
}

impl<T> Waiter<T> {
    const_unless_model! {
        /// A waiter that is in no queue.
        pub const fn new(data: T) -> Self {
            Self {
                place: AtomicUsize::new(FREE),
                queue: ptr::null(),
                data: UnsafeCell::new(data),
                links: UnsafeCell::new(MaybeUninit::uninit()),
                _pin: PhantomPinned,
            }
        }
    }

    /// Whether this waiter was queued, and neither settled nor removed since.
    #[inline]
    pub fn is_armed(&self) -> bool {
        !self.queue.is_null()
    }

    /// Whether the waiter is not, or no longer, in the queue.
    #[inline]
    pub fn is_popped(&self) -> bool {
        // Acquire: pairs with the Release in pop(); the data is the owner's from here on,
        // and what preceded the popping is seen.
        self.place.load(Ordering::Acquire) != QUEUED
    }

    /// [`settle`](Self::settle), if this waiter was queued and then popped; whether it was.
    #[inline]
    pub fn settle_popped(self: Pin<&mut Self>) -> bool {
        let popped = self.is_armed() && self.is_popped();
        if popped {
            self.free();
        }
        popped
    }

    /// Ends the wait of a waiter that was popped; returns what it carries.
    ///
    /// # Panics
    /// If it is queued.
    #[inline]
    pub fn settle(self: Pin<&mut Self>) -> &mut T {
        assert!(self.is_popped(), "a waiter is settled once it was popped");
        self.free().data.with_mut(|data| {
            // SAFETY: not queued, so the data is the owner's, who is borrowed for the result.
            unsafe { &mut *data }
        })
    }
}

impl<T> Waiter<T> {
    /// Unbinds a waiter that is in no queue.
    #[inline]
    fn free(self: Pin<&mut Self>) -> &mut Self {
        // SAFETY: nothing is moved out of the pin: the caller is in this file, and borrows.
        let this = unsafe { self.get_unchecked_mut() };
        // Relaxed: nobody else knows of a waiter that is in no queue.
        this.place.store(FREE, Ordering::Relaxed);
        this.queue = ptr::null();
        this
    }
}

impl<T> Drop for Waiter<T> {
    fn drop(&mut self) {
        if self.is_armed() && !self.is_popped() {
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
        let tail = self.guard.tail;
        let links = Links {
            prev: tail,
            next: None,
            waker: Some(waker),
        };
        let this = self.bind(waiter, links);
        match tail {
            Some(tail) => with_links(tail, |links| links.next = Some(this)),
            None => self.guard.head = Some(this),
        }
        self.guard.tail = Some(this);
    }

    /// Whether `waiter` is in the queue: pushed, and neither popped nor removed.
    pub fn is_queued(&self, waiter: Pin<&mut Waiter<T>>) -> bool {
        // Relaxed: under the lock, which the one who pops it holds too.
        place(self.bound(waiter)).load(Ordering::Relaxed) == QUEUED
    }

    /// What `waiter` carries.
    pub fn data<'a>(&'a mut self, waiter: Pin<&'a mut Waiter<T>>) -> &'a mut T {
        let this = self.bound(waiter);
        // SAFETY: `this` is the pinned waiter borrowed for 'a.
        let waiter = unsafe { this.as_ref() };
        waiter.data.with_mut(|data| {
            // SAFETY: the lock of its queue is held for 'a (`&'a mut self`), and `bound` checked
            // that it is this queue.
            unsafe { &mut *data }
        })
    }

    /// Whether the queued `waiter` would wake the same task as `waker`.
    pub fn will_wake(&self, mut waiter: Pin<&mut Waiter<T>>, waker: &Waker) -> bool {
        let queued = self.is_queued(waiter.as_mut());
        let known = |links: &mut Links<T>| links.waker.as_ref().is_some_and(|w| w.will_wake(waker));
        queued && with_links(self.bound(waiter), known)
    }

    /// Replaces the waker of a queued `waiter`; drop the old one after unlocking.
    ///
    /// # Panics
    /// If it is not queued.
    #[must_use = "the waker is to be dropped after unlocking"]
    pub fn set_waker(&mut self, mut waiter: Pin<&mut Waiter<T>>, waker: Waker) -> Option<Waker> {
        let queued = self.is_queued(waiter.as_mut());
        assert!(queued, "who is not queued waits for no wake");
        with_links(self.bound(waiter), |links| links.waker.replace(waker))
    }

    /// Takes `waiter` out of the queue, if it is still in; its data stays with it.
    pub fn remove(&mut self, mut waiter: Pin<&mut Waiter<T>>) -> Removed {
        let was_queued = self.is_queued(waiter.as_mut());
        let this = self.bound(waiter.as_mut());
        let mut waker = None;
        if was_queued {
            waker = self.unlink(this);
        }
        // Relaxed: nobody else knows of a waiter that is in no queue.
        place(this).store(FREE, Ordering::Relaxed);
        // SAFETY: only the owner's field is written; nothing is moved out of the pin.
        unsafe { waiter.get_unchecked_mut() }.queue = ptr::null();
        Removed { was_queued, waker }
    }

    /// What the first waiter carries.
    pub fn front(&mut self) -> Option<&mut T> {
        // SAFETY: what is linked is pinned and not dropped: `remove` is owed until then.
        let waiter = unsafe { self.guard.head?.as_ref() };
        // SAFETY: the lock is held for as long as the borrow of `self` lasts.
        Some(waiter.data.with_mut(|data| unsafe { &mut *data }))
    }

    /// Takes the first waiter out; wake the waker after unlocking.
    pub fn pop_front(&mut self) -> Option<Waker> {
        let front = self.guard.head?;
        self.pop(front)
    }

    /// Takes the last waiter out, after `f` has seen what it carries.
    pub fn pop_back_with(&mut self, f: impl FnOnce(&mut T)) -> Option<Waker> {
        let back = self.guard.tail?;
        with_data(back, f);
        self.pop(back)
    }

    /// Takes the first waiter out, after `f` has seen what it carries.
    pub fn pop_front_with(&mut self, f: impl FnOnce(&mut T)) -> Option<Waker> {
        let front = self.guard.head?;
        with_data(front, f);
        self.pop(front)
    }

    /// Takes out every waiter whose data `chosen` accepts, in order; wake `wakes` after unlocking.
    ///
    /// `chosen` runs under the lock and must be short. It may change the data.
    pub fn pop_all(&mut self, wakes: &mut WakeList, mut chosen: impl FnMut(&mut T) -> bool) {
        // Bounded by the length of the queue, which does not grow while it is locked.
        let mut next = self.guard.head;
        while let Some(this) = next {
            next = with_links(this, |links| links.next);
            if with_data(this, &mut chosen) {
                wakes.extend(self.pop(this));
            }
        }
    }

    /// Takes out every waiter, in order, after `mark` has seen what it carries; unlocks, and wakes
    /// them.
    ///
    /// `mark` runs under the lock and must be short.
    ///
    /// # Panics
    /// When a waker panics; the others have been woken all the same.
    #[inline]
    pub fn wake_all(mut self, mut mark: impl FnMut(&mut T)) {
        let first = self.pop_front_with(&mut mark);
        if self.has_waiters() {
            return self.wake_many(first, mark);
        }
        // Most often one waits or nobody does, and no list of wakers is needed.
        drop(self);
        if let Some(first) = first {
            first.wake();
        }
    }

    /// [`wake_all`](Self::wake_all) of the rest of the queue, behind `first`.
    #[inline(never)]
    fn wake_many(mut self, first: Option<Waker>, mut mark: impl FnMut(&mut T)) {
        let mut wakes = WakeList::new();
        wakes.extend(first);
        self.pop_all(&mut wakes, |data| {
            mark(data);
            true
        });
        drop(self);
        wakes.wake_all();
    }

    fn pop(&mut self, this: NonNull<Waiter<T>>) -> Option<Waker> {
        let waker = self.unlink(this);
        // Release: pairs with the Acquire in is_popped(). The last touch: with this, its owner may
        // go on and drop it.
        place(this).store(POPPED, Ordering::Release);
        waker
    }

    /// Takes a queued waiter out of the chain, and its waker with it.
    fn unlink(&mut self, this: NonNull<Waiter<T>>) -> Option<Waker> {
        debug_assert_eq!(place(this).load(Ordering::Relaxed), QUEUED);
        let (prev, next, waker) =
            with_links(this, |links| (links.prev, links.next, links.waker.take()));
        match prev {
            Some(prev) => with_links(prev, |links| links.next = next),
            None => self.guard.head = next,
        }
        match next {
            Some(next) => with_links(next, |links| links.prev = prev),
            None => self.guard.tail = prev,
        }
        waker
    }

    /// Binds `waiter`, which is in no queue, to this one, as queued between `links`.
    fn bind(&self, mut waiter: Pin<&mut Waiter<T>>, links: Links<T>) -> NonNull<Waiter<T>> {
        if waiter.is_armed() {
            self.bound(waiter.as_mut());
            assert!(waiter.is_popped(), "a waiter is queued once at a time");
        }
        // SAFETY: only fields that are the owner's are written; nothing is moved out of the pin.
        let waiter = unsafe { waiter.get_unchecked_mut() };
        waiter.queue = self.id;
        waiter.links.with_mut(|place| {
            // SAFETY: not queued, so that the links are the owner's, who is borrowed here.
            unsafe { &mut *place }.write(links);
        });
        // Relaxed: only the owner and this lock's holders read it, and both are here.
        waiter.place.store(QUEUED, Ordering::Relaxed);
        NonNull::from(waiter)
    }

    /// The address of a waiter that is not bound elsewhere.
    fn bound(&self, waiter: Pin<&mut Waiter<T>>) -> NonNull<Waiter<T>> {
        // SAFETY: nothing is moved out of the pin.
        let waiter = unsafe { waiter.get_unchecked_mut() };
        let here = !waiter.is_armed() || waiter.queue == self.id;
        assert!(here, "a waiter belongs to one queue at a time");
        NonNull::from(waiter)
    }
}

/// Where a waiter is that belongs to the queue whose lock the caller holds.
fn place<'a, T: 'a>(waiter: NonNull<Waiter<T>>) -> &'a AtomicUsize {
    // SAFETY: it is either borrowed by the caller or linked, hence pinned and not dropped; no
    // caller keeps the result beyond the store that lets the owner go.
    &unsafe { waiter.as_ref() }.place
}

/// Calls `f` with what a waiter carries that is in the queue whose lock the caller holds.
fn with_data<T, R>(waiter: NonNull<Waiter<T>>, f: impl FnOnce(&mut T) -> R) -> R {
    // SAFETY: it is linked, hence pinned and not dropped.
    let waiter = unsafe { waiter.as_ref() };
    // SAFETY: while QUEUED the data is touched under the queue's lock only, one at a time.
    waiter.data.with_mut(|data| f(unsafe { &mut *data }))
}

/// Calls `f` with the links of a waiter that is in the queue whose lock the caller holds.
fn with_links<T, R>(waiter: NonNull<Waiter<T>>, f: impl FnOnce(&mut Links<T>) -> R) -> R {
    // SAFETY: it is linked, hence pinned and not dropped.
    let waiter = unsafe { waiter.as_ref() };
    waiter.links.with_mut(|links| {
        // SAFETY: while QUEUED the links are touched under the queue's lock only, one at a time.
        let links = unsafe { &mut *links };
        // SAFETY: QUEUED: `bind` wrote them.
        f(unsafe { links.assume_init_mut() })
    })
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
            .field("armed", &self.is_armed())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
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
    fn who_was_popped_learns_of_it_and_settles_without_the_lock() {
        let queue = WaitQueue::new(());
        let mut waiter = pin!(Waiter::new(1));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(!waiter.is_armed());
        queue.lock().push_back(waiter.as_mut(), waker());
        assert!(
            queue
                .poll_popped(waiter.as_mut(), &mut cx, |_| "")
                .is_pending()
        );
        let popped = queue.lock().pop_front_with(|data| *data = 2);
        assert!(popped.is_some());
        let locked = queue.lock();
        assert!(
            queue
                .poll_popped(waiter.as_mut(), &mut cx, |_| "")
                .is_ready()
        );
        assert!(waiter.is_armed());
        assert_eq!(*waiter.as_mut().settle(), 2);
        drop(locked);
        assert!(!waiter.is_armed());
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
    fn a_waiter_is_in_one_queue_at_a_time() {
        let (one, two) = (WaitQueue::new(()), WaitQueue::new(()));
        let mut waiter = pin!(Waiter::new(()));
        one.lock().push_back(waiter.as_mut(), waker());
        let again = |queue: &WaitQueue<(), ()>, waiter: Pin<&mut Waiter<()>>| {
            let push = || queue.lock().push_back(waiter, waker());
            catch_unwind(AssertUnwindSafe(push)).is_err()
        };
        assert!(again(&one, waiter.as_mut()) && again(&two, waiter.as_mut()));
        assert!(one.lock().remove(waiter.as_mut()).was_queued);
        assert!(!again(&two, waiter.as_mut()));
        assert!(two.lock().remove(waiter.as_mut()).was_queued);
    }
}
