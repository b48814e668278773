//! The monitor: a thread that helps workers which are stuck in a long poll.
//!
//! A stuck worker does not turn its driver, and nobody may take the task in its next slot. In
//! rounds the monitor looks for workers that are awake and have begun no poll since the last
//! round; it injects the slots' tasks and, where another sleeps, what a turn of the driver brings,
//! for any worker. Where none sleeps, those that are awake owe it that turn, for two seconds.
//!
//! A look costs as much as a request, so the monitor looks rarely where no poll is long:
//!
//! | the workers | the next round |
//! |---|---|
//! | one is awake, or was so for [`LONG`] in one of the last `CALM_AFTER` rounds | after [`LONG`] |
//! | no such thing: they are calm | after `CALM_ROUND` |
//! | calm, and none woke up for `SILENT_ROUNDS` | when one wakes up; [`Monitor`] says how |
//!
//! So the first long poll of a calm runtime is noticed after `CALM_ROUND + LONG` at the latest,
//! others after twice [`LONG`].

use std::sync::PoisonError;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use yamanote_base::atomic::{AtomicBool, Ordering, RawCondvar as Condvar, fence};
use yamanote_base::lock::{Mutex, MutexGuard};
use yamanote_base::wake::WakeList;

use super::{Multi, Seat};
use crate::metrics::{LONG, WorkerMetrics};

/// Time between two looks, where a worker may be stuck.
const ROUND: Duration = LONG;

/// Time between two looks at workers that are calm.
const CALM_ROUND: Duration = Duration::from_millis(100);

/// Rounds after which the workers are calm: half a second.
const CALM_AFTER: u32 = 50;

/// Rounds of calm in which no worker woke up, after which the monitor sleeps, too.
const SILENT_ROUNDS: u32 = 3;

/// Rounds, about two seconds, after which a stuck worker's driver is turned though no worker
/// sleeps: who waits for something that is due there may be a thread in `block_on`.
const PATIENCE: u32 = 200;

/// How workers and the monitor reach each other.
///
/// When all workers are asleep and have been for a while, the monitor sleeps without a limit and
/// says so in `dozing`. A worker that wakes up clears its sleeper bit, then (fence) looks at
/// `dozing`; the monitor sets `dozing`, then (fence) looks at the sleeper bits once more. In the
/// single order of the fences one is first, so one of the two sees the other, and no worker gets
/// stuck unseen.
#[derive(Debug, Default)]
pub struct Monitor {
    /// Whether some worker is owed a turn (`Seat::is_owed_turn`). Set by the monitor, after that;
    /// cleared by who goes on to make the turns.
    owes_turns: AtomicBool,
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

    /// Whether a turn is owed to some worker, at a glance; the caller is to see to it.
    #[inline]
    pub fn take_owed_turns(&self) -> bool {
        // Relaxed: the monitor says so again as long as the worker is stuck.
        let owes = self.owes_turns.load(Ordering::Relaxed);
        if owes {
            self.owes_turns.store(false, Ordering::Relaxed);
        }
        owes
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
        *self.stopped.lock() = true;
        self.call.notify_one();
    }

    /// Waits until the monitor, which was [stopped](Self::stop), holds the scheduler no longer.
    ///
    /// A waker that it calls may drop the runtime: it does not wait for itself, nor may a worker
    /// wait for it, which it waits for then.
    pub(super) fn join(&self) {
        let thread = self.thread.lock().take();
        let thread = thread.filter(|thread| thread.thread().id() != thread::current().id());
        // What it panicked with was told already.
        let _ = thread.map(JoinHandle::join);
    }

