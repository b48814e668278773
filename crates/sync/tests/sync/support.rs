//! A future that is polled by hand, and counts of wakes and drops.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// A future with a waker of its own.
pub(crate) struct Polled<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    wakes: Arc<Wakes>,
}

/// Counts wakes.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

/// Counts drops; panics at those that are to.
pub(crate) struct Dropped(pub(crate) Arc<AtomicUsize>, pub(crate) bool);

/// Panics when woken.
pub(crate) struct PanickingWaker;

pub(crate) fn polled<'a, T>(future: impl Future<Output = T> + 'a) -> Polled<'a, T> {
    Polled {
        future: Box::pin(future),
        wakes: Arc::default(),
    }
}

impl<T> Polled<'_, T> {
    pub(crate) fn poll(&mut self) -> Poll<T> {
        let waker = Waker::from(self.wakes.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    pub(crate) fn is_pending(&mut self) -> bool {
        self.poll().is_pending()
    }

    /// The answer, which must be there.
    pub(crate) fn expect(&mut self) -> T {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("still pending"),
        }
    }

    pub(crate) fn wakes(&self) -> usize {
        self.wakes.count()
    }
}

impl Wakes {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// The answer of a future that need not wait.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    polled(future).expect()
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wake for PanickingWaker {
    fn wake(self: Arc<Self>) {
        std::panic::resume_unwind(Box::new("woken"));
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        if self.1 && !std::thread::panicking() {
            std::panic::resume_unwind(Box::new("dropped"));
        }
    }
}

/// Polls `future` once with a waker that panics.
pub(crate) fn poll_with_panicking_waker<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(&Waker::from(Arc::new(
        PanickingWaker,
    ))))
}

/// Whether `f` panics.
pub(crate) fn panics(f: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(f)).is_err()
}
