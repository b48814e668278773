//! Model checks of tasks that live on one thread, and are woken and dropped by others.
#![cfg(loom)]

mod common;

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, RawWakerVTable, Waker};

use loom::thread::{self, ThreadId};
use yamanote_base::atomic::{Arc, AtomicBool, Ordering};
use yamanote_base::lock::Mutex;
use yamanote_base::waker_cell::WakerCell;
use yamanote_task::{
    Id, JoinHandle, Own, Runnable, Schedule, SpawnMeta, TaskList, TaskRef, Wakers, wakers_here,
};

use common::{Drops, result};

static WAKERS: RawWakerVTable = wakers_here::<OneThread>();

/// A scheduler of the thread that makes it.
#[derive(Clone)]
struct OneThread(Arc<OneThreadParts>);

struct OneThreadParts {
    thread: ThreadId,
    /// In a lock only so that it may be shared: the thread's own. Not linked through the tasks, one
    /// of which may be in both queues.
    ready: Mutex<VecDeque<Runnable>>,
    sent: Mutex<VecDeque<Runnable>>,
    tasks: TaskList<OneThread>,
}

impl OneThread {
    fn new() -> Self {
        Self(Arc::new(OneThreadParts {
            thread: thread::current().id(),
            ready: Mutex::new(VecDeque::new()),
            sent: Mutex::new(VecDeque::new()),
            tasks: TaskList::new(1, false),
        }))
    }

    #[track_caller]
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let meta = SpawnMeta::caller();
        let scheduler = || self.clone();
        let (runnable, join) =
            (self.0.tasks).bind(Own::nothing(), future, scheduler, Id::next(), meta);
        runnable.into_iter().for_each(|task| self.schedule(task));
        join
    }

    /// Runs what is queued, and what was sent, until nothing is.
    fn run_all(&self) {
        loop {
            let sent = self.0.sent.lock().pop_front();
            if let Some(sent) = sent {
                // SAFETY: the queue has tasks of this scheduler.
                let task = unsafe { sent.recall::<OneThread>() };
                task.into_iter().for_each(|task| self.schedule(task));
                continue;
            }
            let ready = self.0.ready.lock().pop_front();
            let Some(ready) = ready else { return };
            ready.run();
        }
    }
}

// SAFETY: each test keeps its scheduler until its threads have ended, and runs and closes it on
// the thread that made it.
unsafe impl Schedule for OneThread {
    const WAKERS: Wakers = Wakers::Here(&WAKERS);

    fn is_here(&self) -> bool {
        thread::current().id() == self.0.thread
    }

    fn schedule(&self, task: Runnable) {
        match self.is_here() {
            true => self.0.ready.lock().push_back(task),
            false => self.0.sent.lock().push_back(task),
        }
    }

    fn enter(&self, task: &TaskRef) -> bool {
        self.0.tasks.enter(None, task)
    }

    fn release(&self, task: &TaskRef) -> bool {
        self.0.tasks.leave(None, task)
    }
}

/// A task that is ready when `seen` is, which nothing but its wakes publishes; and its waker.
fn watching(scheduler: &OneThread, seen: &Arc<AtomicBool>) -> (JoinHandle<()>, Waker) {
    let kept = Arc::new(WakerCell::new());
    let (seen, keeps) = (seen.clone(), kept.clone());
    let join = scheduler.spawn(poll_fn(move |cx| {
        keeps.register(cx.waker());
        match seen.load(Ordering::Relaxed) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }));
    scheduler.run_all();
    let waker = kept.take().expect("the first poll has left it");
    (join, waker)
}

#[test]
fn loom_biased_a_wake_from_elsewhere_is_seen_by_a_poll() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let is_set = Arc::new(AtomicBool::new(false));
        let (join, waker) = watching(&scheduler, &is_set);
        let first = waker.clone();
        // A runnable may be under way from elsewhere, and one in the thread's queue, when the
        // store is published by a second wake.
        let waking = thread::spawn(move || {
            first.wake_by_ref();
            is_set.store(true, Ordering::Relaxed);
            first.wake();
        });
        waker.wake();
        scheduler.run_all();
        waking.join().unwrap();
        scheduler.run_all();
        assert!(result(join).is_ok());
        assert_eq!(scheduler.0.tasks.alive(), 0);
    });
}