    /// Waits for the next round; `false` when the monitor is to end.
    fn wait_for_round(&self, round: Duration) -> bool {
        let mut stopped = self.stopped.lock();
        if !*stopped {
            let raw = self.call.wait_timeout(stopped.into_raw(), round);
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
    // With a stack as usual: what it calls are wakers, which may be anybody's.
    let thread = builder.spawn(move || watch(&watched))?;
    *multi.0.monitor.thread.lock() = Some(thread);
    Ok(())
}

fn watch(multi: &Multi) {
    let parts = &multi.0;
    let all_asleep = || (0..multi.workers()).all(|worker| parts.idle.is_asleep(worker));
    let mut seen = vec![Seen::default(); multi.workers()];
    let mut wakes = WakeList::new();
    let mut pace = Pace::new();
    // One round per turn of the loop; bounded by the life of the scheduler.
    loop {
        let goes_on = match pace.next() {
            Some(round) => parts.monitor.wait_for_round(round),
            None => parts.monitor.doze(all_asleep),
        };
        if !goes_on {
            return;
        }
        for (worker, seen) in seen.iter_mut().enumerate() {
            let seat = &parts.seats[worker];
            let asleep = parts.idle.is_asleep(worker);
            let found = seen.look(Seen::of(&seat.metrics, asleep));
            if found == Found::Stuck {
                rescue(multi, worker, seen.stuck, &mut wakes);
            }
            pace.note(found);
        }
    }
}

/// What the monitor saw of a worker when it looked last.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// Polls that it had begun, if it was awake.
    polls: Option<u64>,
    parks_and_unparks: u64,
    long_stretches: u64,
    /// Looks in a row that have found it stuck.
    stuck: u32,
}

/// What a look at a worker finds, the least reason to look again soon first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// It has slept since the last look.
    Silent,
    /// It sleeps.
    Asleep,
    /// It is awake.
    Awake,
    /// It was awake for long at a stretch.
    Busy,
    /// It is in the same poll as at the last look.
    Stuck,
}

impl Seen {
    fn of(metrics: &WorkerMetrics, asleep: bool) -> Self {
        Self {
            polls: (!asleep).then(|| metrics.polls.get()),
            parks_and_unparks: metrics.parks_and_unparks.get(),
            long_stretches: metrics.long_stretches.get(),
            stuck: 0,
        }
    }

    /// What has become of the worker, which is seen as `now`.
    fn look(&mut self, now: Seen) -> Found {
        let before = std::mem::replace(self, now);
        if self.polls.is_some() && self.polls == before.polls {
            self.stuck = before.stuck.saturating_add(1);
            Found::Stuck
        } else if self.long_stretches != before.long_stretches {
            Found::Busy
        } else if self.polls.is_some() {
            Found::Awake
        } else if self.parks_and_unparks != before.parks_and_unparks {
            Found::Asleep
        } else {
            Found::Silent
        }
    }
}

/// How soon the monitor looks again.
#[derive(Debug)]
struct Pace {
    /// Rounds since a worker was last busy. Workers that have just begun are calm.
    calm: u32,
    /// Rounds of calm in which all were silent.
    silent: u32,
    /// The most that was found in this round.
    found: Option<Found>,
}

impl Pace {
    fn new() -> Self {
        Self {
            calm: CALM_AFTER,
            silent: 0,
            found: None,
        }
    }

    /// What was found of one worker.
    fn note(&mut self, found: Found) {
        self.found = self.found.max(Some(found));
    }

    /// Ends the round; the time to the next one. `None` when there is no need for one until a
    /// worker wakes up.
    fn next(&mut self) -> Option<Duration> {
        let found = self.found.take();
        self.calm = match found {
            Some(Found::Busy | Found::Stuck) => 0,
            _ => (self.calm + 1).min(CALM_AFTER),
        };
        let is_calm = self.calm == CALM_AFTER;
        self.silent = match found {
            Some(Found::Silent) if is_calm => self.silent + 1,
            _ => 0,
        };
        if self.silent == SILENT_ROUNDS {
            self.silent = 0;
            return None;
        }
        let is_awake = found.is_some_and(|found| found >= Found::Awake);
        Some(if is_calm && !is_awake {
            CALM_ROUND
        } else {
            ROUND
        })
    }
}

