//! What bounded and unbounded channels have in common: counted senders, one receiver, the end.
//!
//! The channel is over for the receiver when the queue is empty and nothing can come any more:
//! the last sender has gone, or the receiver closed it and every permit given out was used or
//! given back. Each of these steps wakes the receiver.

use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use yamanote_base::atomic::{AtomicUsize, IN_MODEL, Ordering, spin_loop};
use yamanote_base::budget;
use yamanote_base::wait::lock::pause;
use yamanote_base::waits;
use yamanote_base::waker_cell::WakerCell;

use super::error::TryRecvError;
use super::list::{Popper, Pusher, queue};
use crate::coop::poll_charged;
use crate::notify::Notify;

/// So often a receiver looks, within one poll, for a value that is just being pushed: some
/// microseconds, which is long for the few instructions that its sender takes.
const LOOKS: u32 = if IN_MODEL { 1 } else { 7 };

/// How many values a channel may hold, and how it is closed.
pub(super) trait Quota: Sized {
    /// Room for `n` more values has become free. The caller `expects` that somebody waits for it,
    /// or that nobody does; returns whether somebody did.
    fn give_back(&self, n: usize, expects: bool) -> bool;
    /// Lets senders begin nothing any more.
    fn close<T>(popper: &mut Popper<T, ChannelState<Self>>);
    /// Whether it was closed.
    fn is_closed<T>(pusher: &Pusher<T, ChannelState<Self>>) -> bool;
    /// Whether it was closed, and nothing that began before can still come.
    fn is_over<T>(popper: &Popper<T, ChannelState<Self>>) -> bool;
}

/// What is beside the queue of a channel.
pub(super) struct ChannelState<Q> {
    pub(super) quota: Q,
    /// The task that waits to receive.
    receiver: WakerCell,
    /// Strong senders: the channel ends with the last.
    senders: AtomicUsize,
    /// Weak senders.
    weak_senders: AtomicUsize,
    /// Told when the receiver closes the channel.
    closed: Notify,
}

/// A strong sender.
pub(super) struct Tx<T, Q: Quota> {
    pusher: Pusher<T, ChannelState<Q>>,
}

/// A sender that does not keep the channel open.
pub(super) struct WeakTx<T, Q: Quota> {
    pusher: Pusher<T, ChannelState<Q>>,
}

/// The receiver.
pub(super) struct Rx<T, Q: Quota> {
    popper: Popper<T, ChannelState<Q>>,
    is_closed: bool,
    /// How often it has looked in vain for a value that is just being pushed.
    looks: u32,
    /// Whether a sender waited for room the last time that some became free.
    senders_wait: bool,
}

pin_project! {
    /// A future of the next value; made by [`Rx::recv`].
    ///
    /// It is not `Unpin`, so that it may one day hold what must not move.
    pub(super) struct Recv<'a, T, Q: Quota> {
        rx: &'a mut Rx<T, Q>,
        #[pin]
        _pin: PhantomPinned,
    }
}

/// A channel with one strong sender.
pub(super) fn open<T, Q: Quota>(quota: Q) -> (Tx<T, Q>, Rx<T, Q>) {
    let (pusher, popper) = queue(ChannelState {
        quota,
        receiver: WakerCell::new(),
        senders: AtomicUsize::new(1),
        weak_senders: AtomicUsize::new(0),
        closed: Notify::new(),
    });
    (
        Tx { pusher },
        Rx {
            popper,
            is_closed: false,
            looks: 0,
            senders_wait: false,
        },
    )
}

impl<Q> ChannelState<Q> {
    /// How many strong senders there are.
    pub(super) fn strong_count(&self) -> usize {
        // Acquire: pairs with the Release in Tx::drop(): who sees a sender gone sees its values.
        self.senders.load(Ordering::Acquire)
    }

    /// How many weak senders there are.
    pub(super) fn weak_count(&self) -> usize {
        // Relaxed: a number for the eye, which publishes nothing.
        self.weak_senders.load(Ordering::Relaxed)
    }

    /// Wakes the receiver to look whether the channel is over.
    pub(super) fn wake_receiver(&self) {
        self.receiver.wake();
    }
}

impl<T, Q: Quota> Tx<T, Q> {
    #[inline]
    pub(super) fn channel(&self) -> &ChannelState<Q> {
        self.pusher.channel()
    }

    /// Appends `value` and wakes the receiver; gives it back if the queue itself is closed.
    #[inline]
    pub(super) fn push(&self, value: T) -> Result<(), T> {
        self.pusher.push(value)?;
        // A plain load will do, for the claim was a read-modify-write that is SeqCst: a receiver
        // that waits has left its waker before it looked whether a claim was made.
        let receiver = &self.channel().receiver;
        if receiver.is_stored() {
            receiver.wake();
        }
        Ok(())
    }

