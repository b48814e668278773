//! The future that waits for a notification: [`NotifyWait`].

use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;
use yamanote_base::wait::Waiter;

use super::word::Round;
use super::{Notify, Order, Told};

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
            let this = this.project();
            if this.waiter.is_armed() {
                cancel(this.notify, this.waiter);
            }
        }
    }
}

impl<N: Deref<Target = Notify>> NotifyWait<N> {
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
            let mut waiter = this.waiter;
            let mut locked = this.notify.waiters.lock();
            if locked.is_queued(waiter.as_mut()) {
                return false;
            }
            let removed = locked.remove(waiter);
            drop(locked);
            drop(removed);
            *this.done = true;
            return true;
        }
        // `poll_first` wakes nobody but through the queue, where this waker does nothing.
        self.poll_wait(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    pub(crate) fn poll_wait(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if *this.done {
            return Poll::Ready(());
        }
        let told = if this.waiter.is_armed() {
            poll_queued(this.notify, this.waiter, cx)
        } else {
            poll_first(this.notify, *this.round, this.waiter, cx)
        };
        *this.done = told.is_ready();
        told
    }
}

impl<N: Deref<Target = Notify>> std::future::Future for NotifyWait<N> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_wait(cx)
    }
}

/// Sees a later round, or takes the permit, or queues.
fn poll_first(
    notify: &Notify,
    round: Round,
    waiter: Pin<&mut Waiter<Told>>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    if notify.word.round() != round || notify.word.take_permit() {
        return Poll::Ready(());
    }
    // Before the lock: cloning and dropping a waker is user code.
    let waker = cx.waker().clone();
    let mut locked = notify.waiters.lock();
    // Bounded: under the lock, only a permit that was stored meanwhile stands in the way, and
    // whoever takes it before this does has made progress.
    while !notify.word.mark_waiting() {
        if notify.word.round() != round || notify.word.take_permit() {
            return Poll::Ready(());
        }
    }
    // From here on a round begins under the lock only.
    if notify.word.round() != round {
        if !locked.has_waiters() {
            notify.word.mark_not_waiting();
        }
        return Poll::Ready(());
    }
    locked.push_back(waiter, waker);
    Poll::Pending
}

/// Whether the queued `waiter` was told.
fn poll_queued(
    notify: &Notify,
    mut waiter: Pin<&mut Waiter<Told>>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let mut locked = ready!(notify.waiters.poll_popped(waiter.as_mut(), cx));
    let removed = locked.remove(waiter);
    drop(locked);
    drop(removed);
    Poll::Ready(())
}

/// Leaves the queue; a notification that was meant for this waiter alone goes to the next.
#[cold]
fn cancel(notify: &Notify, mut waiter: Pin<&mut Waiter<Told>>) {
    let mut locked = notify.waiters.lock();
    let told = *locked.data(waiter.as_mut());
    let removed = locked.remove(waiter);
    if removed.was_queued && !locked.has_waiters() {
        notify.word.mark_not_waiting();
    }
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