/// Does for a worker that was found stuck `looks` times in a row what it cannot do itself, or has
/// others do it.
fn rescue(multi: &Multi, worker: usize, looks: u32, wakes: &mut WakeList) {
    let seat = &multi.0.seats[worker];
    if looks % PATIENCE == 0 || multi.0.idle.any_asleep() {
        multi.0.driver.look(worker, wakes);
        // These wakers put their tasks into the inject queue, for this thread is no worker.
        wakes.wake_quietly();
        // What comes next need not wait for a look.
        multi.0.driver.call_attendant(worker);
    } else {
        owe_turn(&multi.0.monitor, seat);
    }
    let in_hand = [seat.next.take_from_outside(), seat.take_warm_from_outside()];
    for task in in_hand.into_iter().flatten() {
        multi.0.inject.push(task);
    }
    if multi.work_is_visible() {
        multi.wake_one();
    }
}

/// Leaves the turn of a stuck worker to those that are awake, for none sleeps.
///
/// What is due would only come between the tasks that wait already. Nodes that gossip, with polls
/// of milliseconds (chitchat), so spoke before they had heard what was said to them, and took more
/// processor time until all knew all; where cores are scarce, twice as much and more.
fn owe_turn(monitor: &Monitor, seat: &Seat) {
    // Relaxed, both: a turn publishes nothing of this thread's; one that is seen late is made late.
    seat.is_owed_turn.store(true, Ordering::Relaxed);
    monitor.owes_turns.store(true, Ordering::Relaxed);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Rounds that all end like this; the last one's.
    fn rounds(pace: &mut Pace, count: u32, found: Found) -> Option<Duration> {
        let mut last = None;
        for _ in 0..count {
            pace.note(found);
            last = pace.next();
        }
        last
    }

    #[test]
    fn calm_workers_are_looked_at_rarely_and_busy_ones_often() {
        let mut pace = Pace::new();
        assert_eq!(pace.next(), Some(CALM_ROUND));
        assert_eq!(
            rounds(&mut pace, 1, Found::Awake),
            Some(ROUND),
            "is it stuck?"
        );
        assert_eq!(rounds(&mut pace, 1, Found::Asleep), Some(CALM_ROUND));
        for found in [Found::Busy, Found::Stuck] {
            assert_eq!(rounds(&mut pace, 1, found), Some(ROUND));
            assert_eq!(
                rounds(&mut pace, CALM_AFTER - 1, Found::Asleep),
                Some(ROUND)
            );
            assert_eq!(rounds(&mut pace, 1, Found::Asleep), Some(CALM_ROUND));
        }
    }

    #[test]
    fn the_monitor_sleeps_only_when_no_worker_wakes_up() {
        let mut pace = Pace::new();
        assert_eq!(
            rounds(&mut pace, SILENT_ROUNDS - 1, Found::Silent),
            Some(CALM_ROUND)
        );
        assert_eq!(rounds(&mut pace, 1, Found::Asleep), Some(CALM_ROUND));
        assert_eq!(rounds(&mut pace, SILENT_ROUNDS, Found::Silent), None);
        assert_eq!(pace.next(), Some(CALM_ROUND), "after it was roused");
    }

    #[test]
    fn one_that_is_in_the_same_poll_is_stuck() {
        let mut seen = Seen::default();
        let worker = |polls, parks_and_unparks, long_stretches| Seen {
            polls,
            parks_and_unparks,
            long_stretches,
            stuck: 0,
        };
        assert_eq!(seen.look(worker(Some(1), 0, 0)), Found::Awake);
        for looks in 1..4 {
            assert_eq!(seen.look(worker(Some(1), 0, 0)), Found::Stuck);
            assert_eq!(seen.stuck, looks);
        }
        assert_eq!(seen.look(worker(Some(2), 0, 0)), Found::Awake);
        assert_eq!(seen.stuck, 0);
        assert_eq!(seen.look(worker(None, 1, 0)), Found::Asleep);
        assert_eq!(seen.look(worker(None, 1, 0)), Found::Silent);
        assert_eq!(seen.look(worker(None, 3, 1)), Found::Busy);
    }
}
