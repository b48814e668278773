//! What tells the tasks of a process apart: [`Id`].

use std::cell::Cell;
use std::fmt;
use std::num::NonZeroU64;

use yamanote_base::atomic::plain::{AtomicU64, Ordering};
use yamanote_base::thread_cell;

use crate::notes::number_of;

/// How many bits a number has: enough for a million tasks a second for seventy years. Then the
/// numbers begin anew.
pub(crate) const NUMBER_BITS: u32 = 51;

/// How many numbers a thread takes at a time.
const BATCH: u64 = 1024;

/// Batches begin below this.
const FIRSTS: u64 = (1 << NUMBER_BITS) - BATCH;

thread_cell! {
    /// The notes of the task that runs, of which only the number is of interest, and in the place
    /// of the count what its runner has [lent](crate::lent); or 0.
    static CURRENT: u64 = 0
}

thread_local! {
    /// The numbers that are this thread's to give: the last one given, and the end of the batch.
    static BATCH_HERE: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// Tells the tasks of a process apart; not given twice, unless there were 2^51 others. It says
/// nothing about the order in which tasks were spawned or run.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let task = tokio::spawn(async { tokio::task::id() });
/// let id = task.id();
/// assert_eq!(task.await.unwrap(), id);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(NonZeroU64);

impl Id {
    /// An id that no task has.
    #[inline]
    #[must_use]
    pub fn next() -> Self {
        let number = BATCH_HERE.try_with(|batch| {
            let (last, end) = match batch.get() {
                (last, end) if last == end => {
                    let last = take_numbers(BATCH);
                    (last, last + BATCH)
                }
                rest => rest,
            };
            batch.set((last + 1, end));
            last
        });
        // While the thread's locals are being destroyed, one number by one.
        let number = number.unwrap_or_else(|_| take_numbers(1)) + 1;
        Self(NonZeroU64::new(number).expect("no batch has the number 0"))
    }

    /// The id of the task with these notes.
    #[inline]
    pub(crate) fn of_notes(notes: u64) -> Self {
        Self::from_u64(number_of(notes))
    }

    /// The id with this number.
    #[inline]
    pub(crate) fn from_u64(number: u64) -> Self {
        Self(NonZeroU64::new(number).expect("no task has this number"))
    }

    /// The number of the id.
    #[inline]
    #[must_use]
    pub fn as_u64(self) -> u64 {
        self.0.get()
    }
}

/// Takes `count` numbers that nobody has; returns the one before them.
#[cold]
fn take_numbers(count: u64) -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    // Relaxed: only the numbers must differ.
    LAST.fetch_add(count, Ordering::Relaxed) % FIRSTS
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of the task that runs on this thread.
///
/// # Panics
/// Outside of tasks; the future given to `block_on` is not one. See [`try_id`].
#[track_caller]
#[must_use]
pub fn id() -> Id {
    try_id().expect("Can't get a task id when not inside a task")
}

/// The id of the task that runs on this thread, if one does.
///
/// ```
/// assert_eq!(tokio::task::try_id(), None);
/// ```
#[must_use]
pub fn try_id() -> Option<Id> {
    NonZeroU64::new(number_of(current_note())).map(Id)
}

/// The note of which task runs on this thread, or 0.
#[inline]
pub(crate) fn current_note() -> u64 {
    CURRENT.try_with(Cell::get).unwrap_or(0)
}

/// Changes the note.
#[inline]
pub(crate) fn set_current_note(note: u64) {
    let _ = CURRENT.try_with(|current| current.set(note));
}

/// Calls `f` as the task with these notes; restores the one before, also when `f` panics.
#[inline]
pub(crate) fn with<R>(notes: u64, f: impl FnOnce() -> R) -> R {
    struct Restore(u64);

    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            set_current_note(self.0);
        }
    }

    let _restore = Restore(
        CURRENT
            .try_with(|current| current.replace(notes))
            .unwrap_or(0),
    );
    f()
}
