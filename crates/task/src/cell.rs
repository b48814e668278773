//! The allocation of a task: header, scheduler, and the future or what became of it.
//!
//! Who has the `stage` to itself: the runner between `begin_run` (or `claim_to_cancel`) and
//! `end_poll` or `complete`; after `complete`, the join handle while it exists, else the runner;
//! when the last reference is gone, whoever frees. The state word is what says so.
//!
//! User code runs here: polls, destructors of futures and outputs, wakers. Each may panic. A
//! panic of the poll or of the future's destructor becomes the task's error; one of an output
//! that nobody wants, or of a joiner's waker, has been reported by the panic hook and ends here.

mod cancel;
mod join;
pub(crate) mod keep;
pub(crate) mod stage;

use std::any::Any;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, Poll};

use yamanote_base::atomic::UnsafeCell;
use yamanote_base::budget;
use yamanote_base::cell_pool::{Room, SizeClass};
use yamanote_base::probe::{self, Point};
use yamanote_base::quietly::quietly;
use yamanote_trace::{TaskKind, TaskSpan};

use crate::biased::{BORN_ELSEWHERE, BORN_HERE, Runner};
use crate::error::Cause;
use crate::header::{Header, Prefix, Reference, Vtable};
use crate::id::{self, Id};
use crate::joiner::Joiner;
use crate::list::ListPlace;
use crate::meta::SpawnMeta;
use crate::notes::Notes;
use crate::origin::Origin;
use crate::resting::RestingCells;
use crate::runnable::{Runnable, TaskRef};
use crate::schedule::Schedule;
use crate::stamp::Stamp;
use crate::state::{Begin, EndPoll, Owner, TaskState};
use crate::waker;
use keep::{keep_warm, lent_to_runner};
use stage::Stage;

/// The allocation. `Header` is first, so a pointer to one is a pointer to the other.
#[repr(C)]
pub(crate) struct TaskCell<F: Future, S> {
    prefix: Prefix<S>,
    stage: UnsafeCell<Stage<F>>,
}

/// A cell of a task whose scheduler wants to know how long it waits.
#[repr(C)]
struct StampedCell<F: Future, S> {
    cell: TaskCell<F, S>,
    stamp: Stamp,
}

/// Where a task gets its place from.
pub(crate) struct Place<'a, S, M> {
    /// Cells that have a scheduler in them.
    pub(crate) cells: Option<&'a RestingCells<S>>,
    /// Makes a scheduler, where none of these fits.
    pub(crate) scheduler: M,
    /// Whether there is to be room for a stamp.
    pub(crate) stamped: bool,
}

/// Makes a task that is to be run for the first time, with three references: of its runnable, its
/// join handle, and its list.
#[inline]
pub(crate) fn allocate<F, S>(
    kind: TaskKind,
    future: F,
    place: Place<'_, S, impl FnOnce() -> S>,
    id: Id,
    meta: SpawnMeta<'_>,
) -> NonNull<Header>
where
    F: Future,
    S: Schedule,
{
    let span = meta.span(kind, id, size_of::<F>());
    let stamped = place.stamped;
    let cell = TaskCell::<F, S>::reserve(place);
    // SAFETY: `reserve` has put it there.
    let scheduler = unsafe { &(*cell.as_ptr()).prefix.scheduler };
    if scheduler.is_watched() {
        probe::emit(Point::Spawn, id.as_u64());
    }
    let (state, own) = match scheduler.is_here() {
        true => (TaskState::born_here(), BORN_HERE),
        false => (TaskState::new(S::WAKERS.lent()), BORN_ELSEWHERE),
    };
    let header = Header {
        state,
        place: ListPlace::none(),
        notes: Notes::new(id, stamped, own),
        origin: Origin::of(&TaskCell::<F, S>::VTABLE, meta.location()),
        wakes: span.wakes(),
        joiner: UnsafeCell::new(Joiner::none()),
    };
    // SAFETY: it lies in the cell, whose header is the first field.
    unsafe { cell.cast::<Header>().write(header) };
    // SAFETY: as above.
    let stage = unsafe { &raw mut (*cell.as_ptr()).stage };
    // SAFETY: as above.
    unsafe { stage.write(Stage::new(future, span)) };
    cell.cast()
}

