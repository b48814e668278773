//! The futures of who sends to a bounded channel: [`Sending`], and [`RoomWait`] where it is full.
//!
//! By hand and not by `async`: to send where there is room is the most common operation, and costs
//! no state machine here.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::bounded::Sender;
use super::error::SendError;
use crate::semaphore::Acquire;

pin_project! {
    /// Sends a value, once there is room for it.
    pub(super) struct Sending<'a, T> {
        sender: &'a Sender<T>,
        // `None` once it is sent, or given back.
        value: Option<T>,
        // `None` as long as it need not wait.
        #[pin]
        wait: Option<RoomWait<'a, T>>,
    }
}

pin_project! {
    /// Waits for room.
    pub(super) struct RoomWait<'a, T> {
        #[pin]
        acquire: Acquire<'a>,
        // Dropped after it: a wait that is given up gives room back too.
        settle: Settle<'a, T>,
    }
}

/// Wakes the receiver if it waited for nothing but the end of this wait.
struct Settle<'a, T>(Option<&'a Sender<T>>);

impl<'a, T> Sending<'a, T> {
    #[inline]
    pub(super) fn new(sender: &'a Sender<T>, value: T) -> Self {
        Self {
            sender,
            value: Some(value),
            wait: None,
        }
    }
}

impl<'a, T> RoomWait<'a, T> {
    pub(super) fn new(sender: &'a Sender<T>, acquire: Acquire<'a>) -> Self {
        Self {
            acquire,
            settle: Settle(Some(sender)),
        }
    }
}

impl<T> Future for Sending<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let sender = *this.sender;
        if this.wait.is_some() || !sender.take_room_charged(1) {
            let waited = ready!(poll_wait(this.wait.as_mut(), sender, cx));
            if waited.is_err() {
                return Poll::Ready(Err(SendError(taken(this.value))));
            }
        }
        sender.push(taken(this.value));
        Poll::Ready(Ok(()))
    }
}

/// Waits for room for one value; from the first poll on, in `wait`.
#[cold]
fn poll_wait<'a, T>(
    mut wait: Pin<&mut Option<RoomWait<'a, T>>>,
    sender: &'a Sender<T>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), SendError<()>>> {
    if wait.is_none() {
        wait.set(Some(sender.wait_for_room(1)));
    }
    let wait = wait.as_pin_mut().expect("it was set above");
    wait.poll(cx)
}

/// The value of a future that is complete now.
#[inline]
fn taken<T>(value: &mut Option<T>) -> T {
    value
        .take()
        .expect("a future is not polled after it is complete")
}

impl<T> Future for RoomWait<'_, T> {
    type Output = Result<(), SendError<()>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let reserved = ready!(this.acquire.poll(cx));
        match reserved {
            // There is something to send: the channel is not over.
            Ok(()) => this.settle.0 = None,
            Err(_) => this.settle.now(),
        }
        Poll::Ready(reserved.map_err(|_| SendError(())))
    }
}

impl<T> Settle<'_, T> {
    fn now(&mut self) {
        if let Some(sender) = self.0.take() {
            sender.wake_if_over();
        }
    }
}

impl<T> Drop for Settle<'_, T> {
    fn drop(&mut self) {
        self.now();
    }
}
