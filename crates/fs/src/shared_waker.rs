//! One waker for all who wait for a file's operation: [`SharedWaker`].

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use yamanote_base::atomic::plain::{AtomicUsize, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_base::wake::WakeList;

/// Wakes every task that waits for the operation of one file.
///
/// A file is shared by reference, so several tasks may wait for the one operation that is under
/// way; the operation itself knows one waker.
#[derive(Debug, Default)]
pub(crate) struct SharedWaker {
    waiting: Mutex<Vec<Waker>>,
    /// How many operations have to end before any other begins. Counted by who begins them and who
    /// ends them, who then wakes; read by all who are about to begin one.
    bars: AtomicUsize,
}

impl SharedWaker {
    /// Polls `operation` with the shared waker, on behalf of the task of `cx`.
    pub(crate) fn poll<T>(
        self: &Arc<Self>,
        cx: &mut Context<'_>,
        mut operation: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let shared = Waker::from(self.clone());
        let mut shared = Context::from_waker(&shared);
        if let Poll::Ready(output) = operation(&mut shared) {
            return Poll::Ready(output);
        }
        self.add(cx.waker());
        // It may have woken all before this task was among them.
        operation(&mut shared)
    }

    /// Nothing else is to begin until [`unbar`](Self::unbar), which comes before a wake.
    pub(crate) fn bar(&self) {
        // Relaxed: who begins something else has the file from this thread.
        self.bars.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes back one [`bar`](Self::bar).
    pub(crate) fn unbar(&self) {
        // Release: pairs with the Acquire in is_barred(); what the operation did comes before.
        self.bars.fetch_sub(1, Ordering::Release);
    }

    pub(crate) fn is_barred(&self) -> bool {
        // Acquire: as above. Who sees it barred looks again once its waker is in the list, whose
        // lock orders that with the wake.
        self.bars.load(Ordering::Acquire) > 0
    }

    fn add(&self, waker: &Waker) {
        if !self
            .waiting
            .lock()
            .iter()
            .any(|known| known.will_wake(waker))
        {
            let waker = waker.clone();
            self.waiting.lock().push(waker);
        }
    }
}

impl Wake for SharedWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        let mut wakes = WakeList::new();
        waiting.into_iter().for_each(|waker| wakes.push(waker));
        wakes.wake_all();
    }
}
