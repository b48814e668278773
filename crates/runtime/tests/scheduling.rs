//! Who runs when: no task waits for ever, also behind others that never end or never yield.

mod support;

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use yamanote_base::budget;
use yamanote_runtime::{Builder, Runtime, spawn, yield_now};

use support::workers;

const LONG: Duration = Duration::from_secs(20);

/// Where one of two tasks leaves its waker for the other.
type Place = Arc<Mutex<Option<Waker>>>;

/// Wakes the other and waits for it, until `ended`; once both play, a third task is spawned.
async fn play(mine: Place, other: Place, ended: Arc<AtomicBool>, mut third: Third) {
    poll_fn(|cx| {
        *mine.lock().unwrap() = Some(cx.waker().clone());
        let other = other.lock().unwrap().take();
        if let Some(other) = other {
            // The other displaces the third from the next slot.
            third.take().map(|tx| spawn(async move { tx.send(()) }));
            other.wake();
        }
        match ended.load(Ordering::Relaxed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

/// What the third task says that it ran with.
type Third = Option<mpsc::Sender<()>>;

#[test]
fn what_a_handle_blocks_on_has_a_budget_as_a_task_has() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let handle = runtime.handle().clone();
    let operations = thread::spawn(move || {
        handle.block_on(async {
            let mut operations = 0;
            while budget::current().has_remaining() && operations < 1000 {
                poll_fn(|cx| budget::poll_charged(cx, |_| Poll::Ready(()))).await;
                operations += 1;
            }
            operations
        })
    });
    assert_eq!(operations.join().unwrap(), 128);
}

#[test]
fn two_tasks_that_wake_each_other_starve_no_third() {
    let runtime = workers(1);
    let ended = Arc::new(AtomicBool::new(false));
    let (left, right) = (Place::default(), Place::default());
    let (tx, rx) = mpsc::channel();
    runtime.spawn(play(left.clone(), right.clone(), ended.clone(), None));
    runtime.spawn(play(right, left, ended.clone(), Some(tx)));
    let result = rx.recv_timeout(LONG);
    ended.store(true, Ordering::Relaxed);
    result.expect("the third task ran");
}

/// Is polled again and again until `ended`; tells on which thread, when that is another one.
async fn tell_threads(tx: mpsc::Sender<ThreadId>, ended: Arc<AtomicBool>) {
    let mut last = None;
    poll_fn(|cx| {
        let here = thread::current().id();
        if last.replace(here) != Some(here) {
            let _ = tx.send(here);
        }
        if ended.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn a_lasting_load_of_short_polls_is_shared_by_the_workers() {
    let runtime = workers(2);
    let ended = Arc::new(AtomicBool::new(false));
    let (tx, rx) = mpsc::channel();
    let ends = ended.clone();
    runtime.spawn(async move {
        for _ in 0..64 {
            spawn(tell_threads(tx.clone(), ends.clone()));
        }
    });
    let first = rx.recv_timeout(LONG).expect("a task runs");
    while rx.recv_timeout(LONG).expect("the other worker helps") == first {}
    ended.store(true, Ordering::Relaxed);
}

#[test]
fn more_tasks_than_a_ring_holds_run_once_each() {
    const TASKS: usize = 2_000;
    let runtime = workers(1);
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let all = runtime.spawn(async move {
        let spawned = (0..TASKS).map(|_| {
            let ran = count.clone();
            spawn(async move { ran.fetch_add(1, Ordering::Relaxed) })
        });
        let mut numbers = Vec::new();
        for task in spawned.collect::<Vec<_>>() {
            numbers.push(task.await.unwrap());
        }
        numbers.sort_unstable();
        numbers
    });
    let numbers = runtime.block_on(all).unwrap();
    assert!(numbers.into_iter().eq(0..TASKS));
    assert_eq!(ran.load(Ordering::Relaxed), TASKS);
}

/// Waits on a thread of its own for its turn to run `runtime`, while another thread, which runs
/// it, stops and is at once back. Gives what tells that thread when to stop: once and again.
fn wait_for_a_turn(
    runtime: Arc<Runtime>,
    back: mpsc::Receiver<()>,
    done: mpsc::Sender<()>,
) -> [mpsc::Receiver<()>; 2] {
    let (stop, stops) = mpsc::channel();
    let (stop_again, stops_again) = mpsc::channel();
    let mut polls = 0;
    let future = std::future::poll_fn(move |cx| {
        polls += 1;
        match polls {
            // With the next poll it is certain that this thread waits for its turn.
            1 => cx.waker().wake_by_ref(),
            2 => {
                stop.send(()).unwrap();
                back.recv().unwrap();
            }
            3 => stop_again.send(()).unwrap(),
            _ => return Poll::Ready(()),
        }
        Poll::Pending
    });
    std::thread::spawn(move || {
        runtime.block_on(future);
        done.send(())
    });
    [stops, stops_again]
}

#[test]
fn a_thread_whose_turn_another_took_is_called_again() {
    for _ in 0..20 {
        let runtime = Arc::new(Builder::new_current_thread().build().unwrap());
        let (back, is_back) = mpsc::channel();
        let (done, is_done) = mpsc::channel();
        let stops_again = runtime.block_on(async {
            let [stops, stops_again] = wait_for_a_turn(runtime.clone(), is_back, done);
            stops.recv().unwrap();
            stops_again
        });
        runtime.block_on(async {
            back.send(()).unwrap();
            stops_again.recv().unwrap();
        });
        is_done.recv_timeout(LONG).expect("the thread was called");
    }
}

#[test]
fn one_task_from_outside_wakes_one_worker() {
    const ROUNDS: u64 = 50;
    let runtime = workers(4);
    let parks = || -> u64 {
        let metrics = runtime.metrics();
        (0..4).map(|worker| metrics.worker_park_count(worker)).sum()
    };
    let before = parks();
    for _ in 0..ROUNDS {
        runtime.block_on(runtime.spawn(async {})).unwrap();
    }
    // A searcher that finds the last task calls no successor: about one park for each round, with
    // room for the workers' start. A storm would be four for each.
    let parked = parks() - before;
    assert!(parked <= 2 * ROUNDS + 8, "{parked} parks");
}

#[test]
fn who_wakes_itself_waits_for_the_queue_and_who_yields_for_the_main_future_too() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let (woken, yielded) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (wakes_itself, yields) = (woken.clone(), yielded.clone());
    runtime.block_on(async move {
        let mut left = 10;
        spawn(poll_fn(move |cx| {
            wakes_itself.fetch_add(1, Ordering::Relaxed);
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }));
        spawn(async move {
            for _ in 0..10 {
                yields.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
            }
        });
        let polls = || {
            (
                woken.load(Ordering::Relaxed),
                yielded.load(Ordering::Relaxed),
            )
        };
        // As with tokio.
        yield_now().await;
        assert_eq!(polls(), (11, 1));
        yield_now().await;
        assert_eq!(polls(), (11, 2));
    });
}

/// Tells whether it was called.
#[derive(Default)]
struct Called(AtomicBool);

impl Called {
    fn is_called(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Called {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn what_is_due_at_a_stuck_worker_waits_for_one_that_comes_to_run_it() {
    let runtime = workers(2);
    let called = Arc::new(Called::default());
    let both = Arc::new(Barrier::new(2));
    let ((set, is_set), (end, ended)) = (mpsc::channel(), mpsc::channel());
    let (waker, barrier) = (Waker::from(called.clone()), both.clone());
    runtime.spawn(async move {
        barrier.wait();
        let mut sleep = Box::pin(yamanote_base::hooks::sleep(Duration::from_millis(1)));
        let polled = sleep.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        set.send(()).unwrap();
        ended.recv_timeout(LONG).unwrap();
    });
    let free = runtime.spawn(async move {
        both.wait();
        is_set.recv_timeout(LONG).unwrap();
        // Both are stuck now, for many rounds of the monitor.
        thread::sleep(Duration::from_millis(400));
        let too_soon = called.is_called();
        let begin = std::time::Instant::now();
        while !called.is_called() && begin.elapsed() < LONG / 2 {
            yield_now().await;
        }
        end.send(()).unwrap();
        (too_soon, called.is_called())
    });
    let (too_soon, called) = runtime.block_on(free).unwrap();
    assert!(!too_soon, "nobody was there to run it");
    assert!(called, "a worker that is awake turns for one that is stuck");
}

#[test]
fn a_thread_that_waits_for_a_timer_has_it_though_all_workers_are_stuck() {
    let runtime = workers(2);
    let both = Arc::new(Barrier::new(2));
    let (set, is_set) = mpsc::channel();
    let stuck: [_; 2] = std::array::from_fn(|_| {
        let (both, set, (end, ended)) = (both.clone(), set.clone(), mpsc::channel::<()>());
        let task = runtime.spawn(async move {
            both.wait();
            let mut sleep = Box::pin(yamanote_base::hooks::sleep(Duration::from_millis(1)));
            let polled = sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
            set.send(sleep).unwrap();
            ended.recv_timeout(LONG)
        });
        (task, end)
    });
    // Each is due at the worker that has polled it first.
    for sleep in is_set.into_iter().take(2) {
        runtime.block_on(sleep);
    }
    for (task, end) in stuck {
        assert!(!task.is_finished(), "it was not stuck");
        end.send(()).unwrap();
        assert_eq!(runtime.block_on(task).unwrap(), Ok(()));
    }
}
