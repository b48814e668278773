//! Work that owns its buffers and may block: [`Op`].
//!
//! Closures run on the pool; what a ring can do is data, in [`mod@file`], and goes to either. In a
//! simulated world, where threads would race, both run at their first poll, or at once if they are
//! mandatory, and the result comes when the host's disk is done. A paused clock does not jump
//! while an operation is under way.

mod route;

pub mod direct;
pub mod file;
mod ring;

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use yamanote_base::budget;
use yamanote_base::lock::Mutex;
use yamanote_base::quietly::discard;
use yamanote_base::waker_cell::WakerCell;
use yamanote_pool::{Job, Rejected, SharedWork};
use yamanote_world::Alarm;

use crate::clock::Inhibitor;
use crate::context;
use crate::handle::Handle;

pub use ring::{Offer, offer};
pub use route::{FileRoute, UnknownRoute};

use ring::Awaited;

/// An operation under way; resolves to its result.
///
/// *Cancel safety:* dropping it does not stop the operation, unless that says so; its result is
/// dropped.
#[must_use = "an operation of a simulated world begins when it is polled"]
pub struct Op<T>(OpState<T>);

/// An [`Op`] that is only asked for its result: if it is dropped before its turn, it is not begun.
pub struct Question<T>(Op<T>);

enum OpState<T> {
    /// On the pool.
    Submitted(Arc<dyn HasSlot<T>>),
    /// In a ring.
    InRing(Awaited<T>),
    /// To be run by the first poll. The lock is never contended: it makes the operation `Sync`.
    Inline(Mutex<Work<T>>),
    /// Done on a simulated disk, which takes its time to say so.
    Settling(Alarm, io::Result<T>),
    /// It has ended already, or could not be submitted.
    Ended(io::Result<T>),
    /// The result was taken.
    Taken,
}

// An operation that panics is one that failed: nothing is left half done for who asks next.
impl<T> UnwindSafe for Op<T> {}
impl<T> RefUnwindSafe for Op<T> {}

type Work<T> = Box<dyn FnOnce() -> io::Result<T> + Send>;

/// An operation on the pool, in one allocation: the pool and the [`Op`] have a share each.
struct Pooled<T, F> {
    /// The work, and what keeps a paused clock from jumping; taken by whoever runs or cancels it.
    work: Mutex<Option<(F, Inhibitor)>>,
    slot: OpSlot<T>,
}

/// Where the pool leaves the result.
struct OpSlot<T> {
    /// `None` until the operation ends; written once by the pool's thread, taken by the poll.
    result: Mutex<Option<io::Result<T>>>,
    waker: WakerCell,
}

/// What an [`Op`] needs of a [`Pooled`] operation, whose work it does not name.
trait HasSlot<T>: Send + Sync {
    fn slot(&self) -> &OpSlot<T>;

    /// Takes the work back, if it has not begun and need not be done.
    fn withdraw(&self) {}
}

/// What ends an operation early.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Urgency {
    /// That its future is dropped; the shutdown of the runtime.
    Cancellable,
    /// The shutdown of the runtime, before its turn comes.
    Droppable,
    /// Nothing.
    Mandatory,
}

/// Begins `work`, which is not run if the runtime shuts down before its turn.
///
/// # Panics
/// Outside of a runtime.
#[track_caller]
pub fn submit<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Op<T> {
    begin(&context::current(), work, Urgency::Droppable)
}

/// [`submit`] of work that is of no use without its result.
///
/// # Panics
/// Outside of a runtime.
#[track_caller]
pub fn ask<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Question<T> {
    Question(submit(work))
}

/// [`submit`] of work that is run even if the runtime shuts down before its turn.
///
/// # Panics
/// Outside of a runtime.
#[track_caller]
pub fn submit_mandatory<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Op<T> {
    begin(&context::current(), work, Urgency::Mandatory)
}

fn begin<T: Send + 'static>(
    handle: &Handle,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
    urgency: Urgency,
) -> Op<T> {
    if handle.world().is_some() {
        return Op(match urgency {
            Urgency::Cancellable | Urgency::Droppable => {
                OpState::Inline(Mutex::new(Box::new(work)))
            }
            // It happens, whether anybody polls for the result or not.
            Urgency::Mandatory => settle(caught(work)),
        });
    }
    let pooled = Arc::new(Pooled {
        work: Mutex::new(Some((work, handle.clock().inhibit_auto_advance()))),
        slot: OpSlot::new(),
    });
    let job = Job::shared(pooled.clone(), urgency == Urgency::Mandatory);
    Op(match handle.pool().submit(job) {
        Ok(()) => OpState::Submitted(pooled),
        Err(Rejected::ShutDown) => OpState::Ended(Err(failed())),
        Err(Rejected::NoThread(error)) => OpState::Ended(Err(error)),
    })
}

