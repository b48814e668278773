//! Waiting for something that happens at some time, to the nanosecond: [`Alarm`].

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use yamanote_base::atomic::plain::{AtomicBool, Ordering};
use yamanote_base::waits;
use yamanote_base::wake::WakeList;
use yamanote_base::waker_cell::WakerCell;

/// Something that happens at some time; whoever has it may wait for it.
#[must_use = "nothing waits for it unless it is polled"]
pub struct Alarm(Arc<AlarmCell>);

/// An alarm as the event that it is.
pub(crate) struct AlarmCell {
    /// What it is for, as reports name it.
    what: &'static str,
    has_rung: AtomicBool,
    waker: WakerCell,
}

impl Alarm {
    pub(crate) fn new(what: &'static str) -> (Alarm, Arc<AlarmCell>) {
        let cell = Arc::new(AlarmCell {
            what,
            has_rung: AtomicBool::new(false),
            waker: WakerCell::new(),
        });
        (Alarm(cell.clone()), cell)
    }

    /// Waits until it rings; once it has, the next call waits until it rings again.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.waker.register(cx.waker());
        // Relaxed: it rings on the thread that polls, as everything of a world.
        match self.0.has_rung.swap(false, Ordering::Relaxed) {
            true => Poll::Ready(()),
            false => {
                waits::note(|| self.0.what);
                Poll::Pending
            }
        }
    }
}

impl AlarmCell {
    pub(crate) fn ring(&self, wakes: &mut WakeList) {
        // Relaxed: see poll().
        self.has_rung.store(true, Ordering::Relaxed);
        if let Some(waker) = self.waker.take() {
            wakes.push(waker);
        }
    }
}

impl fmt::Debug for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Alarm").field(&self.0).finish()
    }
}

impl fmt::Debug for AlarmCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlarmCell")
            .field("what", &self.what)
            .field("has_rung", &self.has_rung)
            .finish_non_exhaustive()
    }
}