#[test]
fn loom_biased_a_wake_here_of_a_task_that_may_be_done_queues_no_other() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let is_set = Arc::new(AtomicBool::new(false));
        let (join, waker) = watching(&scheduler, &is_set);
        let (late, latest) = (waker.clone(), waker.clone());
        let waking = thread::spawn(move || {
            is_set.store(true, Ordering::Relaxed);
            waker.wake();
        });
        scheduler.run_all();
        late.wake();
        scheduler.run_all();
        waking.join().unwrap();
        scheduler.run_all();
        // Done, so that the word of this thread says that the task is not biased any more.
        latest.wake_by_ref();
        latest.wake();
        assert!(scheduler.0.ready.lock().is_empty() && scheduler.0.sent.lock().is_empty());
        assert!(result(join).is_ok());
    });
}

#[test]
fn loom_biased_two_threads_wake_and_neither_is_lost() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let is_set = Arc::new(AtomicBool::new(false));
        let (join, waker) = watching(&scheduler, &is_set);
        let other = waker.clone();
        let idle = thread::spawn(move || other.wake());
        let setting = thread::spawn(move || {
            is_set.store(true, Ordering::Relaxed);
            waker.wake();
        });
        scheduler.run_all();
        idle.join().unwrap();
        setting.join().unwrap();
        scheduler.run_all();
        assert!(result(join).is_ok());
    });
}

#[test]
fn loom_biased_references_of_both_kinds_free_the_task_once() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let leaves_with_the_task = Arc::new(());
        let is_set = Arc::new(AtomicBool::new(false));
        let (join, waker) = watching(&scheduler, &is_set);
        let kept = leaves_with_the_task.clone();
        let output = scheduler.spawn(async move { kept });
        // Cloned there and dropped here, and the other way round, while both tasks end.
        let here = waker.clone();
        let elsewhere = thread::spawn(move || {
            drop((here, output));
            waker.clone()
        });
        is_set.store(true, Ordering::Relaxed);
        join.abort();
        scheduler.run_all();
        drop(elsewhere.join().unwrap());
        // The checker reports what is not freed.
        assert!(join.is_finished());
        assert_eq!(scheduler.0.tasks.alive(), 0);
    });
}

#[test]
fn loom_biased_an_abort_from_elsewhere_drops_the_future_here_once() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let drops = Drops::default();
        let guard = drops.one();
        let join = scheduler.spawn(async move {
            common::yield_now().await;
            std::future::pending::<()>().await;
            drop(guard);
        });
        let abort = join.abort_handle();
        let aborting = thread::spawn(move || abort.abort());
        scheduler.run_all();
        aborting.join().unwrap();
        scheduler.run_all();
        assert_eq!(drops.count(), 1);
        assert!(result(join).is_err_and(|error| error.is_cancelled()));
    });
}

#[test]
fn loom_biased_a_task_from_elsewhere_is_adopted() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let spawner = scheduler.clone();
        let joining = thread::spawn(move || {
            let join = spawner.spawn(async {
                common::yield_now().await;
                7
            });
            join.abort_handle().abort();
            join
        });
        scheduler.run_all();
        let join = joining.join().unwrap();
        scheduler.run_all();
        match result(join) {
            Ok(output) => assert_eq!(output, 7),
            Err(error) => assert!(error.is_cancelled()),
        }
        assert_eq!(scheduler.0.tasks.alive(), 0);
    });
}

#[test]
fn loom_biased_closing_meets_a_wake_elsewhere() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let (join, waker) = watching(&scheduler, &Arc::default());
        let waking = thread::spawn(move || waker.wake());
        scheduler.0.tasks.close_and_cancel_all();
        waking.join().unwrap();
        scheduler.run_all();
        assert!(result(join).is_err_and(|error| error.is_cancelled()));
    });
}

#[test]
fn loom_biased_closing_meets_a_joiner_elsewhere() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let (join, waker) = watching(&scheduler, &Arc::default());
        let joining = thread::spawn(move || loom::future::block_on(join));
        scheduler.0.tasks.close_and_cancel_all();
        scheduler.run_all();
        drop(waker);
        let joined = joining.join().unwrap();
        assert!(joined.is_err_and(|error| error.is_cancelled()));
    });
}

