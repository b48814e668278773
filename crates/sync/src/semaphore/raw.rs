//! The semaphore under `Semaphore`, `Mutex`, `RwLock`, `OnceCell` and bounded channels.
//!
//! Free permits are taken and given by one atomic operation on [`PermitWord`]. Who finds too few
//! queues, first come first served: permits that come back go, without a detour through the word,
//! to the first waiter until it has enough, then to the next; nobody overtakes. Invariant, under
//! the queue's lock: the word says `QUEUED` if and only if the queue is not empty.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;
use yamanote_base::budget;
use yamanote_base::const_unless_model;
use yamanote_base::wait::{Locked, WaitQueue, Waiter};
use yamanote_base::waits::{self, Detail};
use yamanote_base::wake::WakeList;
use yamanote_trace::{Resource, op_update, resource, update};

use crate::coop::poll_charged;

use super::error::{AcquireError, TryAcquireError};
use super::needed::{Needed, PermitUse};
use super::word::{Given, PermitWord, Take, assert_fits};

pub(crate) use super::word::MAX_PERMITS;

/// Counted permits and a fair queue of those who wait for some.
pub(crate) struct RawSemaphore {
    word: PermitWord,
    /// A waiter carries the number of permits that it still needs.
    waiters: WaitQueue<(), Needed>,
    resource: Resource,
}

/// Permits that were just taken, and go back if telling of it panics.
struct Taken<'a>(&'a RawSemaphore, usize);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.release(self.1);
    }
}

impl RawSemaphore {
    const_unless_model! {
        /// A semaphore with `permits` free ones, which is not listed.
        ///
        /// # Panics
        /// If there are more than [`MAX_PERMITS`].
        #[track_caller]
        pub(crate) const fn new(permits: usize) -> Self {
            assert!(
                permits <= MAX_PERMITS,
                "a semaphore may not have more than MAX_PERMITS permits"
            );
            Self {
                word: PermitWord::new(permits),
                waiters: WaitQueue::new(()),
                resource: Resource::none(),
            }
        }
    }

    /// [`new`](Self::new), which says how many there may be. In a constant, where that may be, no
    /// number can be written.
    #[track_caller]
    pub(crate) fn with_at_most_max(permits: usize) -> Self {
        assert!(
            permits <= MAX_PERMITS,
            "a semaphore may not have more than MAX_PERMITS permits ({MAX_PERMITS})"
        );
        Self::new(permits)
    }

    /// A semaphore that is listed as a part of the resource in whose scope this is called.
    #[track_caller]
    pub(crate) fn listed(permits: usize) -> Self {
        let semaphore = Self::with_at_most_max(permits);
        let resource = resource!(
            "tokio::sync::batch_semaphore",
            "Semaphore",
            "Sync",
            is_internal = true
        );
        let semaphore = Self {
            resource,
            ..semaphore
        };
        semaphore.tell_permits(permits, "override");
        semaphore
    }

    /// Tells who listens how many permits are free, or came, or went.
    #[inline]
    fn tell_permits(&self, n: usize, op: &'static str) {
        self.resource
            .in_scope(|| update!(permits = n as u64, permits.op = op));
    }

