//! What tells the tasks of a process apart: [`Id`].

use std::cell::Cell;
use std::fmt;
use std::num::NonZeroU64;

use yamanote_base::atomic::plain::{AtomicU64, Ordering};

/// How many numbers a thread takes at a time.
const BATCH: u64 = 1024;

thread_local! {
    static CURRENT: Cell<Option<Id>> = const { Cell::new(None) };
    /// The numbers that are this thread's to give: the last one given, and the end of the batch.
    static BATCH_HERE: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
}

/// Tells the tasks of a process apart; never given twice. It says nothing about the order in which
/// tasks were spawned or run.
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
    /// An id that no task has had before.
    #[inline]
    #[must_use]
    pub fn next() -> Self {
        let number = BATCH_HERE.try_with(|batch| {
            let (last, end) = match batch.get() {
                (last, end) if last == end => {
                    let last = take_numbers(BATCH);
                    (last, last.wrapping_add(BATCH))
                }
                rest => rest,
            };
            batch.set((last.wrapping_add(1), end));
            last
        });
        // While the thread's locals are being destroyed, one number by one.
        let number = number.unwrap_or_else(|_| take_numbers(1)).wrapping_add(1);
        Self(NonZeroU64::new(number).expect("2^64 tasks are never made"))
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
    LAST.fetch_add(count, Ordering::Relaxed)
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
    CURRENT.try_with(Cell::get).ok().flatten()
}

/// Calls `f` as the task `id`; restores the id before, also when `f` panics.
#[inline]
pub(crate) fn with<R>(id: Id, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Id>);

    impl Drop for Restore {
        #[inline]
        fn drop(&mut self) {
            let _ = CURRENT.try_with(|current| current.set(self.0));
        }
    }

    let _restore = Restore(
        CURRENT
            .try_with(|current| current.replace(Some(id)))
            .ok()
            .flatten(),
    );
    f()
}