#[test]
fn loom_biased_closing_meets_a_wake_and_a_joiner_elsewhere() {
    let mut model = loom::model::Builder::new();
    // With three, thirty times as many runs as with two; each of the pairs has three.
    model.preemption_bound = Some(2);
    model.check(|| {
        let scheduler = OneThread::new();
        let (join, waker) = watching(&scheduler, &Arc::default());
        let waking = thread::spawn(move || waker.wake());
        let joining = thread::spawn(move || loom::future::block_on(join));
        scheduler.0.tasks.close_and_cancel_all();
        waking.join().unwrap();
        scheduler.run_all();
        let joined = joining.join().unwrap();
        assert!(joined.is_err_and(|error| error.is_cancelled()));
    });
}

/// Polls `join` on this thread, where its task has not ended; the waker that it leaves sets a flag.
fn leave_waker<T>(join: &mut JoinHandle<T>) -> std::sync::Arc<Told> {
    let told = std::sync::Arc::new(Told::default());
    let waker = Waker::from(told.clone());
    // Twice: the second time it is known.
    for _ in 0..2 {
        let polled = pin!(&mut *join).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
    }
    told
}

/// A waker of none of the tasks.
#[derive(Default)]
struct Told(std::sync::atomic::AtomicBool);

impl std::task::Wake for Told {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Told {
    fn is_told(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}

#[test]
fn loom_biased_a_joiner_here_is_told_and_takes_the_output() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let mut join = scheduler.spawn(async { 7 });
        let told = leave_waker(&mut join);
        let (abort, other) = (join.abort_handle(), join.abort_handle());
        let looking = thread::spawn(move || {
            other.abort();
            drop(other);
        });
        scheduler.run_all();
        assert!(told.is_told() && abort.is_finished());
        assert!(result(join).map_or_else(|error| error.is_cancelled(), |output| output == 7));
        looking.join().unwrap();
        // A runnable may have been sent too late.
        scheduler.run_all();
        drop(abort);
        assert_eq!(std::sync::Arc::strong_count(&told), 1);
        assert_eq!(scheduler.0.tasks.alive(), 0);
    });
}

#[test]
fn loom_biased_a_joiner_that_moves_elsewhere_is_told_there() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let mut join = scheduler.spawn(async { Box::new(7) });
        let told = leave_waker(&mut join);
        let joining = thread::spawn(move || loom::future::block_on(join));
        scheduler.run_all();
        assert_eq!(*joining.join().unwrap().unwrap(), 7);
        // The waker that was left here was woken or dropped, once.
        assert_eq!(std::sync::Arc::strong_count(&told), 1);
    });
}

#[test]
fn loom_biased_a_joiner_that_moves_elsewhere_comes_back() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let mut join = scheduler.spawn(async { 7 });
        let told = leave_waker(&mut join);
        let joining = thread::spawn(move || {
            let mut cx = Context::from_waker(Waker::noop());
            let output = match pin!(&mut join).poll(&mut cx) {
                Poll::Ready(output) => output.ok(),
                Poll::Pending => None,
            };
            (join, output)
        });
        scheduler.run_all();
        let (join, output) = joining.join().unwrap();
        match output {
            None => assert!(result(join).is_ok_and(|output| output == 7)),
            Some(output) => assert_eq!(output, 7),
        }
        assert_eq!(std::sync::Arc::strong_count(&told), 1);
    });
}

#[test]
fn loom_biased_a_joiner_that_moved_is_dropped_while_its_task_ends() {
    loom::model(|| {
        let scheduler = OneThread::new();
        let drops = Drops::default();
        let output = drops.one();
        let mut join = scheduler.spawn(async move { output });
        let told = leave_waker(&mut join);
        let dropping = thread::spawn(move || drop(join));
        scheduler.run_all();
        dropping.join().unwrap();
        assert_eq!(drops.count(), 1);
        assert_eq!(std::sync::Arc::strong_count(&told), 1);
        assert_eq!(scheduler.0.tasks.alive(), 0);
    });
}
