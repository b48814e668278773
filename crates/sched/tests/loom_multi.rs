//! Model checks of the work-stealing scheduler's two lock-free parts: its ring and its sleepers.
#![cfg(loom)]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use yamanote_base::atomic::fence;
use yamanote_base::biased_lock::Barrier;
use yamanote_sched::multi::idle::Idle;
use yamanote_sched::multi::monitor::Monitor;
use yamanote_sched::multi::queue::{Item, LEN, Steal, ring};
use yamanote_sched::multi::worker_slot::WorkerSlot;

struct Number(usize);

impl Item for Number {
    fn into_raw(self) -> *mut () {
        self.0 as *mut ()
    }

    unsafe fn from_raw(raw: *mut ()) -> Self {
        Number(raw as usize)
    }
}

/// Steals twice; gives the sum of what was stolen.
fn steal_twice(steal: &Steal<Number>) -> usize {
    let (mut mine, _) = ring();
    let mut sum = 0;
    for _ in 0..2 {
        sum += steal.steal_into(&mut mine).map_or(0, |(item, _)| item.0);
        while let Some(item) = mine.pop() {
            sum += item.0;
        }
    }
    sum
}

#[test]
fn loom_queue_each_item_is_taken_once() {
    loom::model(|| {
        let (mut local, steal) = ring::<Number>();
        let thief = thread::spawn(move || steal_twice(&steal));
        let mut sum = 0;
        for i in 0..=LEN {
            local.push(Number(1 << i), |item| sum += item.0);
        }
        while let Some(item) = local.pop() {
            sum += item.0;
        }
        sum += thief.join().unwrap();
        assert_eq!(sum, (1 << (LEN + 1)) - 1);
    });
}

fn take(work: &AtomicUsize) -> bool {
    work.compare_exchange(1, 0, Ordering::AcqRel, Ordering::Relaxed)
        .is_ok()
}

/// A worker's search, and its way to sleep; whether it took the token.
fn search_then_sleep(idle: &Idle, work: &AtomicUsize) -> bool {
    let searching = idle.start_searching();
    if take(work) {
        if searching {
            let _ = idle.stop_searching();
        }
        return true;
    }
    idle.prepare_sleep(0, searching);
    if work.load(Ordering::Acquire) == 0 {
        return false;
    }
    let claimed = idle.wake_up(0);
    let taken = take(work);
    if claimed {
        let _ = idle.stop_searching();
    }
    taken
}

/// One token is produced; the worker either takes it or sleeps and is unparked for it.
#[test]
fn loom_idle_no_work_is_stranded() {
    loom::model(|| {
        let idle = Arc::new(Idle::new(2));
        let work = Arc::new(AtomicUsize::new(0));
        let worker = {
            let (idle, work) = (idle.clone(), work.clone());
            thread::spawn(move || search_then_sleep(&idle, &work))
        };
        work.store(1, Ordering::Release);
        let claimed = idle.claim_sleeper();
        assert!(claimed.is_none_or(|worker| worker == 0));
        let taken = worker.join().unwrap();
        assert!(taken || claimed.is_some(), "the token is stranded");
    });
}

/// A sleeper that something else wakes up finds that it was claimed, and a task; it is busy with
/// that from then on. Whether it has seen to `more`, or was not claimed and is to look itself.
fn finds_a_task(idle: &Idle, more: &AtomicUsize) -> bool {
    if !idle.wake_up(0) {
        return true;
    }
    idle.stop_searching() && more.load(Ordering::Acquire) == 1
}

/// It may be busy before who claimed it has counted it among the searchers.
#[test]
fn loom_idle_who_is_claimed_and_busy_at_once_strands_nothing() {
    loom::model(|| {
        let idle = Arc::new(Idle::new(4));
        let more = Arc::new(AtomicUsize::new(0));
        idle.prepare_sleep(1, false);
        idle.prepare_sleep(0, false);
        let claiming = {
            let idle = idle.clone();
            thread::spawn(move || idle.claim_sleeper())
        };
        let sleeper = {
            let (idle, more) = (idle.clone(), more.clone());
            thread::spawn(move || finds_a_task(&idle, &more))
        };
        more.store(1, Ordering::Release);
        let is_claimed = idle.claim_sleeper().is_some_and(|worker| worker == 1);
        let is_seen = sleeper.join().unwrap();
        let other = claiming.join().unwrap() == Some(1);
        assert!(is_claimed || is_seen || other, "the work is stranded");
        assert!(
            idle.start_searching(),
            "fewer than half of the workers search"
        );
    });
}

/// Whether `worker` stays awake that is about to sleep, and knows that another one may search.
fn stays_awake(idle: &Idle, worker: usize, was_searching: bool, work: &AtomicUsize) -> bool {
    idle.prepare_sleep(worker, was_searching);
    let stays = work.load(Ordering::Acquire) == 1 && !idle.is_searched();
    if stays {
        let _ = idle.wake_up(worker);
    }
    stays
}

