//! A worker keeps a task that waits for its next poll: nobody else may have to wait for that.

mod support;

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use yamanote_runtime::{Runtime, block_in_place, spawn};
use yamanote_task::JoinHandle;

use support::{Tells, workers};

const LONG: Duration = Duration::from_secs(20);

/// A task that waits, on a worker that is in the poll of another one since.
struct Kept {
    waker: Waker,
    join: JoinHandle<()>,
    /// Hears of the end of the task.
    ended: mpsc::Receiver<()>,
    /// Ends the other one's poll.
    release: mpsc::Sender<()>,
}

impl Kept {
    /// Until it is woken once; `blocks` is called where the other one blocks.
    fn on(runtime: &Runtime, blocks: fn(&mpsc::Receiver<()>)) -> Self {
        let (tell_end, ended) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let (waits, waiting) = mpsc::channel();
        let mut next = Some(async move { blocks(&released) });
        let guard = Tells(tell_end);
        let (begins, begun) = mpsc::channel();
        let join = runtime.spawn(poll_fn(move |cx| {
            let _ = &guard;
            let Some(next) = next.take() else {
                return Poll::Ready(());
            };
            waits.send(cx.waker().clone()).unwrap();
            let begins = begins.clone();
            // Runs next, on this worker.
            spawn(async move {
                begins.send(()).unwrap();
                next.await;
            });
            Poll::Pending
        }));
        let waker = waiting.recv_timeout(LONG).expect("it is polled");
        begun.recv_timeout(LONG).expect("the other one is");
        Self {
            waker,
            join,
            ended,
            release,
        }
    }

    fn assert_ends(&self) {
        let ended = self.ended.recv_timeout(LONG);
        let _ = self.release.send(());
        ended.expect("it ends while the other one blocks");
    }
}

fn block(released: &mpsc::Receiver<()>) {
    let _ = released.recv_timeout(2 * LONG);
}

#[test]
fn one_that_is_woken_behind_a_long_poll_is_run_by_another_worker_at_once() {
    let mut fastest = LONG;
    for _ in 0..30 {
        // One that has not seen yet whether it pays keeps the first that waits.
        let runtime = workers(2);
        let kept = Kept::on(&runtime, block);
        // The other worker has gone to sleep.
        thread::sleep(Duration::from_millis(2));
        let woken = Instant::now();
        kept.waker.wake_by_ref();
        kept.assert_ends();
        fastest = fastest.min(woken.elapsed());
    }
    // The monitor would come after ten.
    assert!(fastest < Duration::from_millis(5), "{fastest:?}");
}

#[test]
fn one_that_is_aborted_behind_a_long_poll_is_dropped() {
    let runtime = workers(2);
    let kept = Kept::on(&runtime, block);
    kept.join.abort();
    kept.assert_ends();
    assert!(runtime.block_on(kept.join).unwrap_err().is_cancelled());
}

#[test]
fn one_is_dropped_with_its_runtime_though_its_worker_is_stuck() {
    let runtime = workers(2);
    let kept = Kept::on(&runtime, block);
    runtime.shutdown_background();
    kept.assert_ends();
}

#[test]
fn one_whose_worker_moves_to_another_thread_goes_with_it() {
    let runtime = workers(1);
    let kept = Kept::on(&runtime, |released| block_in_place(|| block(released)));
    kept.waker.wake_by_ref();
    kept.assert_ends();
}

/// Where one of two tasks leaves its waker for the other.
type Place = Arc<Mutex<Option<Waker>>>;

/// Wakes the other and waits for it, until `ended`.
async fn play(mine: Place, other: Place, ended: Arc<AtomicBool>) {
    poll_fn(|cx| {
        *mine.lock().unwrap() = Some(cx.waker().clone());
        let other = other.lock().unwrap().take();
        other.into_iter().for_each(Waker::wake);
        match ended.load(Ordering::Relaxed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

#[test]
fn two_that_keep_waking_each_other_see_what_is_published_by_a_wake_elsewhere() {
    let runtime = workers(1);
    for _ in 0..200 {
        let ended = Arc::new(AtomicBool::new(false));
        let (left, right) = (Place::default(), Place::default());
        let tasks = [
            runtime.spawn(play(left.clone(), right.clone(), ended.clone())),
            runtime.spawn(play(right.clone(), left.clone(), ended.clone())),
        ];
        thread::yield_now();
        ended.store(true, Ordering::Relaxed);
        // Until both have seen it: who is woken last may wait already.
        let begun = Instant::now();
        while tasks.iter().any(|task| !task.is_finished()) {
            for place in [&left, &right] {
                let waker = place.lock().unwrap().take();
                waker.into_iter().for_each(Waker::wake);
            }
            assert!(begun.elapsed() < LONG);
        }
    }
}