    pub(super) fn is_closed(&self) -> bool {
        Q::is_closed(&self.pusher)
    }

    /// Waits until the receiver has closed the channel.
    pub(super) async fn closed(&self) {
        // Two turns at most: once told, the channel is closed.
        loop {
            // Before the look, so that a closing in between is heard of.
            let closed = self.channel().closed.wait();
            if self.is_closed() {
                return;
            }
            closed.await;
        }
    }

    pub(super) fn same_channel(&self, other: &Self) -> bool {
        self.pusher.same_queue(&other.pusher)
    }

    pub(super) fn downgrade(&self) -> WeakTx<T, Q> {
        WeakTx::of(&self.pusher)
    }
}

impl<T, Q: Quota> Clone for Tx<T, Q> {
    fn clone(&self) -> Self {
        // Relaxed: the sender at hand keeps the count above zero.
        self.channel().senders.fetch_add(1, Ordering::Relaxed);
        Self {
            pusher: self.pusher.clone(),
        }
    }
}

impl<T, Q: Quota> Drop for Tx<T, Q> {
    fn drop(&mut self) {
        // AcqRel: Release pairs with the Acquire in strong_count(); publishes this sender's
        // values. Acquire: the last one passes on those of all others.
        if self.channel().senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.channel().wake_receiver();
        }
    }
}

impl<T, Q: Quota> WeakTx<T, Q> {
    fn of(pusher: &Pusher<T, ChannelState<Q>>) -> Self {
        // Relaxed: see weak_count().
        pusher
            .channel()
            .weak_senders
            .fetch_add(1, Ordering::Relaxed);
        Self {
            pusher: pusher.clone(),
        }
    }

    pub(super) fn channel(&self) -> &ChannelState<Q> {
        self.pusher.channel()
    }

    /// A strong sender, unless the last one has gone.
    pub(super) fn upgrade(&self) -> Option<Tx<T, Q>> {
        let more = |senders: usize| (senders > 0).then_some(senders + 1);
        // Relaxed: as in Tx::clone(); from zero there is no way back.
        let counted =
            self.channel()
                .senders
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        counted.ok().map(|_| Tx {
            pusher: self.pusher.clone(),
        })
    }
}

impl<T, Q: Quota> Clone for WeakTx<T, Q> {
    fn clone(&self) -> Self {
        Self::of(&self.pusher)
    }
}

impl<T, Q: Quota> Drop for WeakTx<T, Q> {
    fn drop(&mut self) {
        // Relaxed: see weak_count().
        self.channel().weak_senders.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<T, Q: Quota> Rx<T, Q> {
    pub(super) fn channel(&self) -> &ChannelState<Q> {
        self.popper.channel()
    }

    /// Room for `n` more values has become free.
    #[inline]
    fn give_back(&mut self, n: usize) {
        self.senders_wait = self.channel().quota.give_back(n, self.senders_wait);
    }

    /// The next value; `None` when the channel is over.
    #[inline]
    pub(super) fn recv(&mut self) -> Recv<'_, T, Q> {
        Recv {
            rx: self,
            _pin: PhantomPinned,
        }
    }

    /// [`recv`](Self::recv), for futures written by hand.
    #[inline]
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if budget::current().has_remaining() {
            if let Some(value) = self.popper.pop_near() {
                budget::spend();
                self.give_back(1);
                return Poll::Ready(Some(value));
            }
        }
        self.poll_rest(cx)
    }

