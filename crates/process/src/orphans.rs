//! Processes whose [`Child`](crate::Child) was dropped before they ended: [`adopt`].
//!
//! They are waited for all the same, so that none stays a zombie. No task does that: an orphan is
//! its own waker, and is polled where it is woken, which is cheap and does not block. Only if no
//! runtime is left to watch, it waits in a list for the next process that is spawned or dropped.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use yamanote_base::budget;
use yamanote_base::lock::Mutex;

use crate::process::Process;

/// Those that no runtime watches.
static UNWATCHED: Mutex<Vec<std::process::Child>> = Mutex::new(Vec::new());

/// A process that waits for its own end.
struct Orphan {
    slot: Mutex<OrphanSlot>,
}

enum OrphanSlot {
    /// Nobody is polling.
    Waiting(Process),
    /// Somebody is; whether it was woken meanwhile.
    Polling {
        woken: bool,
    },
    Ended,
}

/// Waits for the end of `process`, whenever that is.
pub(crate) fn adopt(process: Process) {
    sweep();
    Arc::new(Orphan {
        slot: Mutex::new(OrphanSlot::Waiting(process)),
    })
    .wake();
}

/// Ends `child`, which nobody can watch.
pub(crate) fn end(mut child: std::process::Child) {
    // If it has ended already, all the better.
    let _ = child.kill();
    leave_unwatched(child);
}

/// Waits for those that no runtime watches, as far as they have ended.
pub(crate) fn sweep() {
    let unwatched = mem::take(&mut *UNWATCHED.lock());
    unwatched.into_iter().for_each(leave_unwatched);
}

/// Leaves `child` to the next [`sweep`], unless it has ended, or is none of ours any more. Those of
/// its pipes that nobody has taken are closed.
pub(crate) fn leave_unwatched(mut child: std::process::Child) {
    drop((child.stdin.take(), child.stdout.take(), child.stderr.take()));
    if let Ok(None) = child.try_wait() {
        UNWATCHED.lock().push(child);
    }
}

impl Wake for Orphan {
    fn wake(self: Arc<Self>) {
        let Some(mut process) = self.begin_poll() else {
            return;
        };
        let waker = Waker::from(self.clone());
        let mut cx = Context::from_waker(&waker);
        // Bounded by the wakes.
        loop {
            // It is no part of the task in whose time it is woken.
            match budget::with_unlimited(|| process.poll_exit(&mut cx)) {
                Poll::Pending => match self.end_poll(process) {
                    Some(again) => process = again,
                    None => return,
                },
                Poll::Ready(exited) => return self.end(process, exited.is_ok()),
            }
        }
    }
}

impl Orphan {
    /// Lets go of the process: it was waited for, or nobody watches it any more.
    fn end(&self, process: Process, waited: bool) {
        *self.slot.lock() = OrphanSlot::Ended;
        if !waited {
            leave_unwatched(process.into_std());
        }
    }

    /// Takes the process out to be polled; `None` if somebody else has.
    fn begin_poll(&self) -> Option<Process> {
        let mut slot = self.slot.lock();
        match mem::replace(&mut *slot, OrphanSlot::Polling { woken: true }) {
            OrphanSlot::Waiting(process) => {
                *slot = OrphanSlot::Polling { woken: false };
                Some(process)
            }
            OrphanSlot::Polling { .. } => None,
            OrphanSlot::Ended => {
                *slot = OrphanSlot::Ended;
                None
            }
        }
    }

    /// Puts the process back; returns it if it is to be polled once more.
    fn end_poll(&self, process: Process) -> Option<Process> {
        let mut slot = self.slot.lock();
        if matches!(*slot, OrphanSlot::Polling { woken: true }) {
            *slot = OrphanSlot::Polling { woken: false };
            return Some(process);
        }
        *slot = OrphanSlot::Waiting(process);
        None
    }
}
