//! What is runnable, and in which order it is run: [`RunQueue`] and its [`Policy`].

use std::collections::VecDeque;
use std::sync::Arc;

use yamanote_task::Runnable;
use yamanote_world::{ChoiceKind, World};

use super::MainWaker;
use super::host::SimHost;

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
    policy: Policy,
    closed: bool,
}

impl RunQueue {
    pub(super) fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
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
}