impl<F: Future, S> TaskCell<F, S> {
    /// How far behind the header a stamp lies.
    const STAMP_AT: usize = std::mem::offset_of!(StampedCell<F, S>, stamp);

    /// The blocks of the pool into which the cell fits.
    #[inline]
    fn class(stamped: bool) -> Option<SizeClass> {
        match stamped {
            true => Room::<StampedCell<F, S>>::CLASS,
            false => Room::<Self>::CLASS,
        }
    }

    /// Memory for a cell, with a scheduler in it, a stamp if it is to have one, and nothing else.
    #[inline]
    fn reserve(place: Place<'_, S, impl FnOnce() -> S>) -> NonNull<Self> {
        let Place {
            cells,
            scheduler,
            stamped,
        } = place;
        if stamped {
            return Self::reserve_stamped(cells, scheduler);
        }
        match Self::class(false).and_then(|class| cells?.take(class)) {
            Some(resting) => resting.cast(),
            None => Self::fresh(false, scheduler()),
        }
    }

    #[cold]
    fn reserve_stamped(
        cells: Option<&RestingCells<S>>,
        scheduler: impl FnOnce() -> S,
    ) -> NonNull<Self> {
        let cell = match Self::class(true).and_then(|class| cells?.take(class)) {
            Some(resting) => resting.cast(),
            None => Self::fresh(true, scheduler()),
        };
        // SAFETY: that is in the room that `fresh` has made for a cell with a stamp.
        let stamp = unsafe { cell.byte_add(Self::STAMP_AT) };
        // SAFETY: as above; there is nothing to drop in a stamp.
        unsafe { stamp.cast::<Stamp>().write(Stamp::none()) };
        cell
    }

    /// The same, without a stamp yet, of memory that no task had before.
    #[cold]
    fn fresh(stamped: bool, scheduler: S) -> NonNull<Self> {
        let place: NonNull<Self> = match stamped {
            true => Room::<StampedCell<F, S>>::take().into_raw().cast(),
            false => Room::<Self>::take().into_raw(),
        };
        // SAFETY: it is room for a cell.
        let prefix = unsafe { &raw mut (*place.as_ptr()).prefix };
        // SAFETY: as above.
        let field = unsafe { &raw mut (*prefix).scheduler };
        // SAFETY: as above.
        unsafe { field.write(ManuallyDrop::new(scheduler)) };
        place
    }

    /// Gives the memory of a cell back, in which a scheduler is and nothing else; the scheduler.
    ///
    /// # Safety
    /// `cell` came from [`reserve`](Self::reserve) as `stamped`, and nobody else has it.
    #[cold]
    unsafe fn release(cell: NonNull<Self>, stamped: bool) -> S {
        // SAFETY: the caller's.
        let prefix = unsafe { &raw mut (*cell.as_ptr()).prefix };
        // SAFETY: as above.
        let scheduler = unsafe { &raw const (*prefix).scheduler };
        // SAFETY: taken once, here.
        let scheduler = unsafe { scheduler.read() };
        match stamped {
            // SAFETY: `fresh` had it from such a room.
            true => drop(unsafe { Room::<StampedCell<F, S>>::from_raw(cell.cast()) }),
            // SAFETY: as above.
            false => drop(unsafe { Room::from_raw(cell) }),
        }
        ManuallyDrop::into_inner(scheduler)
    }
}

impl<F: Future, S: Schedule> TaskCell<F, S> {
    pub(crate) const VTABLE: Vtable = Vtable {
        run: run::<F, S>,
        shed: cancel::shed::<F, S>,
        evict: cancel::evict::<F, S>,
        abort: cancel::abort::<S>,
        schedule: schedule::<S>,
        poll_finished: join::poll_finished::<S>,
        poll_output: join::poll_output::<F, S>,
        drop_join: join::drop_join::<F, S>,
        free: free::<F, S>,
        stamp_at: Self::STAMP_AT,
        bytes: size_of::<Self>(),
    };

