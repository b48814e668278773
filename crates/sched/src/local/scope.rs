//! A stretch of time in which a thread has the kit: [`Scope`].

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use yamanote_base::atomic::plain::Ordering;
use yamanote_base::{budget, rng};
use yamanote_task::RestingCells;

use super::{Desk, HERE, Here, Local};

/// The kit is on this thread; it goes back to its place when this is dropped.
pub(super) struct Scope {
    /// There until the scope is dropped.
    desk: Option<Rc<Desk>>,
    before: Here,
    _worker: yamanote_driver::context::WorkerGuard,
    _rng: rng::ThreadRngGuard,
}

impl Scope {
    pub(super) fn enter(local: &Local) -> Option<Self> {
        let mut kit = local.0.kit.lock().kit.take()?;
        local.0.metrics.note_awake(local.0.driver.clock());
        let rng = rng::enter_thread(kit.rng.split());
        let desk = Rc::new(Desk {
            local: local.clone(),
            kit,
            cells: RestingCells::new(),
        });
        let before = HERE.replace(Here {
            scheduler: Arc::as_ptr(&local.0),
            desk: Rc::as_ptr(&desk),
        });
        let worker = yamanote_driver::context::enter_worker(local.driver(), 0);
        Some(Self {
            desk: Some(desk),
            before,
            _worker: worker,
            _rng: rng,
        })
    }

    pub(super) fn desk(&self) -> &Desk {
        let desk = self.desk.as_ref();
        desk.expect("it is there until the scope is dropped")
    }

    pub(super) fn run<F: Future>(&self, mut future: Pin<&mut F>) -> F::Output {
        let desk = self.desk();
        let local = &desk.local;
        let asked = local.driver().asked(0);
        local.0.metrics.note_thread();
        let waker = Waker::from(local.0.clone());
        let mut cx = Context::from_waker(&waker);
        // SeqCst is not needed: whoever wakes from here on unparks the driver.
        local.0.woken.store(true, Ordering::Release);
        loop {
            desk.assert_not_failed();
            // Acquire: pairs with the Release in wake_by_ref(). Relaxed: a wake that this misses is
            // seen in the next round, which an unpark or a task of this thread brings about.
            let woken = &local.0.woken;
            if woken.load(Ordering::Relaxed) && woken.swap(false, Ordering::Acquire) {
                desk.count_poll();
                desk.turn_if_asked(&asked);
                let polled = budget::with_budget(|| future.as_mut().poll(&mut cx));
                if let Poll::Ready(output) = polled {
                    return output;
                }
            }
            desk.run_some(&asked);
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        HERE.set(self.before);
        let desk = self.desk.take().and_then(Rc::into_inner);
        let desk = desk.expect("nobody else keeps the desk");
        let parts = &desk.local.0;
        parts.metrics.note_busy(parts.driver.clock());
        let mut place = parts.kit.lock();
        place.kit = Some(desk.kit);
        let waiting = std::mem::take(&mut place.waiting);
        drop(place);
        waiting.into_iter().for_each(Waker::wake);
    }
}
