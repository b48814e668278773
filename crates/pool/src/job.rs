//! What a pool is given to do: [`Job`].

use std::fmt;
use std::sync::Arc;

use yamanote_base::quietly::quietly;

/// Work to be run once on some thread; dropped unrun, it is cancelled.
pub struct Job {
    work: Work,
    /// It is run even if the pool shuts down before its turn.
    pub(crate) mandatory: bool,
}

enum Work {
    Owned(Box<dyn FnOnce() + Send>),
    Shared(Share),
}

/// Work in one allocation with what its submitter waits for; see [`Job::shared`].
pub trait SharedWork: Send + Sync {
    /// Runs it. Called at most once, and not after [`cancel`](Self::cancel).
    fn run(&self);

    /// It will not be run. Called at most once.
    fn cancel(&self);
}

/// The pool's share of some work; `None` once it has run.
struct Share(Option<Arc<dyn SharedWork>>);

impl Job {
    /// A job that is dropped unrun when the pool shuts down before its turn.
    pub fn new(run: impl FnOnce() + Send + 'static) -> Self {
        Self {
            work: Work::Owned(Box::new(run)),
            mandatory: false,
        }
    }

    /// A job whose submitter keeps a share of the work, so that it needs no allocation of its own.
    pub fn shared(work: Arc<dyn SharedWork>, mandatory: bool) -> Self {
        let work = Work::Shared(Share(Some(work)));
        Self { work, mandatory }
    }

    /// A job that is run even if the pool shuts down before its turn.
    pub fn mandatory(run: impl FnOnce() + Send + 'static) -> Self {
        Self {
            work: Work::Owned(Box::new(run)),
            mandatory: true,
        }
    }

    /// A panic ends the job, not the thread: whoever awaits the job hears of it.
    pub(crate) fn run(self) {
        match self.work {
            Work::Owned(run) => quietly(run),
            Work::Shared(share) => quietly(|| share.run()),
        }
    }
}

impl Share {
    fn run(mut self) {
        if let Some(work) = self.0.take() {
            work.run();
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            work.cancel();
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("mandatory", &self.mandatory)
            .finish_non_exhaustive()
    }
}