    /// Polls the future once; whether it was ready. Then its output is in its place, or why it
    /// panicked.
    ///
    /// # Safety
    /// The caller runs the task, which is `task`, and the stage is the future.
    #[inline]
    unsafe fn poll(&self, task: NonNull<Header>) -> bool {
        /// Drops the future while its panic unwinds, so that destructors see the panic.
        struct DropFuture<'a, F: Future, S: Schedule>(&'a TaskCell<F, S>);

        impl<F: Future, S: Schedule> Drop for DropFuture<'_, F, S> {
            fn drop(&mut self) {
                // SAFETY: made by `poll`, whose caller runs the task; the poll is over.
                unsafe { self.0.end_future(None) };
            }
        }

        // SAFETY: the caller's reference outlives the poll.
        let waker = unsafe { waker::borrowed::<S>(task) };
        let mut cx = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let unwinds = DropFuture(self);
            let poll = |future: Pin<&mut F>, span: &TaskSpan| {
                span.in_scope(|| budget::with_budget(|| future.poll(&mut cx)))
            };
            // SAFETY: the caller runs the task, which has its future.
            let polled = unsafe { self.with_future(poll) };
            std::mem::forget(unwinds);
            let Poll::Ready(output) = polled else {
                return false;
            };
            // SAFETY: the caller runs the task; the poll is over.
            unsafe { self.end_future(Some(Ok(output))) };
            true
        }));
        polled.unwrap_or_else(|payload| {
            // SAFETY: the caller runs the task, whose future is gone.
            unsafe { self.set_panicked(payload) };
            true
        })
    }

    /// Notes why a task failed whose poll panicked, or whose future did when it was dropped: then
    /// there is an output, which nobody will get.
    ///
    /// # Safety
    /// The caller runs the task, and the stage is not the future.
    #[cold]
    unsafe fn set_panicked(&self, payload: Box<dyn Any + Send>) {
        // SAFETY: the caller's.
        let output = unsafe { self.take_result() };
        // SAFETY: the caller's; what was there was taken.
        unsafe { self.set_result(Some(Err(Cause::panic(payload)))) };
        match output {
            Some(output) => quietly(|| drop(output)),
            None => self.prefix.scheduler.unhandled_panic(),
        }
    }

    /// Drops the future of a task that was cancelled, and notes what its joiner is told.
    ///
    /// # Safety
    /// The caller runs the task, and the stage is the future.
    unsafe fn drop_cancelled(&self) {
        let dropped = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: the caller runs the task.
            unsafe { self.end_future(Some(Err(Cause::Cancelled))) };
        }));
        if let Err(payload) = dropped {
            // SAFETY: the caller runs the task, whose future is gone; there is nothing to drop in
            // the cause that is there.
            unsafe { self.set_result(Some(Err(Cause::panic(payload)))) };
        }
    }

    /// Takes the task off its scheduler's list; whether it was on it, so that the list's reference
    /// is the caller's. [`complete`] is to follow.
    #[inline]
    fn finish(&self, task: &TaskRef) -> bool {
        let Prefix { header, scheduler } = &self.prefix;
        scheduler.on_terminate(|| header.end_meta());
        scheduler.release(task)
    }
}