    /// What reports know the semaphore by.
    #[inline(always)]
    pub(crate) fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// How many permits are free.
    pub(crate) fn available(&self) -> usize {
        self.word.free()
    }

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.word.is_closed()
    }

    /// Takes `n` permits at once or not at all. Tells nobody: a subscriber may send to itself over
    /// a channel while a callsite is registered, when a first event would wait for ever.
    #[inline]
    pub(crate) fn try_acquire(&self, n: usize) -> Result<(), TryAcquireError> {
        match self.word.try_take(n) {
            Take::Taken => Ok(()),
            Take::Short => Err(TryAcquireError::NoPermits),
            Take::Closed => Err(TryAcquireError::Closed),
        }
    }

    /// Takes `n` permits at the cost of a unit of the task's budget, as the first poll of
    /// [`acquire`](Self::acquire) would, if that is possible at once.
    ///
    /// `false`: only a poll can tell what to do; where waits are listed, one is always wanted.
    #[inline]
    pub(crate) fn take_charged(&self, n: usize) -> bool {
        let taken = !yamanote_trace::is_listening()
            && budget::current().has_remaining()
            && self.word.try_take(n) == Take::Taken;
        if taken {
            budget::spend();
        }
        taken
    }

    /// Waits for `n` permits, which are for `permit_use`.
    ///
    /// *Cancel safety:* dropping the future gives back what it already got, and its place.
    #[inline]
    pub(crate) fn acquire(&self, n: usize, permit_use: PermitUse) -> Acquire<'_> {
        Acquire {
            semaphore: self,
            wanted: n,
            waiter: Waiter::new(Needed::none(permit_use)),
        }
    }

    /// Gives `n` permits back, or adds new ones.
    ///
    /// # Panics
    /// When there would be more than [`MAX_PERMITS`].
    #[inline]
    #[track_caller]
    pub(crate) fn release(&self, n: usize) {
        self.release_expecting(n, true);
    }

    /// [`release`](Self::release) by who `expects` that somebody waits, or that nobody does: it is
    /// cheaper for who is right. Returns whether somebody did.
    #[inline]
    #[track_caller]
    pub(crate) fn release_expecting(&self, n: usize, expects: bool) -> bool {
        if n == 0 {
            return expects;
        }
        match self.word.give(n, expects) {
            Given::Free => {
                self.tell_permits(n, "add");
                false
            }
            Given::Keep(n) => {
                self.hand_out(n);
                true
            }
        }
    }

    /// Tells who listens that the caller has just taken `n` permits.
    #[inline]
    fn tell_taken(&self, n: usize) {
        let taken = Taken(self, n);
        self.tell_permits(n, "sub");
        mem::forget(taken);
    }

    /// Destroys up to `n` free permits; returns how many.
    pub(crate) fn forget(&self, n: usize) -> usize {
        self.word.forget(n)
    }

    /// Grants nothing any more; all who wait are told.
    pub(crate) fn close(&self) {
        let locked = self.waiters.lock();
        self.word.mark_closed();
        if locked.has_waiters() {
            // The queue is emptied before it is unlocked.
            self.word.mark_unqueued(0);
        }
        locked.wake_all(|_| {});
    }

    /// Hands `n` permits, and the strays, to those who wait, in their order.
    #[cold]
    #[track_caller]
    fn hand_out(&self, n: usize) {
        let mut locked = self.waiters.lock();
        if !locked.has_waiters() {
            // Those who waited have left; and while this lock is held nobody starts to wait.
            let given = self.word.give(n, true);
            debug_assert!(given == Given::Free, "QUEUED: the queue is not empty");
            return;
        }
        let all = n + self.word.take_strays();
        let mut left = all;
        let first = serve(&mut locked, &mut left);
        if left > 0 && locked.has_waiters() {
            left = self.hand_out_to_many(locked, left, first);
        } else {
            // Most often one waiter takes all there is, and no list of wakers is needed.
            self.unlock(locked, left);
            if let Some(first) = first {
                first.wake();
            }
        }
        assert_fits(left, 0);
        // Told when all is done: who listens may panic.
        self.tell_permits(left, "add");
        tell_obtained(all - left, "add");
    }

    /// Hands `left` permits to those behind `first`, wakes all, and returns what is over.
    #[inline(never)]
    fn hand_out_to_many(
        &self,
        mut locked: Locked<'_, (), Needed>,
        mut left: usize,
        first: Option<Waker>,
    ) -> usize {
        let mut wakes = WakeList::new();
        wakes.extend(first);
        // Bounded by the length of the queue.
        while let Some(next) = serve(&mut locked, &mut left) {
            wakes.push(next);
        }
        self.unlock(locked, left);
        wakes.wake_all();
        left
    }

    /// Unlocks the queue; if it is empty now, `left` permits are free for anybody.
    #[inline]
    fn unlock(&self, locked: Locked<'_, (), Needed>, left: usize) {
        if !locked.has_waiters() {
            self.word.mark_unqueued(left.min(MAX_PERMITS));
        }
        drop(locked);
    }

    /// Takes permits, or queues `waiter` if there are too few after all.
    #[inline]
    fn poll_first(
        &self,
        waiter: Pin<&mut Waiter<Needed>>,
        wanted: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), AcquireError>> {
        match self.word.try_take(wanted) {
            Take::Taken => {
                self.tell_taken(wanted);
                Poll::Ready(Ok(()))
            }
            Take::Short => self.poll_enqueue(waiter, wanted, cx),
            Take::Closed => Poll::Ready(Err(AcquireError::closed())),
        }
    }

    /// Takes permits that have just come, or queues `waiter` for `wanted`.
    #[cold]
    fn poll_enqueue(
        &self,
        mut waiter: Pin<&mut Waiter<Needed>>,
        wanted: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), AcquireError>> {
        // Before the lock: cloning and dropping a waker is user code.
        let waker = cx.waker().clone();
        let mut locked = self.waiters.lock();
        let taken = match self.word.take_or_mark_queued(wanted) {
            None => return Poll::Ready(Err(AcquireError::closed())),
            Some(taken) if taken == wanted => {
                drop(locked);
                self.tell_taken(wanted);
                return Poll::Ready(Ok(()));
            }
            Some(taken) => taken,
        };
        let needed = locked.data(waiter.as_mut());
        needed.set(wanted - taken);
        let needed = *needed;
        locked.push_back(waiter, waker);
        drop(locked);
        waits::note(|| (needed.text(), Detail::Taken(self.address())));
        self.tell_permits(taken, "sub");
        op_update!(
            permits_requested = wanted as u64,
            permits_requested.op = "override"
        );
        tell_obtained(taken, "override");
        Poll::Pending
    }

    /// Whether the queued `waiter` got what it `wanted`.
    fn poll_queued(
        &self,
        mut waiter: Pin<&mut Waiter<Needed>>,
        wanted: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), AcquireError>> {
        let what = |needed: &Needed| (needed.text(), Detail::Taken(self.address()));
        ready!(self.waiters.poll_popped(waiter.as_mut(), cx, what));
        if !budget::current().has_remaining() {
            // What it got stays its own until it has budget again.
            return poll_charged(cx, |_| unreachable!("nothing was left of the budget"));
        }
        let needed = waiter.settle().permits();
        // Closing comes first, also for who was handed all its permits before.
        if needed == 0 && !self.word.is_closed() {
            return Poll::Ready(Ok(()));
        }
        // What it got so far goes back.
        self.release(wanted - needed);
        Poll::Ready(Err(AcquireError::closed()))
    }

    /// Takes `waiter` out of the queue and gives back what it already got of `wanted`.
    #[cold]
    fn cancel(&self, mut waiter: Pin<&mut Waiter<Needed>>, wanted: usize) {
        let mut locked = self.waiters.lock();
        let needed = locked.data(waiter.as_mut()).permits();
        let removed = locked.remove(waiter);
        if removed.was_queued && !locked.has_waiters() {
            self.word.mark_unqueued(0);
        }
        drop(locked);
        drop(removed);
        self.release(wanted - needed);
    }
}

