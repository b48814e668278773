//! A channel that holds so many values: [`channel`]. Who finds it full waits for room.
//!
//! Each value in the channel holds a permit of a semaphore, from its reservation until it is
//! received.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use yamanote_base::{block, hooks};

use super::channel::{ChannelState, Quota, Tx, open};
use super::error::{SendError, SendTimeoutError, TrySendError};
use super::list::{Popper, Pusher};
use super::permit::{OwnedPermit, Permit, PermitIterator};
use super::receiver::Receiver;
use super::sending::{RoomWait, Sending};
use super::weak::WeakSender;
use crate::semaphore::{PermitUse, RawSemaphore, TryAcquireError};

/// A channel that holds up to `buffer` values; who finds it full waits.
///
/// # Panics
/// If `buffer` is 0 or more than [`Semaphore::MAX_PERMITS`](crate::Semaphore::MAX_PERMITS).
///
/// ```
/// use tokio::sync::mpsc;
///
/// let (tx, mut rx) = mpsc::channel(1);
/// tx.try_send('a').unwrap();
/// assert!(tx.try_send('b').is_err());
/// assert_eq!(rx.try_recv(), Ok('a'));
/// ```
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    assert!(buffer > 0, "mpsc bounded channel requires buffer > 0");
    let (tx, rx) = open(Bounded {
        permits: RawSemaphore::with_at_most_max(buffer),
        bound: buffer,
    });
    (Sender { tx }, Receiver { rx })
}

/// Sends to a bounded channel; made by [`channel`], and cloned for each further task.
///
/// The channel stays open for the receiver as long as there is a sender.
pub struct Sender<T> {
    pub(super) tx: Tx<T, Bounded>,
}

/// Room for `bound` values; closed by closing the semaphore.
pub(super) struct Bounded {
    permits: RawSemaphore,
    bound: usize,
}

impl Bounded {
    /// How many more values there is room for.
    pub(super) fn free(&self) -> usize {
        self.permits.available()
    }

    /// How many values there is room for in all.
    pub(super) fn max(&self) -> usize {
        self.bound
    }

    fn is_over(&self) -> bool {
        self.permits.is_closed() && self.permits.available() == self.bound
    }
}

impl Quota for Bounded {
    #[inline]
    fn give_back(&self, n: usize, expects: bool) -> bool {
        self.permits.release_expecting(n, expects)
    }

    fn close<T>(popper: &mut Popper<T, ChannelState<Self>>) {
        popper.channel().quota.permits.close();
    }

    fn is_closed<T>(pusher: &Pusher<T, ChannelState<Self>>) -> bool {
        pusher.channel().quota.permits.is_closed()
    }

    fn is_over<T>(popper: &Popper<T, ChannelState<Self>>) -> bool {
        popper.channel().quota.is_over()
    }
}

