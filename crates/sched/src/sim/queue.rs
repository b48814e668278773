//! What is runnable, and in which order it is run: [`RunQueue`] and its [`Policy`].

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use yamanote_base::lock::Mutex;
use yamanote_task::Runnable;
use yamanote_world::{ChoiceKind, World};

use super::host::{self, SimHost};
use super::{MainWaker, Sim};

/// In which order runnable tasks are polled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Policy {
    /// The first that became runnable first.
    Fifo,
    /// Any, drawn from the schedule stream.
    #[default]
    Random,
}

/// Something to be run once.
pub(super) enum Entry {
    /// A task, by the world's own number.
    Task { task: Runnable, host: SimHost, number: u64 },
    /// Work that may block, of a host or of the world's.
    Job { run: Box<dyn FnOnce() + Send>, host: Option<SimHost> },
    /// The future of a `block_on`.
    Main(Arc<MainWaker>),
}

/// Everything that is runnable.
///
/// Unbounded by itself: each task is in it at most once.
pub(super) struct RunQueue {
    entries: VecDeque<Entry>,
    policy: Policy,
    closed: bool,
}

/// Work that may block, on its way to the simulating thread.
///
/// Unbounded: whoever brings it waits for its end.
#[derive(Clone, Default)]
pub struct Jobs(Arc<Mutex<Vec<Entry>>>);

impl RunQueue {
    pub(super) fn new(policy: Policy) -> Self {
        Self { entries: VecDeque::new(), policy, closed: false }
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

    pub(super) fn extend(&mut self, jobs: Vec<Entry>) {
        self.entries.extend(jobs);
    }

    /// Takes out what is to run next.
    pub(super) fn choose(&mut self, world: &World) -> Option<Entry> {
        let count = self.entries.len();
        if count < 2 || self.policy == Policy::Fifo {
            return self.entries.pop_front();
        }
        let drawn = world.choose(ChoiceKind::NextTask, count as u64);
        let index = usize::try_from(drawn).expect("drawn below the number of entries");
        self.entries.swap_remove_back(index)
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn take_all(&mut self) -> VecDeque<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Takes out what belongs to `host`; drop it outside of the lock.
    pub(super) fn take_of(&mut self, host: &SimHost) -> Vec<Entry> {
        let (gone, kept) = self.take_all().into_iter().partition(|entry| entry.is_of(host));
        self.entries = kept;
        Vec::from(gone)
    }
}

impl Entry {
    fn is_of(&self, host: &SimHost) -> bool {
        match self {
            Entry::Task { host: of, .. } | Entry::Job { host: Some(of), .. } => of.is(host),
            Entry::Job { host: None, .. } | Entry::Main(_) => false,
        }
    }
}

impl Jobs {
    /// Has `run` run on the simulating thread, on the host that the caller stands on.
    pub fn push(&self, run: impl FnOnce() + Send + 'static) {
        let entry = Entry::Job { run: Box::new(run), host: host::current() };
        self.0.lock().push(entry);
    }

    pub(super) fn take_all(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}
