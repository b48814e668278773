//! The future that waits for a notification: [`NotifyWait`].

use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;
use yamanote_base::wait::Waiter;
use yamanote_base::waits;

use super::word::Round;
use super::{Notify, Order, Told};

/// What reports call it.
const NOTIFICATION: &str = "Notify or watch: a notification";

pin_project! {
    /// Waits until told, without regard to the budget. `N` leads to the [`Notify`].
    #[derive(Debug)]
    pub(crate) struct NotifyWait<N: Deref<Target = Notify>> {
        notify: N,
        // The round in which the future was made; a later one completes it.
        round: Round,
        done: bool,
        // Armed from the first `Pending` until told.
        #[pin]
        waiter: Waiter<Told>,
    }

    impl<N: Deref<Target = Notify>> PinnedDrop for NotifyWait<N> {
        fn drop(this: Pin<&mut Self>) {
            this.leave();
        }
    }
}

impl<N: Deref<Target = Notify>> NotifyWait<N> {
    #[inline]
    pub(super) fn new(notify: N) -> Self {
        let round = notify.word.round();
        Self {
            notify,
            round,
            done: false,
            waiter: Waiter::new(Told::Nothing),
        }
    }

    /// Takes a place in the queue without a task to wake; returns whether told already.
    pub(super) fn enable(self: Pin<&mut Self>) -> bool {
        if self.waiter.is_armed() {
            let this = self.project();
            *this.done = this.waiter.settle_popped();
            return *this.done;
        }
        // `poll_first` wakes nobody but through the queue, where this waker does nothing.
        self.poll_wait(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    /// Gives up its place, and what it was told and nobody heard.
    #[inline]
    pub(super) fn leave(self: Pin<&mut Self>) {
        let this = self.project();
        if this.waiter.is_armed() {
            cancel(this.notify, this.waiter);
        }
    }

    /// Who waits is polled twice most often: to be queued, and when told. The second makes no call,
    /// and so does not save the registers that the first needs.
    #[inline]
    pub(crate) fn poll_wait(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let mut waiter = this.waiter;
        if waiter.is_armed() {
            if !waiter.as_mut().settle_popped() {
                return poll_queued(this.notify, waiter, this.done, cx);
            }
            *this.done = true;
        }
        match *this.done {
            true => Poll::Ready(()),
            false => poll_first(this.notify, *this.round, waiter, this.done, cx.waker()),
        }
    }
}

impl<N: Deref<Target = Notify>> std::future::Future for NotifyWait<N> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_wait(cx)
    }
}

/// Polls what is queued, and was not told yet.
#[inline(never)]
fn poll_queued(
    notify: &Notify,
    mut waiter: Pin<&mut Waiter<Told>>,
    done: &mut bool,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let waiters = &notify.waiters;
    ready!(waiters.poll_popped(waiter.as_mut(), cx, |_| NOTIFICATION));
    waiter.settle();
    *done = true;
    Poll::Ready(())
}

/// Sees a later round, or takes what is stored, or queues.
#[inline(never)]
fn poll_first(
    notify: &Notify,
    round: Round,
    waiter: Pin<&mut Waiter<Told>>,
    done: &mut bool,
    waker: &Waker,
) -> Poll<()> {
    if !notify.word.is_quiet(round) && hears(notify, round) {
        *done = true;
        return Poll::Ready(());
    }
    // Before the lock, and dropped after it: cloning and dropping a waker is user code.
    let waker = waker.clone();
    let mut locked = notify.waiters.lock();
    if !notify.word.is_quiet(round) && hears_locked(notify, round) {
        *done = true;
        return Poll::Ready(());
    }
    locked.push_back(waiter, waker);
    drop(locked);
    waits::note(|| NOTIFICATION);
    Poll::Pending
}

/// Whether a future of `round` that is not queued hears a later round, or what was stored.
fn hears(notify: &Notify, round: Round) -> bool {
    let _locked = notify.waiters.lock();
    hears_locked(notify, round)
}

/// [`hears`], under the queue's lock.
fn hears_locked(notify: &Notify, round: Round) -> bool {
    notify.word.round() != round || notify.word.take_permit()
}

/// Leaves the queue; a notification that was meant for this waiter alone goes to the next.
#[cold]
fn cancel(notify: &Notify, mut waiter: Pin<&mut Waiter<Told>>) {
    let mut locked = notify.waiters.lock();
    let told = *locked.data(waiter.as_mut());
    let removed = locked.remove(waiter);
    let next = match told {
        Told::First => notify.tell_one(&mut locked, Order::First),
        Told::Last => notify.tell_one(&mut locked, Order::Last),
        Told::Nothing | Told::All => None,
    };
    drop(locked);
    drop(removed);
    if let Some(next) = next {
        next.wake();
    }
}
