//! What is runnable, and in which order it is run: [`RunQueue`] and its [`Schedule`].

use std::collections::VecDeque;
use std::sync::Arc;

use yamanote_task::Runnable;
use yamanote_world::{ChoiceKind, World};

use super::MainWaker;
use super::host::{MAIN, SimHost};
use super::priorities::Priorities;

/// In which order runnable tasks are polled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Schedule {
    /// The first that became runnable first.
    Fifo,
    /// Any, drawn from the schedule stream.
    #[default]
    Random,
    /// The one of the highest priority. Priorities are drawn, and the task that runs loses its own
    /// at `depth - 1` moments that are drawn, too.
    ///
    /// A bug that needs `depth` events in a certain order is found with a probability that does
    /// not sink with the number of tasks as fast as with [`Random`](Self::Random) (Burckhardt et
    /// al., "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs", 2010).
    Pct {
        /// How many events must be in order.
        depth: u32,
    },
}

/// Something to be run once.
pub(super) enum Entry {
    /// A task, by the world's own number.
    Task {
        task: Runnable,
        host: SimHost,
        number: u64,
    },
    /// The future of a `block_on`.
    Main(Arc<MainWaker>),
}

/// Everything that is runnable.
///
/// Unbounded by itself: each task is in it at most once.
#[derive(Default)]
pub(super) struct RunQueue {
    entries: VecDeque<Entry>,
    schedule: Schedule,
    priorities: Priorities,
    closed: bool,
}

impl RunQueue {
    pub(super) fn set_schedule(&mut self, schedule: Schedule) {
        self.schedule = schedule;
        if let Schedule::Pct { depth } = schedule {
            self.priorities = Priorities::new(depth);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Gives `entry` back if the queue is closed; drop it outside of the lock.
    pub(super) fn push(&mut self, entry: Entry) -> Option<Entry> {
        if self.closed {
            return Some(entry);
        }
        self.entries.push_back(entry);
        None
    }

    /// Takes out what is to run next.
    pub(super) fn choose(&mut self, world: &World) -> Option<Entry> {
        let count = self.entries.len();
        let index = match self.schedule {
            Schedule::Pct { .. } => {
                let numbers = self.entries.iter().map(Entry::number);
                self.priorities.choose(numbers, world)?
            }
            Schedule::Random if count > 1 => {
                let drawn = world.choose(ChoiceKind::NextTask, count as u64);
                usize::try_from(drawn).expect("drawn below the number of entries")
            }
            Schedule::Random | Schedule::Fifo => 0,
        };
        // Index 0 leaves the order of the others: only zeros drawn is first in, first out.
        self.entries.swap_remove_front(index)
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn take_all(&mut self) -> VecDeque<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Takes out what belongs to `host`; drop it outside of the lock.
    pub(super) fn take_of(&mut self, host: &SimHost) -> Vec<Entry> {
        let (gone, kept) = self
            .take_all()
            .into_iter()
            .partition(|entry| entry.is_of(host));
        self.entries = kept;
        Vec::from(gone)
    }
}

impl Entry {
    /// Whether it is the future of the `block_on` with this waker.
    pub(super) fn is_main(&self, main: &Arc<MainWaker>) -> bool {
        matches!(self, Entry::Main(woken) if Arc::ptr_eq(woken, main))
    }

    fn is_of(&self, host: &SimHost) -> bool {
        match self {
            Entry::Task { host: of, .. } => of.is(host),
            Entry::Main(_) => false,
        }
    }

    fn number(&self) -> u64 {
        match self {
            Entry::Task { number, .. } => *number,
            Entry::Main(_) => MAIN,
        }
    }
}