impl<T> Sender<T> {
    /// Sends `value`, waiting for room in the order of asking.
    ///
    /// That this succeeds does not say that the value arrives: the receiver may be dropped after.
    ///
    /// *Cancel safety:* dropping the future drops `value`; [`reserve`](Self::reserve) first if it
    /// must not be lost. The place in the queue is lost too.
    ///
    /// # Errors
    /// The value, when the receiver is closed or dropped.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// tokio::spawn(async move {
    ///     for i in 0..3 {
    ///         tx.send(i).await.unwrap(); // waits until the one before was received
    ///     }
    /// });
    /// for i in 0..3 {
    ///     assert_eq!(rx.recv().await, Some(i));
    /// }
    /// assert_eq!(rx.recv().await, None);
    /// # }
    /// ```
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        Sending::new(self, value)
    }

    /// Sends `value` without waiting, if there is room that nobody waits for.
    ///
    /// # Errors
    /// The value, in [`Full`](TrySendError::Full) when there is no room, or in
    /// [`Closed`](TrySendError::Closed) when the receiver is closed or dropped.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    /// use tokio::sync::mpsc::error::TrySendError;
    ///
    /// let (tx, rx) = mpsc::channel(1);
    /// assert_eq!(tx.try_send(1), Ok(()));
    /// assert_eq!(tx.try_send(2), Err(TrySendError::Full(2)));
    /// drop(rx);
    /// assert_eq!(tx.try_send(3), Err(TrySendError::Closed(3)));
    /// ```
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        match self.try_reserve_room(1) {
            Ok(()) => {
                self.push(value);
                Ok(())
            }
            Err(error) => Err(error.map(|()| value)),
        }
    }

    /// Sends `value`, waiting for room for at most `timeout`.
    ///
    /// *Cancel safety:* as for [`send`](Self::send).
    ///
    /// # Errors
    /// The value, when there is no room in time, or the receiver is closed or dropped.
    ///
    /// # Panics
    /// Outside of a runtime with a timer.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    /// use std::time::Duration;
    /// use tokio::sync::mpsc::error::SendTimeoutError;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, _rx) = mpsc::channel(1);
    /// let second = Duration::from_secs(1);
    /// # tokio::time::pause();
    /// assert_eq!(tx.send_timeout(1, second).await, Ok(()));
    /// assert_eq!(tx.send_timeout(2, second).await, Err(SendTimeoutError::Timeout(2)));
    /// # }
    /// ```
    pub async fn send_timeout(
        &self,
        value: T,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<T>> {
        // Made first: outside of a runtime it panics, whether there is room or not.
        let mut sleep = hooks::sleep(timeout);
        let mut reserve = pin!(self.reserve_room(1));
        let reserved = poll_fn(|cx| {
            if let Poll::Ready(reserved) = reserve.as_mut().poll(cx) {
                return Poll::Ready(Some(reserved));
            }
            sleep.as_mut().poll(cx).map(|()| None)
        });
        match reserved.await {
            Some(Ok(())) => {
                self.push(value);
                Ok(())
            }
            Some(Err(SendError(()))) => Err(SendTimeoutError::Closed(value)),
            None => Err(SendTimeoutError::Timeout(value)),
        }
    }

    /// [`send`](Self::send) on the current thread, which belongs to no runtime.
    ///
    /// # Errors
    /// The value, when the receiver is closed or dropped.
    ///
    /// # Panics
    /// When the thread drives asynchronous tasks.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// let thread = std::thread::spawn(move || tx.blocking_send(7));
    /// assert_eq!(rx.recv().await, Some(7));
    /// thread.join().unwrap().unwrap();
    /// # }
    /// ```
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        block::block_on(self.send(value))
    }

    /// Waits for room for one value, and keeps it until the permit is used or dropped.
    ///
    /// To make the value only when it can be sent, or to lose none when the wait is given up.
    ///
    /// *Cancel safety:* dropping the future only gives up its place in the queue.
    ///
    /// # Errors
    /// When the receiver is closed or dropped.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// let permit = tx.reserve().await.unwrap();
    /// assert_eq!(tx.capacity(), 0); // nobody else can take it
    /// permit.send("made late");
    /// assert_eq!(rx.recv().await, Some("made late"));
    /// # }
    /// ```
    pub async fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
        self.reserve_room(1).await?;
        Ok(Permit::new(self))
    }

    /// Waits for room for `n` values; else as [`reserve`](Self::reserve).
    ///
    /// # Errors
    /// When the receiver is closed or dropped, or there can never be so much room.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, mut rx) = mpsc::channel(4);
    /// for (permit, value) in tx.reserve_many(3).await.unwrap().zip(['a', 'b', 'c']) {
    ///     permit.send(value);
    /// }
    /// assert_eq!((rx.len(), rx.recv().await), (3, Some('a')));
    /// # }
    /// ```
    pub async fn reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, SendError<()>> {
        if n > self.max_capacity() {
            return Err(SendError(()));
        }
        self.reserve_room(n).await?;
        Ok(PermitIterator::new(self, n))
    }

    /// [`reserve`](Self::reserve) with a permit that holds the sender.
    ///
    /// *Cancel safety:* dropping the future drops the sender; clone it first if need be.
    ///
    /// # Errors
    /// When the receiver is closed or dropped.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// let permit = tx.clone().reserve_owned().await.unwrap();
    /// tokio::spawn(async move { drop(permit.send(1)) });
    /// assert_eq!(rx.recv().await, Some(1));
    /// # }
    /// ```
    pub async fn reserve_owned(self) -> Result<OwnedPermit<T>, SendError<()>> {
        self.reserve_room(1).await?;
        Ok(OwnedPermit::new(self))
    }

    /// Takes room for one value, if there is some and nobody waits for it.
    ///
    /// # Errors
    /// When there is no room, or the receiver is closed or dropped.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// let (tx, _rx) = mpsc::channel::<u8>(1);
    /// let permit = tx.try_reserve().unwrap();
    /// assert!(tx.try_reserve().is_err());
    /// drop(permit);
    /// assert!(tx.try_reserve().is_ok());
    /// ```
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.try_reserve_room(1)?;
        Ok(Permit::new(self))
    }

    /// Takes room for `n` values, if there is so much and nobody waits for it.
    ///
    /// # Errors
    /// When there is too little room, or the receiver is closed or dropped.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    /// use tokio::sync::mpsc::error::TrySendError;
    ///
    /// let (tx, _rx) = mpsc::channel::<u8>(2);
    /// assert_eq!(tx.try_reserve_many(2).unwrap().len(), 2);
    /// assert!(matches!(tx.try_reserve_many(3), Err(TrySendError::Full(()))));
    /// ```
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        if n > self.max_capacity() {
            return Err(TrySendError::Full(()));
        }
        self.try_reserve_room(n)?;
        Ok(PermitIterator::new(self, n))
    }

    /// [`try_reserve`](Self::try_reserve) with a permit that holds the sender.
    ///
    /// # Errors
    /// The sender, when there is no room, or the receiver is closed or dropped.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// let (tx, _rx) = mpsc::channel::<u8>(1);
    /// let permit = tx.try_reserve_owned().unwrap();
    /// let tx = permit.release();
    /// assert_eq!(tx.capacity(), 1);
    /// ```
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        match self.try_reserve_room(1) {
            Ok(()) => Ok(OwnedPermit::new(self)),
            Err(error) => Err(error.map(|()| self)),
        }
    }

    /// Waits until the receiver is closed or dropped.
    ///
    /// *Cancel safety:* dropping the future leaves no trace.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let (tx, rx) = mpsc::channel::<u8>(1);
    /// tokio::spawn(async move { drop(rx) });
    /// tx.closed().await;
    /// assert!(tx.is_closed());
    /// # }
    /// ```
    pub async fn closed(&self) {
        self.tx.closed().await;
    }

    /// Whether the receiver is closed or dropped.
    pub fn is_closed(&self) -> bool {
        self.tx.is_closed()
    }

    /// Whether both send to the same channel.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// let (tx, _rx) = mpsc::channel::<u8>(1);
    /// let (other, _rx) = mpsc::channel::<u8>(1);
    /// assert!(tx.same_channel(&tx.clone()) && !tx.same_channel(&other));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        self.tx.same_channel(&other.tx)
    }

    /// How many more values there is room for.
    ///
    /// ```
    /// use tokio::sync::mpsc;
    ///
    /// let (tx, _rx) = mpsc::channel(5);
    /// let _permit = tx.try_reserve().unwrap();
    /// tx.try_send(1).unwrap();
    /// assert_eq!((tx.capacity(), tx.max_capacity()), (3, 5)); // permits count too
    /// ```
    pub fn capacity(&self) -> usize {
        self.quota().free()
    }

    /// How many values the channel may hold.
    pub fn max_capacity(&self) -> usize {
        self.quota().max()
    }

    /// A sender that does not keep the channel open.
    #[must_use = "downgrading alone has no effect"]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender {
            tx: self.tx.downgrade(),
        }
    }

    /// How many strong senders there are.
    pub fn strong_count(&self) -> usize {
        self.tx.channel().strong_count()
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.tx.channel().weak_count()
    }

    /// Sends `value`, for which the caller has reserved room.
    #[inline]
    pub(super) fn push(&self, value: T) {
        let pushed = self.tx.push(value);
        debug_assert!(
            pushed.is_ok(),
            "the queue of a bounded channel is never closed"
        );
    }

    /// Gives back room for `n` values that was reserved and not used.
    pub(super) fn give_back(&self, n: usize) {
        self.quota().give_back(n, true);
        self.wake_if_over();
    }

    #[inline]
    fn quota(&self) -> &Bounded {
        &self.tx.channel().quota
    }

    /// Wakes the receiver if it waits for nothing but room that was just given back.
    pub(super) fn wake_if_over(&self) {
        if self.quota().is_over() {
            self.tx.channel().wake_receiver();
        }
    }

    async fn reserve_room(&self, n: usize) -> Result<(), SendError<()>> {
        if self.take_room_charged(n) {
            return Ok(());
        }
        self.wait_for_room(n).await
    }

    /// [`reserve_room`](Self::reserve_room), if it need not wait and the task has budget left.
    #[inline]
    pub(super) fn take_room_charged(&self, n: usize) -> bool {
        self.quota().permits.take_charged(n)
    }

    /// Waits for room for `n` values, behind those who wait already.
    pub(super) fn wait_for_room(&self, n: usize) -> RoomWait<'_, T> {
        RoomWait::new(self, self.quota().permits.acquire(n, PermitUse::Room))
    }

    fn try_reserve_room(&self, n: usize) -> Result<(), TrySendError<()>> {
        self.quota()
            .permits
            .try_acquire(n)
            .map_err(|error| match error {
                TryAcquireError::Closed => TrySendError::Closed(()),
                TryAcquireError::NoPermits => TrySendError::Full(()),
            })
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            tx: self.tx.clone(),
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("capacity", &self.capacity())
            .field("max_capacity", &self.max_capacity())
            .field("is_closed", &self.is_closed())
            .finish()
    }
}