/// A searcher stops; whether it sees to what is there: by waking another worker if it has found a
/// task, else by staying awake.
fn stops_and_sees(finds: bool, idle: &Idle, work: &AtomicUsize) -> bool {
    if !finds {
        return stays_awake(idle, 2, true, work);
    }
    let sees_more = idle.stop_searching() && work.load(Ordering::Acquire) == 1;
    sees_more && idle.claim_sleeper().is_some()
}

/// A worker goes to sleep beside a searcher, which finds a task elsewhere or gives up. For what is
/// produced meanwhile one of the two stays awake, or a sleeper is claimed.
fn sleeps_beside_a_searcher(finds: bool) {
    let idle = Arc::new(Idle::new(4));
    let work = Arc::new(AtomicUsize::new(0));
    assert!(idle.start_searching());
    let [searched, slept] = [(idle.clone(), work.clone()), (idle.clone(), work.clone())];
    let searcher = thread::spawn(move || stops_and_sees(finds, &searched.0, &searched.1));
    let sleeper = thread::spawn(move || stays_awake(&slept.0, 1, false, &slept.1));
    work.store(1, Ordering::Release);
    let is_claimed = idle.claim_sleeper().is_some();
    let is_seen = [searcher.join().unwrap(), sleeper.join().unwrap()].contains(&true);
    assert!(is_claimed || is_seen, "the work is stranded");
}

#[test]
fn loom_idle_who_sleeps_beside_a_searcher_that_gives_up_strands_nothing() {
    loom::model(|| sleeps_beside_a_searcher(false));
}

#[test]
fn loom_idle_who_sleeps_beside_a_searcher_that_finds_a_task_strands_nothing() {
    loom::model(|| sleeps_beside_a_searcher(true));
}

/// If the monitor slept on although the worker is awake, the model would be stuck.
#[test]
fn loom_monitor_does_not_doze_while_a_worker_is_awake() {
    loom::model(|| {
        let idle = Arc::new(Idle::new(1));
        let monitor = Arc::new(Monitor::default());
        idle.prepare_sleep(0, false);
        let watching = {
            let (idle, monitor) = (idle.clone(), monitor.clone());
            thread::spawn(move || monitor.doze(|| idle.is_asleep(0)))
        };
        let _ = idle.wake_up(0);
        monitor.note_awake();
        assert!(watching.join().unwrap(), "nobody stopped the monitor");
    });
}

#[test]
fn loom_monitor_ends_when_it_is_stopped() {
    loom::model(|| {
        let monitor = Arc::new(Monitor::default());
        let watching = {
            let monitor = monitor.clone();
            thread::spawn(move || monitor.doze(|| true))
        };
        monitor.stop();
        assert!(!watching.join().unwrap());
    });
}

/// In a model, both sides have a fence of their own.
#[derive(Clone, Copy)]
struct Whole;

// SAFETY: the light fence is a whole one here, so this one is enough.
unsafe impl Barrier for Whole {
    fn pass() -> bool {
        fence(Ordering::SeqCst);
        true
    }
}

/// A worker that puts, displaces and takes, beside `outsiders` who take.
fn taken_once(barrier: Option<Whole>, outsiders: usize, numbers: &'static [usize]) {
    loom::model(move || {
        let slot = Arc::new(WorkerSlot::<Number, Whole>::new(barrier));
        let outside = |_| {
            let slot = slot.clone();
            thread::spawn(move || slot.take_from_outside().map_or(0, |Number(number)| number))
        };
        let outsiders: Vec<_> = (0..outsiders).map(outside).collect();
        let mut taken = 0;
        let mut note = |task: Option<Number>| taken += task.map_or(0, |Number(number)| number);
        for number in numbers {
            // SAFETY: this thread is the worker.
            note(unsafe { slot.replace(Number(*number)) });
        }
        // SAFETY: as above.
        note(unsafe { slot.take() });
        // SAFETY: as above.
        note(unsafe { slot.replace(Number(8)) });
        for outsider in outsiders {
            note(Some(Number(outsider.join().unwrap())));
        }
        // SAFETY: as above.
        note(unsafe { slot.take() });
        assert_eq!(taken, numbers.iter().sum::<usize>() + 8);
        assert!(slot.is_empty());
    });
}

#[test]
fn loom_worker_slot_each_task_is_taken_once_by_swaps() {
    taken_once(None, 1, &[1, 2, 4]);
}

#[test]
fn loom_worker_slot_each_task_is_taken_once_by_plain_stores_and_a_swap() {
    taken_once(Some(Whole), 1, &[1, 2]);
}

#[test]
fn loom_worker_slot_each_task_is_taken_once_with_two_outside() {
    taken_once(Some(Whole), 2, &[1]);
}
