//! The monitor: a thread that helps workers which are stuck in a long poll.
//!
//! A stuck worker does not turn its driver, and nobody may take the task in its next slot. Every
//! `ROUND` the monitor looks for workers that are awake and have begun no poll since the last
//! round; of each it turns the driver (without waiting) and takes the slot's task, and
//! injects what it got, so that any other worker can run it. When nothing happens, it costs
//! nothing: [`Monitor`] says how it sleeps.

use std::sync::PoisonError;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use yamanote_base::atomic::{AtomicBool, Ordering, RawCondvar as Condvar, fence};
use yamanote_base::lock::{Mutex, MutexGuard};
use yamanote_base::wake::WakeList;

use super::Multi;

/// Time between two looks at the workers.
const ROUND: Duration = Duration::from_millis(10);

/// Rounds with all workers asleep after which the monitor sleeps, too.
const QUIET_ROUNDS: u32 = 20;

/// How workers and the monitor reach each other.
///
/// After `QUIET_ROUNDS` rounds with all workers asleep the monitor sleeps without a limit and
/// says so in `dozing`. A worker that wakes up clears its sleeper bit, then (fence) looks at
/// `dozing`; the monitor sets `dozing`, then (fence) looks at the sleeper bits once more. In the
/// single order of the fences one is first, so one of the two sees the other, and no worker gets
/// stuck unseen.
#[derive(Debug, Default)]
pub struct Monitor {
    /// Whether the monitor sleeps without a limit; cleared under the lock of `stopped`.
    dozing: AtomicBool,
    stopped: Mutex<bool>,
    call: Condvar,
    /// For who waits until it has ended.
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Monitor {
    /// Called by a worker that has just woken up and cleared its sleeper bit.
    #[inline]
    pub fn note_awake(&self) {
        // SeqCst: the worker's fence in the argument above.
        fence(Ordering::SeqCst);
        // Relaxed: ordered by the fence.
        if self.dozing.load(Ordering::Relaxed) {
            self.rouse();
        }
    }

    #[cold]
    fn rouse(&self) {
        // The lock is taken so that the notification cannot fall between look and wait.
        let guard = self.stopped.lock();
        // Relaxed: read again under the same lock.
        self.dozing.store(false, Ordering::Relaxed);
        drop(guard);
        self.call.notify_one();
    }

    /// Ends the monitor.
    pub fn stop(&self) {
        // A waker called by the monitor may drop the runtime: it cannot wait for itself.
        self.thread
            .lock()
            .take_if(|thread| thread.thread().id() == thread::current().id());
        *self.stopped.lock() = true;
        self.call.notify_one();
    }

    /// Waits until the monitor, which was [stopped](Self::stop), holds the scheduler no longer.
    pub(super) fn join(&self) {
        let thread = self.thread.lock().take();
        // What it panicked with was told already.
        let _ = thread.map(JoinHandle::join);
    }

    /// Waits for the next round; `false` when the monitor is to end.
    fn wait_for_round(&self) -> bool {
        let mut stopped = self.stopped.lock();
        if !*stopped {
            let raw = self.call.wait_timeout(stopped.into_raw(), ROUND);
            stopped = MutexGuard::from_raw(raw.unwrap_or_else(PoisonError::into_inner).0);
        }
        !*stopped
    }

    /// Sleeps while `all_asleep`, which is asked once, until a worker wakes up; `false` when the
    /// monitor is to end.
    pub fn doze(&self, all_asleep: impl FnOnce() -> bool) -> bool {
        let mut stopped = self.stopped.lock();
        // Relaxed: ordered by the fence.
        self.dozing.store(true, Ordering::Relaxed);
        // SeqCst: the monitor's fence in the argument above.
        fence(Ordering::SeqCst);
        if all_asleep() {
            // Relaxed: `rouse` clears it under the lock that is held here.
            while self.dozing.load(Ordering::Relaxed) && !*stopped {
                let raw = self.call.wait(stopped.into_raw());
                stopped = MutexGuard::from_raw(raw.unwrap_or_else(PoisonError::into_inner));
            }
        }
        // Relaxed: who sees it too late rouses in vain.
        self.dozing.store(false, Ordering::Relaxed);
        !*stopped
    }
}

/// Starts the monitor of `multi`.
pub(super) fn start(multi: &Multi) -> std::io::Result<()> {
    let watched = multi.clone();
    let builder = thread::Builder::new().name("yamanote-monitor".to_owned());
    let thread = builder
        .stack_size(128 * 1024)
        .spawn(move || watch(&watched))?;
    *multi.0.monitor.thread.lock() = Some(thread);
    Ok(())
}

fn watch(multi: &Multi) {
    let parts = &multi.0;
    let all_asleep = || (0..multi.workers()).all(|worker| parts.idle.is_asleep(worker));
    let mut seen = vec![u64::MAX; multi.workers()];
    let mut wakes = WakeList::new();
    let mut quiet = 0;
    // One round per turn of the loop; bounded by the life of the scheduler.
    loop {
        let goes_on = if quiet < QUIET_ROUNDS {
            parts.monitor.wait_for_round()
        } else {
            quiet = 0;
            parts.monitor.doze(all_asleep)
        };
        if !goes_on {
            return;
        }
        let mut awake = 0;
        for (worker, seen) in seen.iter_mut().enumerate() {
            if parts.idle.is_asleep(worker) {
                *seen = u64::MAX;
                continue;
            }
            awake += 1;
            let polls = parts.seats[worker].metrics.polls.get();
            if *seen == polls {
                rescue(multi, worker, &mut wakes);
            }
            *seen = polls;
        }
        quiet = if awake == 0 { quiet + 1 } else { 0 };
    }
}

/// Does for a stuck worker what it cannot do itself.
fn rescue(multi: &Multi, worker: usize, wakes: &mut WakeList) {
    let seat = &multi.0.seats[worker];
    multi.0.driver.look(worker, wakes);
    // These wakers put their tasks into the inject queue, for this thread is no worker.
    wakes.wake_quietly();
    if let Some(task) = seat.next.take() {
        multi.0.inject.push(task);
    }
    if multi.work_is_visible() {
        multi.wake_one();
    }
}
