//! One waker for all who wait for a file's operation: [`SharedWaker`].

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use yamanote_base::lock::Mutex;
use yamanote_base::wake::WakeList;

/// Wakes every task that waits for the operation of one file.
///
/// A file is shared by reference, so several tasks may wait for the one operation that is under
/// way; the operation itself knows one waker.
#[derive(Debug, Default)]
pub(crate) struct SharedWaker {
    waiting: Mutex<Vec<Waker>>,
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
