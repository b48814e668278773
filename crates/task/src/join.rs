//! Waiting for a task and cancelling it: [`JoinHandle`] and [`AbortHandle`].

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use yamanote_base::budget;

use crate::error::JoinError;
use crate::header::{Header, Reference};
use crate::held::Held;
use crate::id::Id;

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
    /// The id alone, once the output was taken. Else goes with the handle's own `Drop`.
    held: Held,
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
    held: Held,
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
            held: Held::task(unsafe { Reference::from_raw(header) }),
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
        self.held.cancel();
    }

    /// A handle that can cancel the task, while this one is awaited or handed on.
    #[must_use]
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle {
            held: self.held.clone(),
        }
    }

    /// Whether the task has ended, so that awaiting it gives its output at once. After
    /// [`abort`](Self::abort) that may take a while.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.held.is_done()
    }

    /// The id of the task: what [`id`](crate::id()) says inside of it.
    #[must_use]
    pub fn id(&self) -> Id {
        self.held.id()
    }

    /// Whether the task has ended; if not, the caller's task is woken when it has. The output
    /// stays where it is. For sets of handles.
    #[doc(hidden)]
    #[inline]
    pub fn poll_finished(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(task) = self.held.get() else {
            return Poll::Ready(());
        };
        let poll = task.header().vtable().poll_finished;
        // SAFETY: this is the join handle of the task.
        match unsafe { poll(task.as_raw(), cx) } {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl<T> JoinHandle<T> {
    /// The output, if the task has ended and it was not taken. For sets of handles.
    #[doc(hidden)]
    #[inline]
    pub fn try_take(&mut self) -> Option<Result<T, JoinError>> {
        if !self.held.get()?.header().state.is_done() {
            return None;
        }
        let mut cx = Context::from_waker(Waker::noop());
        match self.poll_output(&mut cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    #[inline(always)]
    fn poll_output(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let Some(task) = self.held.get() else {
            panic!("JoinHandle polled after completion");
        };
        let poll = task.header().vtable().poll_output;
        let mut output = MaybeUninit::<Result<T, JoinError>>::uninit();
        let place = output.as_mut_ptr().cast();
        // SAFETY: this is the join handle of the task, whose output is a `T`, by the contract
        // of `new`.
        match unsafe { poll(&mut self.held, cx, place) } {
            // SAFETY: `poll` has filled it.
            true => Poll::Ready(unsafe { output.assume_init() }),
            false => Poll::Pending,
        }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        budget::poll_charged(cx, |cx| self.poll_output(cx))
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(task) = self.held.get() {
            let drop_join = task.header().vtable().drop_join;
            // SAFETY: this was the join handle of the task; its reference is dropped nowhere else.
            unsafe { drop_join(task.as_raw()) };
        }
    }
}

impl AbortHandle {
    /// Cancels the task; as [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.held.cancel();
    }

    /// Whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.held.is_done()
    }

    /// The id of the task.
    #[must_use]
    pub fn id(&self) -> Id {
        self.held.id()
    }
}

impl Drop for AbortHandle {
    /// Changes nothing for the task.
    #[inline]
    fn drop(&mut self) {
        if let Some(task) = self.held.get() {
            drop(ManuallyDrop::into_inner(task));
        }
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
