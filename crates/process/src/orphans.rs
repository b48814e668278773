//! Processes whose [`Child`](crate::Child) was dropped before they ended: [`adopt`].
//!
//! They are waited for all the same, so that none stays a zombie. No task does that: an orphan is
//! its own waker, and is polled where it is woken, which is cheap and does not block. If no runtime
//! is left to watch, it waits in a list for the next process that is spawned or dropped. One whose
//! runtime nobody drives is not woken: so each of these looks after a few orphans, in turn.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};

use yamanote_base::budget;
use yamanote_base::lock::Mutex;

use crate::process::Process;

/// Those that no runtime watches.
static UNWATCHED: Mutex<Vec<std::process::Child>> = Mutex::new(Vec::new());

/// Those that were adopted and may not have ended, the next to be looked after first.
static ADOPTED: Mutex<VecDeque<Weak<Orphan>>> = Mutex::new(VecDeque::new());

/// How many of the adopted one [`sweep`] looks after.
const LOOKS: usize = 4;

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
    let orphan = Arc::new(Orphan {
        slot: Mutex::new(OrphanSlot::Waiting(process)),
    });
    ADOPTED.lock().push_back(Arc::downgrade(&orphan));
    orphan.wake();
}

/// Ends `child`, which nobody can watch.
pub(crate) fn end(mut child: std::process::Child) {
    // If it has ended already, all the better.
    let _ = child.kill();
    leave_unwatched(child);
}

/// Waits for those that no runtime watches, and a few of the others, as far as they have ended.
pub(crate) fn sweep() {
    let unwatched = mem::take(&mut *UNWATCHED.lock());
    unwatched.into_iter().for_each(leave_unwatched);
    for _ in 0..LOOKS {
        let Some(next) = ADOPTED.lock().pop_front() else {
            return;
        };
        if let Some(orphan) = next.upgrade() {
            orphan.clone().poll(true);
            if !orphan.has_ended() {
                ADOPTED.lock().push_back(next);
            }
        }
    }
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
        self.poll(false);
    }
}

impl Orphan {
    /// Goes on waiting for the end; `looks` says that the driver may not have told of it.
    fn poll(self: Arc<Self>, looks: bool) {
        let Some(mut process) = self.begin_poll() else {
            return;
        };
        if looks && matches!(process.try_wait(), Ok(Some(_))) {
            return self.end(process, true);
        }
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

    fn has_ended(&self) -> bool {
        matches!(*self.slot.lock(), OrphanSlot::Ended)
    }

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