impl<T> Question<T> {
    /// One of a simulated world, which is answered when the alarm rings.
    pub fn after(alarm: Alarm, answer: io::Result<T>) -> Self {
        Self(Op(OpState::Settling(alarm, answer)))
    }
}

impl<T> Op<T> {
    /// An operation that has ended.
    pub fn ended(result: io::Result<T>) -> Self {
        Self(OpState::Ended(result))
    }

    /// Why it was never begun, if it was refused at once: then it is over.
    pub fn take_refusal(&mut self) -> Option<io::Error> {
        match std::mem::replace(&mut self.0, OpState::Taken) {
            OpState::Ended(Err(error)) => Some(error),
            other => {
                self.0 = other;
                None
            }
        }
    }
}

/// A result of work in a simulated world, which comes when the host's disk is done.
fn settle<T>(result: io::Result<T>) -> OpState<T> {
    let alarm = context::host().and_then(|host| host.world().settle_disk(host.id()));
    match alarm {
        Some(alarm) => OpState::Settling(alarm, result),
        None => OpState::Ended(result),
    }
}

/// What `work` returns; a panic is an error like any other, once the hook has reported it.
fn caught<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        discard(payload);
        Err(failed())
    })
}

fn failed() -> io::Error {
    io::Error::other("background task failed")
}

impl<T: Send, F: FnOnce() -> io::Result<T> + Send> Pooled<T, F> {
    /// Takes the work, has `end` make a result of it, and delivers that.
    fn end(&self, end: impl FnOnce(F) -> io::Result<T>) {
        let taken = self.work.lock().take();
        if let Some((work, inhibitor)) = taken {
            let result = end(work);
            *self.slot.result.lock() = Some(result);
            // First the task is made runnable, then the clock may jump again.
            self.slot.waker.wake();
            drop(inhibitor);
        }
    }
}

impl<T: Send, F: FnOnce() -> io::Result<T> + Send> SharedWork for Pooled<T, F> {
    fn run(&self) {
        self.end(caught);
    }

    fn cancel(&self) {
        self.end(|work| {
            drop(work);
            Err(failed())
        });
    }
}

impl<T: Send, F: Send> HasSlot<T> for Pooled<T, F> {
    fn slot(&self) -> &OpSlot<T> {
        &self.slot
    }

    fn withdraw(&self) {
        // The job stays in the queue and finds nothing to do.
        let taken = self.work.lock().take();
        drop(taken);
    }
}

impl<T> OpSlot<T> {
    fn new() -> Self {
        Self {
            result: Mutex::new(None),
            waker: WakerCell::new(),
        }
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if let Some(result) = self.result.lock().take() {
            return Poll::Ready(result);
        }
        self.waker.register(cx.waker());
        // The result may have come before the waker did.
        match self.result.lock().take() {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
    }
}

impl<T> Future for Op<T> {
    type Output = io::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let charge = ready!(budget::poll_proceed(cx));
        let result = match std::mem::replace(&mut self.0, OpState::Taken) {
            OpState::Submitted(pooled) => match pooled.slot().poll(cx) {
                Poll::Ready(result) => result,
                Poll::Pending => {
                    self.0 = OpState::Submitted(pooled);
                    return Poll::Pending;
                }
            },
            OpState::InRing(awaited) => match awaited.slot().poll(cx) {
                Poll::Ready(result) => result,
                Poll::Pending => {
                    self.0 = OpState::InRing(awaited);
                    return Poll::Pending;
                }
            },
            OpState::Inline(work) => {
                self.0 = settle(caught(work.into_inner()));
                return self.poll(cx);
            }
            OpState::Settling(alarm, result) => match alarm.poll(cx) {
                Poll::Ready(()) => result,
                Poll::Pending => {
                    self.0 = OpState::Settling(alarm, result);
                    return Poll::Pending;
                }
            },
            OpState::Ended(result) => result,
            OpState::Taken => panic!("an operation was polled after it had ended"),
        };
        charge.made_progress();
        Poll::Ready(result)
    }
}

// Nothing in it is pinned: the slot is shared, the work boxed.
impl<T> Unpin for Op<T> {}

impl<T> Future for Question<T> {
    type Output = io::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for Question<T> {
    fn drop(&mut self) {
        if let OpState::Submitted(pooled) = &self.0.0 {
            pooled.withdraw();
        }
    }
}

impl<T> fmt::Debug for Question<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> fmt::Debug for Op<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.0 {
            OpState::Submitted(_) => "Submitted",
            OpState::InRing(_) => "InRing",
            OpState::Inline(_) => "Inline",
            OpState::Settling(..) => "Settling",
            OpState::Ended(_) => "Ended",
            OpState::Taken => "Taken",
        };
        f.debug_tuple("Op").field(&state).finish()
    }
}
