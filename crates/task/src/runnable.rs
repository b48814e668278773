//! The right to run a task once: [`Runnable`].

use std::future::Future;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};
use std::time::Duration;

use yamanote_base::ahead;
use yamanote_base::budget::{self, Budget};
use yamanote_trace::TaskKind;

use crate::biased;
use crate::cell::{self, Place};
use crate::header::{Header, Reference};
use crate::id::Id;
use crate::join::JoinHandle;
use crate::meta::SpawnMeta;
use crate::schedule::Schedule;

/// The right to run a task once; a task has at most one, and one that is under way to its thread.
/// Dropped unrun, it cancels the task.
///
/// One word.
#[derive(Debug)]
pub struct Runnable {
    reference: ManuallyDrop<Reference>,
}

/// How many lines of a task are fetched at most.
const LINES_MAX: usize = 24;

/// A task, seen by its scheduler.
#[derive(Debug)]
#[repr(transparent)]
pub struct TaskRef(pub(crate) Reference);

impl Runnable {
    /// # Safety
    /// The task is `SCHEDULED` or fresh, no other runnable of it exists, and one counted reference
    /// is given to this one.
    #[inline]
    pub(crate) unsafe fn new(header: NonNull<Header>) -> Self {
        // SAFETY: the caller's.
        let reference = unsafe { Reference::from_raw(header) };
        Self {
            reference: ManuallyDrop::new(reference),
        }
    }

    /// Polls the task's future once, and sees to what follows: the output, or the next wake.
    #[inline]
    pub fn run(self) {
        let header = self.into_header();
        // SAFETY: the header is alive: the runnable's reference is in our hands.
        let run = unsafe { header.as_ref() }.vtable().run;
        // SAFETY: this was the only runnable, and its reference goes to `run`.
        unsafe { run(header) };
    }

    /// Gives it to the task's scheduler, as one that was just woken.
    pub(crate) fn queue(self) {
        let header = self.into_header();
        // SAFETY: the header is alive: the runnable's reference is in our hands.
        let schedule = unsafe { header.as_ref() }.vtable().schedule;
        // SAFETY: this was the only runnable, and its reference goes to `schedule`.
        unsafe { schedule(header) };
    }

    /// Takes in a runnable that was sent to the thread of its scheduler, an `S`, where the caller
    /// is; `None` if the task is in the thread's own queue.
    ///
    /// # Safety
    /// The scheduler of the task is an `S`.
    #[must_use]
    #[inline]
    pub unsafe fn recall<S: Schedule>(self) -> Option<Self> {
        // SAFETY: the caller's.
        let is_taken_in = match unsafe { biased::biased::<S>(self.reference.as_raw()) } {
            Some(biased) => biased.recall(),
            // It is to be adopted, or is done.
            None => true,
        };
        if is_taken_in {
            return Some(self);
        }
        // `recall` dropped the reference.
        let _ = self.into_header();
        None
    }

    /// The id of the task.
    #[must_use]
    #[inline]
    pub fn id(&self) -> Id {
        self.reference.header().id()
    }

    /// Notes that the task is about to be queued, when its runtime is `age` old.
    #[inline]
    pub fn note_queued(&self, age: Duration) {
        if let Some(stamp) = self.reference.stamp() {
            stamp.set_queued(age);
        }
    }

    /// Notes that the task is about to be run, when its runtime is `age` old; how long it was
    /// queued, if that was noted. The hooks of the poll are told the same.
    #[inline]
    pub fn note_taken(&self, age: Duration) -> Option<Duration> {
        self.reference.stamp()?.set_taken(age)
    }

    /// Gives the runnable up for a word: the address of the task.
    #[must_use = "the task is lost unless it is made a runnable again"]
    #[inline]
    pub fn into_raw(self) -> *mut () {
        self.into_header().as_ptr().cast()
    }

    /// The runnable behind `raw`.
    ///
    /// # Safety
    /// `raw` came from [`into_raw`](Self::into_raw) and is used once.
    #[must_use]
    #[inline]
    pub unsafe fn from_raw(raw: *mut ()) -> Self {
        // SAFETY: `into_raw` gives no null pointer.
        let header = unsafe { NonNull::new_unchecked(raw.cast()) };
        // SAFETY: `into_raw` left its reference counted.
        unsafe { Self::new(header) }
    }

    /// Has the task's memory [fetched](ahead), which is about to be run; of a large one, a part.
    #[inline]
    pub fn fetch(&self) {
        let header = self.reference.header();
        let lines = header.vtable().bytes.div_ceil(ahead::LINE);
        ahead::fetch_lines(header, lines.min(LINES_MAX));
    }

    #[inline]
    pub(crate) fn into_header(self) -> NonNull<Header> {
        let this = ManuallyDrop::new(self);
        this.reference.as_raw()
    }
}

impl Drop for Runnable {
    #[inline]
    fn drop(&mut self) {
        let header = self.reference.as_raw();
        // SAFETY: the header is alive: the runnable's reference is in our hands.
        let shed = unsafe { header.as_ref() }.vtable().shed;
        // SAFETY: this was the runnable; its reference goes to `shed`.
        unsafe { shed(header) };
    }
}

impl TaskRef {
    #[inline]
    pub(crate) fn new(reference: &Reference) -> &Self {
        // SAFETY: `TaskRef` is a transparent wrapper.
        unsafe { &*std::ptr::from_ref(reference).cast::<TaskRef>() }
    }

    /// The id of the task.
    #[must_use]
    #[inline]
    pub fn id(&self) -> Id {
        self.0.header().id()
    }
}

/// Makes a task of a function that may block: it runs without a budget, and once begun it
/// cannot be aborted.
pub fn blocking<T, S>(
    f: impl FnOnce() -> T + Send + 'static,
    scheduler: S,
    id: Id,
    meta: SpawnMeta<'_>,
) -> (Runnable, JoinHandle<T>)
where
    T: Send + 'static,
    S: Schedule,
{
    let kind = TaskKind::Blocking(type_name_of(&f));
    let place = Place {
        cells: None,
        scheduler: || scheduler,
        stamped: false,
    };
    let header = cell::allocate(kind, Once(Some(f)), place, id, meta);
    // SAFETY: three references were counted; this is the first, and the first runnable.
    let runnable = unsafe { Runnable::new(header) };
    // SAFETY: this is the second; the output is what `f` returns.
    let join = unsafe { JoinHandle::new(header) };
    (runnable, join)
}

fn type_name_of<T>(_: &T) -> &'static str {
    std::any::type_name::<T>()
}

/// A future that calls a function once.
struct Once<F>(Option<F>);

// Nothing in it is pinned: the function is moved out before it is called.
impl<F> Unpin for Once<F> {}

impl<T, F: FnOnce() -> T> Future for Once<F> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        let f = self
            .0
            .take()
            .expect("a future is not polled after it ended");
        budget::replace(Budget::UNLIMITED);
        Poll::Ready(f())
    }
}
