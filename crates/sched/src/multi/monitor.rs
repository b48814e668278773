//! The monitor: a thread that helps workers which are stuck in a long poll.
//!
//! A stuck worker does not turn its driver, and nobody may take the task in its next slot. Every
//! `ROUND` the monitor looks for workers that are awake and have begun no poll since the last
//! round; of each it turns the driver (if that is not locked) and takes the slot's task, and
//! injects what it got, so that any other worker can run it.
//!
//! **It costs nothing when nothing happens.** After `QUIET_ROUNDS` rounds with all workers
//! asleep it sleeps without a limit and says so in `dozing`. A worker that wakes up clears its
//! sleeper bit, then looks at `dozing`; the monitor sets `dozing`, then looks at the sleeper bits
//! once more. All four are SeqCst, so one of the two sees the other, and no worker gets stuck
//! unseen.

use std::sync::PoisonError;
use std::time::Duration;

use yamanote_base::atomic::RawCondvar as Condvar;
use yamanote_base::atomic::plain::{AtomicBool, Ordering};
use yamanote_base::lock::{Mutex, MutexGuard};
use yamanote_base::wake::WakeList;

use super::Multi;

/// Time between two looks at the workers.
const ROUND: Duration = Duration::from_millis(10);

/// Rounds with all workers asleep after which the monitor sleeps, too.
const QUIET_ROUNDS: u32 = 20;

/// How workers and the monitor reach each other.
#[derive(Debug, Default)]
pub struct Monitor {
    /// Whether the monitor sleeps without a limit. See the head of this file.
    dozing: AtomicBool,
    stopped: Mutex<bool>,
    call: Condvar,
}

impl Monitor {
    /// Called by a worker that has just woken up and cleared its sleeper bit.
    #[inline]
    pub fn note_awake(&self) {
        // SeqCst: the worker's part of the argument at the head of this file.
        if self.dozing.load(Ordering::SeqCst) {
            self.rouse();
        }
    }

    #[cold]
    fn rouse(&self) {
        // The lock is taken so that the notification cannot fall between look and wait.
        let guard = self.stopped.lock();
        // SeqCst: as above.
        self.dozing.store(false, Ordering::SeqCst);
        drop(guard);
        self.call.notify_one();
    }

    /// Ends the monitor.
    pub fn stop(&self) {
        *self.stopped.lock() = true;
        self.call.notify_one();
    }
}

/// Starts the monitor of `multi`.
pub(super) fn start(multi: &Multi) -> std::io::Result<()> {
    let multi = multi.clone();
    let builder = std::thread::Builder::new().name("yamanote-monitor".to_owned());
    builder
        .stack_size(128 * 1024)
        .spawn(move || watch(&multi))
        .map(drop)
}

fn watch(multi: &Multi) {
    let parts = &multi.0;
    let mut seen = vec![u64::MAX; multi.workers()];
    let mut wakes = WakeList::new();
    let mut quiet = 0;
    let mut stopped = parts.monitor.stopped.lock();
    // One round per turn of the loop; bounded by the life of the scheduler.
    while !*stopped {
        if quiet < QUIET_ROUNDS {
            let raw = parts.monitor.call.wait_timeout(stopped.into_raw(), ROUND);
            stopped = MutexGuard::from_raw(raw.unwrap_or_else(PoisonError::into_inner).0);
        } else {
            stopped = doze(multi, stopped);
            quiet = 0;
        }
        drop(stopped);
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
        stopped = parts.monitor.stopped.lock();
    }
}

/// Sleeps until a worker wakes up or the scheduler closes.
fn doze<'a>(multi: &'a Multi, mut stopped: MutexGuard<'a, bool>) -> MutexGuard<'a, bool> {
    let monitor = &multi.0.monitor;
    // SeqCst: the monitor's part of the argument at the head of this file.
    monitor.dozing.store(true, Ordering::SeqCst);
    if (0..multi.workers()).all(|worker| multi.0.idle.is_asleep(worker)) {
        // SeqCst: as above; `rouse` clears it under the lock that is held here.
        while monitor.dozing.load(Ordering::SeqCst) && !*stopped {
            let raw = monitor.call.wait(stopped.into_raw());
            stopped = MutexGuard::from_raw(raw.unwrap_or_else(PoisonError::into_inner));
        }
    }
    // SeqCst: as above.
    monitor.dozing.store(false, Ordering::SeqCst);
    stopped
}

/// Does for a stuck worker what it cannot do itself.
fn rescue(multi: &Multi, worker: usize, wakes: &mut WakeList) {
    let seat = &multi.0.seats[worker];
    if let Some(mut driver) = seat.driver.try_lock() {
        driver.turn(Some(Duration::ZERO), wakes);
    }
    // These wakers put their tasks into the inject queue, for this thread is no worker.
    wakes.wake_quietly();
    if let Some(task) = seat.next.take() {
        multi.0.inject.push(task);
    }
    if multi.work_is_visible() {
        multi.wake_one();
    }
}