/// Tells who listens how many permits a wait has got.
fn tell_obtained(n: usize, op: &'static str) {
    op_update!(permits_obtained = n as u64, permits_obtained.op = op);
}

/// Gives the first waiter what it needs out of `left`; its waker, if it now has enough.
fn serve(locked: &mut Locked<'_, (), Needed>, left: &mut usize) -> Option<Waker> {
    if *left == 0 {
        return None;
    }
    let needed = locked.front()?;
    needed.take_of(left);
    if needed.permits() > 0 {
        None
    } else {
        locked.pop_front()
    }
}

impl fmt::Debug for RawSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("permits", &self.available())
            .finish()
    }
}

pin_project! {
    /// A future that waits for permits; whoever gets them must give them back.
    pub(crate) struct Acquire<'a> {
        semaphore: &'a RawSemaphore,
        wanted: usize,
        // Carries what is still needed; armed while there is something to clean up.
        #[pin]
        waiter: Waiter<Needed>,
    }

    impl PinnedDrop for Acquire<'_> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if this.waiter.is_armed() {
                this.semaphore.cancel(this.waiter, *this.wanted);
            }
        }
    }
}

impl Future for Acquire<'_> {
    type Output = Result<(), AcquireError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (semaphore, wanted, waiter) = (*this.semaphore, *this.wanted, this.waiter);
        // Who must wait takes its place in the queue also without budget, so that it is not
        // overtaken by those that have some.
        let acquired = if waiter.is_armed() {
            ready!(semaphore.poll_queued(waiter, wanted, cx))
        } else if semaphore.word.would_be_short(wanted) {
            ready!(semaphore.poll_enqueue(waiter, wanted, cx))
        } else {
            return poll_charged(cx, |cx| semaphore.poll_first(waiter, wanted, cx));
        };
        let charged = poll_charged(cx, |_| Poll::Ready(()));
        if charged.is_pending() {
            // The permits came in between, and cannot be taken without budget.
            semaphore.release(if acquired.is_ok() { wanted } else { 0 });
            return Poll::Pending;
        }
        Poll::Ready(acquired)
    }
}
