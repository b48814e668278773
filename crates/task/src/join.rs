//! Waiting for a task and cancelling it: [`JoinHandle`] and [`AbortHandle`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker, ready};

use yamanote_base::budget;
use yamanote_base::waits::{self, Detail};

use crate::error::JoinError;
use crate::header::{Header, Reference};
use crate::id::Id;
use crate::state::Joined;

/// Owns the right to a task's output: awaiting it waits until the task has ended.
///
/// The output is a [`JoinError`] if the task panicked or was aborted. Dropping the handle detaches
/// the task, which goes on; what it then returns is dropped.
///
/// *Cancel safety:* awaiting it by reference (`&mut handle`) loses nothing when dropped.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let task = tokio::spawn(async { 1 + 2 });
/// assert_eq!(task.await.unwrap(), 3);
///
/// let fails = tokio::spawn(async { panic!("no luck") });
/// assert!(fails.await.unwrap_err().is_panic());
/// # }
/// ```
pub struct JoinHandle<T> {
    reference: Reference,
    _output: PhantomData<T>,
}

/// Owns the right to cancel a task, and nothing else: it keeps neither the task nor its output.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let task = tokio::spawn(std::future::pending::<()>());
/// let abort = task.abort_handle();
/// abort.abort();
/// assert!(task.await.unwrap_err().is_cancelled());
/// assert!(abort.is_finished());
/// # }
/// ```
#[derive(Clone)]
pub struct AbortHandle {
    reference: Reference,
}

// SAFETY: the output is moved out or dropped on the thread that has the handle.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: a shared handle gives no access to the output.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

impl<T> Unpin for JoinHandle<T> {}
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}
impl UnwindSafe for AbortHandle {}
impl RefUnwindSafe for AbortHandle {}

impl<T> JoinHandle<T> {
    /// # Safety
    /// It is the one join handle of the task, whose output is a `T`, and one counted reference is
    /// given to it.
    pub(crate) unsafe fn new(header: NonNull<Header>) -> Self {
        Self {
            // SAFETY: the caller's.
            reference: unsafe { Reference::from_raw(header) },
            _output: PhantomData,
        }
    }

    /// Cancels the task: its future is dropped at the next place where it waits, or before its
    /// first poll. A task that has ended keeps its output.
    ///
    /// It returns at once; whoever wants to know that the future is gone awaits the handle. Work
    /// of `spawn_blocking` cannot be cancelled once it has begun.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let task = tokio::spawn(std::future::pending::<()>());
    /// task.abort();
    /// assert!(task.await.unwrap_err().is_cancelled());
    /// # }
    /// ```
    pub fn abort(&self) {
        self.reference.cancel();
    }

    /// A handle that can cancel the task, while this one is awaited or handed on.
    #[must_use]
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle {
            reference: self.reference.clone(),
        }
    }

    /// Whether the task has ended, so that awaiting it gives its output at once. After
    /// [`abort`](Self::abort) that may take a while.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.reference.header().state.is_done()
    }

    /// The id of the task: what [`id`](crate::id()) says inside of it.
    #[must_use]
    pub fn id(&self) -> Id {
        self.reference.header().id
    }

    /// Whether the task has ended; if not, the caller's task is woken when it has. The output
    /// stays where it is. For sets of handles.
    #[doc(hidden)]
    #[inline]
    pub fn poll_finished(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.reference.header().state.joined() {
            Joined::Done => Poll::Ready(()),
            Joined::Awaited => self.change_waker(cx.waker()),
            Joined::Open => self.leave_waker(cx.waker()),
        }
    }

    fn note_wait(&self) {
        let place = self.reference.header().location.location();
        waits::note_with("JoinHandle: the end of the task", || {
            Detail::SpawnedAt(place)
        });
    }

    /// Leaves `waker` in the task, in which there is none.
    fn leave_waker(&self, waker: &Waker) -> Poll<()> {
        let header = self.reference.header();
        let waker = waker.clone();
        header.joiner.with_mut(|place| {
            // SAFETY: AWAITED is not set, so nobody else looks at the place.
            unsafe { &mut *place }.write(waker);
        });
        if !header.state.leave_waker() {
            self.note_wait();
            return Poll::Pending;
        }
        // SAFETY: the runner has not found AWAITED, so the waker is still ours.
        drop(unsafe { self.reference.read_joiner() });
        Poll::Ready(())
    }

    /// Leaves `waker` in the task, in which there is one.
    fn change_waker(&self, waker: &Waker) -> Poll<()> {
        let header = self.reference.header();
        let is_known = header.joiner.with(|place| {
            // SAFETY: AWAITED is set, so a waker is there, and the runner only reads it.
            let place = unsafe { &*place };
            // SAFETY: as above.
            unsafe { place.assume_init_ref() }.will_wake(waker)
        });
        if is_known {
            self.note_wait();
            return Poll::Pending;
        }
        if !header.state.take_waker_back() {
            return Poll::Ready(());
        }
        // SAFETY: AWAITED was cleared while the task was not done: the waker is ours again.
        let before = unsafe { self.reference.read_joiner() };
        let polled = self.leave_waker(waker);
        drop(before);
        polled
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let charge = ready!(budget::poll_proceed(cx));
        ready!(self.poll_finished(cx));
        charge.made_progress();
        let mut output: Option<Result<T, JoinError>> = None;
        let take = self.reference.header().vtable.take_output;
        // SAFETY: the task is done and this is its join handle, so the output is ours; it is a
        // `T`, by the contract of `new`.
        unsafe {
            take(
                self.reference.as_raw(),
                std::ptr::from_mut(&mut output).cast(),
            )
        };
        Poll::Ready(output.expect("take_output gives one or panics"))
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let header = self.reference.header();
        match header.state.unjoin() {
            Joined::Done => {
                let drop_output = header.vtable.drop_output;
                // SAFETY: the task is done and this was its join handle, so the output is ours.
                unsafe { drop_output(self.reference.as_raw()) };
            }
            // SAFETY: `unjoin` has found AWAITED and no DONE: the waker is ours.
            Joined::Awaited => drop(unsafe { self.reference.read_joiner() }),
            Joined::Open => {}
        }
    }
}

impl AbortHandle {
    /// Cancels the task; as [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.reference.cancel();
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.reference.header().state.is_done()
    }

    /// The id of the task.
    #[must_use]
    pub fn id(&self) -> Id {
        self.reference.header().id
    }
}

impl Drop for AbortHandle {
    /// Changes nothing for the task.
    fn drop(&mut self) {
        // The reference goes with its field. That there is a `Drop` is part of the API: a handle
        // is not taken apart.
    }
}

impl<T: fmt::Debug> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .finish()
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle")
            .field("id", &self.id())
            .finish()
    }
}