    /// [`poll_recv`](Self::poll_recv) of who has no budget, or finds nothing in the block at hand.
    // Never inlined: who finds a value there would save its registers for nothing.
    #[inline(never)]
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        poll_charged(cx, |cx| {
            // Any other than the first of a block would have been found already.
            if let Some(value) = self.popper.pop_first() {
                self.give_back(1);
                return Poll::Ready(Some(value));
            }
            self.poll_last(cx)
        })
    }

    /// Appends up to `limit` values to `buffer`, at least one; 0 when the channel is over.
    pub(super) fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        poll_charged(cx, |cx| {
            let before = buffer.len();
            self.pop_into(buffer, limit);
            if limit == 0 || buffer.len() > before {
                return Poll::Ready(buffer.len() - before);
            }
            self.poll_last(cx).map(|first| {
                let Some(first) = first else { return 0 };
                buffer.push(first);
                self.pop_into(buffer, limit - 1);
                buffer.len() - before
            })
        })
    }

    /// The next value, if there is one.
    pub(super) fn try_recv(&mut self) -> Result<T, TryRecvError> {
        // Bounded: a value that was claimed before one that is there already is waited for, which
        // takes its sender a few instructions.
        let mut turns = 0;
        loop {
            let is_last = self.is_last();
            if let Some(value) = self.popper.pop() {
                self.give_back(1);
                return Ok(value);
            }
            if is_last || (self.is_closed && Q::is_over(&self.popper)) {
                return Err(TryRecvError::Disconnected);
            }
            if self.popper.len() == 0 {
                return Err(TryRecvError::Empty);
            }
            turns += 1;
            spin_loop();
            if turns % 64 == 0 {
                std::thread::yield_now();
            }
        }
    }

    pub(super) fn close(&mut self) {
        if !self.is_closed {
            self.is_closed = true;
            Q::close(&mut self.popper);
            self.channel().closed.notify_waiters();
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed || self.is_last()
    }

    pub(super) fn len(&self) -> usize {
        self.popper.len()
    }

    /// What comes after an empty queue: a value after all, the end, or waiting.
    #[inline]
    fn poll_last(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.channel().receiver.register(cx.waker());
        // After the registration: who changes one of these later wakes the receiver.
        if self.popper.is_claimed() {
            return self.poll_claimed(cx);
        }
        if self.is_last() {
            // What the last sender sent is seen now.
            let value = self.popper.pop();
            self.give_back(usize::from(value.is_some()));
            return Poll::Ready(value);
        }
        if self.is_closed && Q::is_over(&self.popper) {
            return Poll::Ready(None);
        }
        waits::note(|| "mpsc: a message");
        Poll::Pending
    }

    /// The next value, which is there, or whose sender is between two of its instructions.
    #[cold]
    fn poll_claimed(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // Bounded: beyond so many looks there is one a poll.
        loop {
            if let Some(value) = self.popper.pop() {
                self.looks = 0;
                self.give_back(1);
                return Poll::Ready(Some(value));
            }
            // (A model has no time to let pass, and only the first of these lets others go on.)
            pause(if IN_MODEL { 0 } else { self.looks });
            self.looks = self.looks.saturating_add(1);
            if self.looks > LOOKS {
                break;
            }
        }
        // The sender does not know that it is waited for: it looked for a waker, or will look, in
        // no order with this. It was interrupted, so others may run meanwhile.
        budget::give_way(cx);
        Poll::Pending
    }

    /// Moves up to `limit` values to `buffer`.
    fn pop_into(&mut self, buffer: &mut Vec<T>, limit: usize) {
        let mut popped = 0;
        // Reserved before, so that nothing in the loop can fail.
        buffer.reserve(limit.min(self.popper.len()));
        while popped < limit {
            let Some(value) = self.popper.pop() else {
                break;
            };
            popped += 1;
            buffer.push(value);
        }
        self.give_back(popped);
    }

    /// Whether no strong sender is left.
    fn is_last(&self) -> bool {
        self.channel().strong_count() == 0
    }

    /// Drops what was not received.
    fn drain(&mut self) {
        while let Some(value) = self.popper.pop() {
            self.give_back(1);
            drop(value);
        }
    }
}

impl<T, Q: Quota> Future for Recv<'_, T, Q> {
    type Output = Option<T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.project().rx.poll_recv(cx)
    }
}

impl<T, Q: Quota> Drop for Rx<T, Q> {
    fn drop(&mut self) {
        /// Goes on where the drop of a value panicked.
        struct Rest<'a, T, Q: Quota>(&'a mut Rx<T, Q>);

        impl<T, Q: Quota> Drop for Rest<'_, T, Q> {
            fn drop(&mut self) {
                self.0.drain();
            }
        }

        self.close();
        let waker = self.channel().receiver.take();
        Rest(self).0.drain();
        drop(waker);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::Arc;
    use std::task::{Wake, Waker};

    use super::*;
    use crate::mpsc::unbounded::Unbounded;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_receiver_that_finds_a_sender_between_claim_and_value_comes_again() {
        let (tx, mut rx) = open(Unbounded);
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let fill = tx.pusher.push_later();
        for polls in 1..=200 {
            assert!(rx.poll_recv(&mut cx).is_pending());
            assert_eq!(count.0.load(Ordering::Relaxed), polls);
        }
        fill(7);
        assert_eq!(rx.poll_recv(&mut cx), Poll::Ready(Some(7)));
        // Whoever sends now finds a receiver that waits.
        assert!(rx.poll_recv(&mut cx).is_pending());
        assert_eq!(count.0.load(Ordering::Relaxed), 200);
        assert_eq!(tx.push(8), Ok(()));
        assert_eq!(count.0.load(Ordering::Relaxed), 201);
        assert_eq!(rx.poll_recv(&mut cx), Poll::Ready(Some(8)));
    }
}