/// Tells whoever waits for a task that has just been made done, after [`TaskCell::finish`]: its
/// `owner`.
///
/// # Safety
/// `reference` is that of a live `TaskCell<F, S>` which the caller has run, unless `complete` has
/// dropped it, which has said so.
#[inline(always)]
unsafe fn tell_owner<F: Future, S: Schedule>(reference: Reference, owner: Owner) {
    match owner {
        // `complete` dropped the reference: the task may be gone.
        Owner::Joiner => _ = reference.into_raw(),
        Owner::Waiting => {
            // SAFETY: `complete` dropped the reference; the join handle keeps the task until
            // this has settled.
            let task = unsafe { reference.into_raw().as_ref() };
            // SAFETY: `complete` found the waker, and made it the runner's.
            let joiner = unsafe { task.joiner() };
            task.notes.settle();
            quietly(|| {
                // SAFETY: so it is used once; the handle made it as that of a task of an `S`.
                unsafe { joiner.wake::<S>() };
            });
        }
        Owner::Runner => {
            // SAFETY: the caller's; the reference keeps it alive.
            let cell = unsafe { cell::<F, S>(reference.as_raw()) };
            quietly(|| {
                // SAFETY: there is no join handle, so the output is the runner's.
                drop(unsafe { cell.take_result() });
            });
        }
    }
}

/// The cell behind `header`.
///
/// # Safety
/// `header` is that of a live `TaskCell<F, S>`.
unsafe fn cell<'a, F: Future, S>(header: NonNull<Header>) -> &'a TaskCell<F, S> {
    // SAFETY: the header is the first field of the cell, by `repr(C)`, and the pointer was made
    // from one to the whole cell.
    unsafe { header.cast::<TaskCell<F, S>>().as_ref() }
}

/// [`Vtable::run`].
///
/// # Safety
/// `header` is that of a live `TaskCell<F, S>`, and the runnable's reference is given away.
unsafe fn run<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: the vtable belongs to this cell, which the runnable's reference keeps alive.
    let cell = unsafe { cell::<F, S>(header) };
    // SAFETY: the task is one of an `S`, and its runnable was given to us.
    let lent = unsafe { lent_to_runner::<S>(&cell.prefix.header) };
    // The id is set for what user code may run in here: polls, destructors, the joiner's waker.
    let note = lent.beside(cell.prefix.header.notes.get());
    id::with(note, || {
        // SAFETY: as above.
        unsafe { run_as(cell, header) };
    });
}

/// The reference goes from hand to hand as a pointer: what is behind one may be read anew after
/// each call.
///
/// # Safety
/// `header` is that of `cell`, and the caller had the runnable.
#[inline(always)]
unsafe fn run_as<F: Future, S: Schedule>(cell: &TaskCell<F, S>, header: NonNull<Header>) {
    let runner = Runner::new(&cell.prefix);
    let after = match runner.begin_run() {
        Begin::Poll => {
            // SAFETY: `begin_run` made this thread the runner.
            if unsafe { poll(cell, header) } {
                // SAFETY: `poll` has stored the output; the reference is given away.
                return unsafe { complete::<F, S>(header) };
            }
            // The last use of the cell: the reference may go, and the cell with it.
            // SAFETY: the caller's.
            unsafe { end_poll(cell, header, &runner) }
        }
        Begin::Cancel => EndPoll::Cancel,
        Begin::Stale => {
            // There is nothing to lend.
            _ = Runner::<S>::take_lent();
            // SAFETY: the runnable's reference was given to this function.
            return drop(unsafe { Reference::from_raw(header) });
        }
    };
    // SAFETY: as `begin_run` and `end_poll` have said.
    unsafe { after_poll::<F, S>(header, after) };
}

/// Makes a task done that was ready. Not inlined: most polls are of tasks that go on, and would
/// save its registers.
///
/// # Safety
/// `header` is that of a live `TaskCell<F, S>` which the caller runs; its output is stored, and the
/// runner's reference is given away.
#[inline(never)]
unsafe fn complete<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: the caller's.
    let reference = unsafe { Reference::from_raw(header) };
    // SAFETY: as above.
    let cell = unsafe { cell::<F, S>(header) };
    let unlisted = cell.finish(TaskRef::new(&reference));
    let owner = Runner::new(&cell.prefix).complete(unlisted);
    // SAFETY: `complete` has said so.
    unsafe { tell_owner::<F, S>(reference, owner) };
}

