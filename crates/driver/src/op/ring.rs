//! Operations that a ring carries out: an [`Offer`], and what becomes of it.
//!
//! The request owns its buffers and files until the ring gives it back; the future has no more
//! than a share of the place where the result is left. A future that is dropped has what may wait
//! for ever cancelled; all else goes on, and its result is dropped: what was opened is closed.
//! The kernel gives up what a thread has submitted when that thread ends: it is submitted again.

use std::io;
use std::sync::Arc;

use yamanote_base::atomic::plain::{AtomicBool, AtomicU64, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_base::wake::WakeList;
use yamanote_sys::request::{Kind, Request, RequestKey};
use yamanote_sys::ring::is_given_up;

use super::{HasSlot, Op, OpSlot, OpState, Urgency, failed};
use crate::clock::Inhibitor;
use crate::context;
use crate::handle::Handle;
use crate::ring::Submitted;

/// The word of a ring that it takes an operation.
#[derive(Debug)]
pub struct Offer {
    handle: Handle,
    shard: usize,
}

/// What comes after a request that has ended.
pub(super) enum Step<T> {
    /// The operation has ended.
    Done(T),
    /// This is to be done next.
    Again(Request),
}

/// An operation in a ring, in one allocation: the ring and the [`Op`] have a share each.
struct Ringed<T, F> {
    /// What makes steps of what comes back, and what keeps a paused clock from jumping; taken by
    /// who collects, and put back if there is more to do.
    work: Mutex<Option<(F, Inhibitor)>>,
    slot: OpSlot<T>,
    urgency: Urgency,
    /// By what the ring knows the request: written and read under its lock, or to cancel it.
    key: AtomicU64,
    /// Whether nobody waits for the result any more. Set once, by the future.
    is_forgotten: AtomicBool,
}

/// What an [`Op`] needs of a [`Ringed`] operation, whose steps it does not name.
pub(super) trait InRing<T>: HasSlot<T> {
    /// Nobody waits for it any more. Returns what is to be cancelled, if it is.
    fn forget(&self) -> Option<RequestKey>;
}

/// The share of the future: see the head of this file.
pub(super) struct Awaited<T> {
    ringed: Arc<dyn InRing<T>>,
    runtime: usize,
    shard: usize,
}

/// Whether the current runtime has a ring take an operation of `kind`, which moves `len` bytes.
#[must_use]
pub fn offer(kind: Kind, len: usize) -> Option<Offer> {
    let ask = |handle: &Handle| {
        let wanted = handle.file_route().prefers_ring(kind, len, handle.shards());
        if !wanted || handle.world().is_some() || handle.is_shut_down() {
            return None;
        }
        // Others may wait on a thread of their own while nobody turns a driver: theirs is the pool.
        let shard = context::shard_of(handle)?;
        let ring = &handle.shard(shard).ring;
        let takes = ring.can(kind, handle.reactor_of(shard));
        takes.then(|| Offer {
            handle: handle.clone(),
            shard,
        })
    };
    context::try_with(ask).flatten()
}

impl Offer {
    /// Begins with `request`; `step` says what comes after each.
    pub(super) fn begin<T: Send + 'static>(
        self,
        request: Request,
        urgency: Urgency,
        step: impl FnMut(Request, io::Result<u32>) -> Step<io::Result<T>> + Send + 'static,
    ) -> Op<T> {
        let Offer { handle, shard } = self;
        let inhibitor = handle.clock().inhibit_auto_advance();
        let ringed = Arc::new(Ringed {
            work: Mutex::new(Some((step, inhibitor))),
            slot: OpSlot::new(),
            urgency,
            key: AtomicU64::new(RequestKey::NONE.0),
            is_forgotten: AtomicBool::new(false),
        });
        handle.submit(shard, request, ringed.clone());
        Op(OpState::InRing(Awaited {
            ringed,
            runtime: handle.id(),
            shard,
        }))
    }
}

impl<T, F> Ringed<T, F> {
    fn is_forgotten(&self) -> bool {
        // Relaxed: a hint; who misses it does work for nobody.
        self.is_forgotten.load(Ordering::Relaxed)
    }

    /// It ends with `error`, and without a word of the kernel.
    fn end_without(&self, error: io::Error, wakes: &mut WakeList) {
        let work = self.work.lock().take();
        drop(work);
        self.leave(Err(error), wakes);
    }

    fn leave(&self, result: io::Result<T>, wakes: &mut WakeList) {
        *self.slot.result.lock() = Some(result);
        wakes.extend(self.slot.waker.take());
    }
}

impl<T, F> Submitted for Ringed<T, F>
where
    T: Send,
    F: FnMut(Request, io::Result<u32>) -> Step<io::Result<T>> + Send,
{
    fn set_key(&self, key: RequestKey) {
        // Relaxed: the lock of the ring, or that of the task, orders it.
        self.key.store(key.0, Ordering::Relaxed);
    }

    fn is_mandatory(&self) -> bool {
        self.urgency == Urgency::Mandatory
    }

    fn ended(
        &self,
        request: Request,
        result: io::Result<u32>,
        wakes: &mut WakeList,
    ) -> Option<Request> {
        let (mut step, inhibitor) = self.work.lock().take()?;
        if self.is_forgotten() && self.urgency == Urgency::Cancellable {
            // Cancelled or not: nobody waits for what it has brought.
            return None;
        }
        let next = match result {
            Err(error) if is_given_up(&error) => Step::Again(request),
            result => step(request, result),
        };
        match next {
            Step::Again(request) => {
                *self.work.lock() = Some((step, inhibitor));
                Some(request)
            }
            Step::Done(result) => {
                self.leave(result, wakes);
                None
            }
        }
    }

    fn lost(&self, wakes: &mut WakeList) {
        self.end_without(failed(), wakes);
    }

    fn left(&self, wakes: &mut WakeList) {
        self.end_without(left_to_kernel(), wakes);
    }
}

/// Other than [`failed`]: who writes the same once more may have it twice.
fn left_to_kernel() -> io::Error {
    io::Error::other("the runtime has shut down, and the system may yet complete the operation")
}

impl<T: Send, F: Send> HasSlot<T> for Ringed<T, F> {
    fn slot(&self) -> &OpSlot<T> {
        &self.slot
    }
}

impl<T: Send, F: Send> InRing<T> for Ringed<T, F> {
    fn forget(&self) -> Option<RequestKey> {
        // Relaxed: see is_forgotten().
        self.is_forgotten.store(true, Ordering::Relaxed);
        let is_under_way = self.work.lock().is_some();
        // Relaxed: see set_key(). One that is out of date names a request that has ended.
        let key = || RequestKey(self.key.load(Ordering::Relaxed));
        (is_under_way && self.urgency == Urgency::Cancellable).then(key)
    }
}

impl<T> Awaited<T> {
    pub(super) fn slot(&self) -> &OpSlot<T> {
        self.ringed.slot()
    }
}

impl<T> Drop for Awaited<T> {
    fn drop(&mut self) {
        if let Some(key) = self.ringed.forget() {
            Handle::with(self.runtime, |handle| {
                handle.shard(self.shard).ring.cancel(key);
            });
        }
    }
}