/// Enters the task in its list, if it waits for the first time, and ends the poll.
///
/// # Safety
/// As [`run_as`].
#[inline]
unsafe fn end_poll<F: Future, S: Schedule>(
    cell: &TaskCell<F, S>,
    header: NonNull<Header>,
    runner: &Runner<'_, S>,
) -> EndPoll {
    let Prefix {
        header: task,
        scheduler,
    } = &cell.prefix;
    if task.place.is_none() {
        // SAFETY: the runner's reference, which stays.
        let reference = ManuallyDrop::new(unsafe { Reference::from_raw(header) });
        if !scheduler.enter(TaskRef::new(&reference)) {
            return EndPoll::Cancel;
        }
    }
    // SAFETY: the caller is the runner, after the poll.
    if S::WAKERS.keep_warm() && task.state.is_undisturbed() && unsafe { keep_warm::<S>(header) } {
        return EndPoll::Idle;
    }
    runner.end_poll()
}

/// # Safety
/// `header` is that of a live `TaskCell<F, S>`, unless `end_poll` dropped the reference of the
/// caller, who had the runnable; `after` is what came of it.
#[inline]
unsafe fn after_poll<F: Future, S: Schedule>(header: NonNull<Header>, after: EndPoll) {
    match after {
        // `end_poll` dropped the reference.
        EndPoll::Idle => {}
        EndPoll::Free => {
            // SAFETY: `end_poll` dropped the reference, the last one.
            unsafe { free::<F, S>(header) };
        }
        EndPoll::Reschedule => {
            // SAFETY: the reference, now the next runnable's, keeps the cell alive so far.
            let scheduler = unsafe { scheduler_of::<S>(header) };
            // SAFETY: `end_poll` left it SCHEDULED; the reference is given away.
            let next = unsafe { Runnable::new(header) };
            scheduler.reschedule(next);
        }
        EndPoll::Cancel => {
            // SAFETY: this thread is the runner still, and has its reference.
            let reference = unsafe { Reference::from_raw(header) };
            // SAFETY: as above.
            unsafe { cancel::cancel_as::<F, S>(reference, Runner::<S>::take_lent()) };
        }
    }
}

/// A copy of the scheduler of a task that is about to be handed to it: what lies in the task may
/// be gone before the scheduler returns.
///
/// # Safety
/// `header` is that of a live task whose scheduler is an `S`. The copy is used for one call of
/// `schedule`, `reschedule` or `keep_warm`, whose implementors have promised not to need it longer
/// than the task lives.
unsafe fn scheduler_of<S: Schedule>(header: NonNull<Header>) -> ManuallyDrop<S> {
    let prefix = header.cast::<Prefix<S>>();
    // SAFETY: the caller's; a task begins with its prefix.
    let scheduler = unsafe { &raw const (*prefix.as_ptr()).scheduler };
    // SAFETY: the copy is not dropped, and is used as the caller says.
    unsafe { scheduler.read() }
}

/// Polls the task; whether it was ready, and is to be completed.
///
/// # Safety
/// The caller runs the task of `cell`, which is `header`, and has a reference.
#[inline]
unsafe fn poll<F: Future, S: Schedule>(cell: &TaskCell<F, S>, header: NonNull<Header>) -> bool {
    let scheduler = &cell.prefix.scheduler;
    if scheduler.is_watched() {
        // SAFETY: the caller's.
        unsafe { tell_watchers::<S>(header, Point::PollBegin) };
    }
    // SAFETY: the caller runs the task.
    let is_ready = unsafe { cell.poll(header) };
    if scheduler.is_watched() {
        // SAFETY: as above.
        unsafe { tell_watchers::<S>(header, Point::PollEnd) };
    }
    is_ready
}

/// Tells who watches the scheduler that a poll begins, or has ended.
///
/// # Safety
/// `header` is that of a task whose scheduler is an `S`; the caller has a reference.
#[cold]
unsafe fn tell_watchers<S: Schedule>(header: NonNull<Header>, point: Point) {
    // SAFETY: the caller's, which stays.
    let reference = ManuallyDrop::new(unsafe { Reference::from_raw(header) });
    // SAFETY: a task begins with its prefix.
    let scheduler = unsafe { &header.cast::<Prefix<S>>().as_ref().scheduler };
    match point {
        Point::PollBegin => scheduler.before_poll(|| reference.poll_meta()),
        _ => scheduler.after_poll(|| reference.poll_meta()),
    }
    probe::emit(point, reference.header().id().as_u64());
}

/// [`Vtable::schedule`].
///
/// # Safety
/// `header` is that of a live task whose scheduler is an `S`; the caller has made it scheduled, and
/// gives one reference away. (The task may end on another thread while its scheduler still returns
/// from queueing it.)
#[inline(always)]
pub(crate) unsafe fn schedule<S: Schedule>(header: NonNull<Header>) {
    // SAFETY: the caller's.
    let (scheduler, runnable) = unsafe { woken::<S>(header) };
    scheduler.schedule(runnable);
}

/// [`schedule`] where the scheduler is.
///
/// # Safety
/// As `schedule`; and `is_here` is true of the scheduler.
#[inline(always)]
pub(crate) unsafe fn schedule_here<S: Schedule>(header: NonNull<Header>) {
    // SAFETY: the caller's.
    let (scheduler, runnable) = unsafe { woken::<S>(header) };
    // SAFETY: the caller's.
    unsafe { scheduler.schedule_here(runnable) };
}

/// What a task needs that was woken: its scheduler, and its runnable.
///
/// # Safety
/// As [`schedule`].
#[inline(always)]
unsafe fn woken<S: Schedule>(header: NonNull<Header>) -> (ManuallyDrop<S>, Runnable) {
    // SAFETY: the reference, now the runnable's, keeps the cell alive so far.
    let scheduler = unsafe { scheduler_of::<S>(header) };
    if scheduler.is_watched() {
        // SAFETY: the caller gives a reference.
        let id = unsafe { header.as_ref() }.id();
        probe::emit(Point::Wake, id.as_u64());
    }
    // SAFETY: the task is SCHEDULED by the transition that led here; the reference is given away.
    (scheduler, unsafe { Runnable::new(header) })
}

/// [`Vtable::free`].
///
/// # Safety
/// `header` is that of a `TaskCell<F, S>` without references.
unsafe fn free<F: Future, S: Schedule>(header: NonNull<Header>) {
    // SAFETY: the last reference is gone; nothing is in the stage, for a future is dropped when it
    // is done, and its output by whoever owned that.
    let cell = unsafe { cell::<F, S>(header) };
    // The model checker sees that all other uses of both came before.
    cell.stage.with_mut(|_| ());
    cell.prefix.header.joiner.with_mut(|_| ());
    let stamped = cell.prefix.header.notes.is_stamped();
    // SAFETY: nobody uses the header any more.
    unsafe { header.drop_in_place() };
    // SAFETY: the copy is not used after the scheduler has gone.
    let scheduler = unsafe { scheduler_of::<S>(header) };
    let is_kept = scheduler.with_cells(|cells| match (cells, TaskCell::<F, S>::class(stamped)) {
        // SAFETY: `reserve` took it from the pool; nothing is left in it but the scheduler.
        (Some(cells), Some(class)) => unsafe { cells.give(class, header.cast()) },
        _ => false,
    });
    if !is_kept {
        // SAFETY: `reserve` made it, and the last reference is gone.
        drop(unsafe { TaskCell::<F, S>::release(header.cast(), stamped) });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_beside_the_future_is_small() {
        type Waits = std::future::Pending<()>;
        // The header, the scheduler (a pointer), and room for an error.
        assert!(size_of::<TaskCell<Waits, &'static ()>>() <= 40 + 8 + 8);
        type Large = std::future::Ready<[u64; 50]>;
        let beside = size_of::<TaskCell<Large, &'static ()>>() - size_of::<Large>();
        assert!(beside <= 40 + 8);
    }
}
