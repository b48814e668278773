//! What a task does for those who wake it, run it, wait for it and cancel it.
#![cfg(not(loom))]

mod common;

use std::cell::RefCell;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};

use common::{Drops, TestScheduler, result};
use yamanote_base::budget;
use yamanote_task::{
    AbortHandle, Id, JoinError, JoinHandle, Runnable, SpawnMeta, blocking, try_id,
};

/// Counts its wakes.
#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Calls a function when dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A future that hands out its waker and stays pending until it is polled for the second time.
fn second_poll() -> (impl Future<Output = u32> + Send, mpsc::Receiver<Waker>) {
    let (wakers, receiver) = mpsc::channel();
    let mut polls = 0;
    let future = poll_fn(move |cx| {
        polls += 1;
        if polls == 2 {
            return Poll::Ready(2);
        }
        let _ = wakers.send(cx.waker().clone());
        Poll::Pending
    });
    (future, receiver)
}

#[test]
fn handles_are_one_word() {
    let word = size_of::<usize>();
    assert_eq!(size_of::<JoinHandle<[u8; 100]>>(), word);
    assert_eq!(size_of::<Option<JoinHandle<()>>>(), word);
    assert_eq!(size_of::<AbortHandle>(), word);
    assert_eq!(size_of::<Runnable>(), word);
}

#[test]
fn the_joiner_is_woken_once_and_gets_the_output() {
    let scheduler = TestScheduler::new(1);
    let mut join = scheduler.spawn(async { "output" });
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut join).poll(&mut cx).is_pending());
    assert!(!join.is_finished());
    scheduler.run_all();
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert!(join.is_finished());
    assert_eq!(result(join).expect("it ended"), "output");
}

#[test]
#[should_panic = "JoinHandle polled after completion"]
fn a_join_handle_gives_the_output_once() {
    let scheduler = TestScheduler::new(1);
    let mut join = scheduler.spawn(async {});
    scheduler.run_all();
    assert!(poll_once(Pin::new(&mut join)).is_ready());
    let _ = poll_once(Pin::new(&mut join));
}

#[test]
fn wakes_of_a_queued_task_queue_it_once() {
    let scheduler = TestScheduler::new(1);
    let (future, wakers) = second_poll();
    let join = scheduler.spawn(future);
    scheduler.run_all();
    let waker = wakers.recv().expect("it was polled");
    waker.wake_by_ref();
    waker.wake_by_ref();
    let clone = waker.clone();
    assert!(waker.will_wake(&clone));
    clone.wake();
    assert_eq!(scheduler.queued(), 1);
    assert_eq!(scheduler.rescheduled(), 0);
    scheduler.run_all();
    waker.wake();
    assert_eq!(scheduler.queued(), 0);
    assert_eq!(result(join).expect("it ended"), 2);
}

#[test]
fn a_task_that_wakes_itself_goes_behind_the_others() {
    let scheduler = TestScheduler::new(1);
    let mut polls = 0;
    let join = scheduler.spawn(poll_fn(move |cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        if polls == 3 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
    scheduler.run_all();
    assert_eq!(scheduler.rescheduled(), 2);
    assert!(result(join).is_ok());
}

#[test]
fn an_abort_before_the_first_poll_drops_the_future_unpolled() {
    let scheduler = TestScheduler::new(1);
    let drops = Drops::default();
    let guard = drops.one();
    let join = scheduler.spawn(async move {
        let _guard = guard;
        panic!("polled");
    });
    join.abort();
    join.abort_handle().abort();
    assert_eq!((drops.count(), scheduler.queued()), (0, 1));
    scheduler.run_all();
    assert_eq!(drops.count(), 1);
    assert!(result::<()>(join).is_err_and(|error| error.is_cancelled()));
}

#[test]
fn an_abort_of_a_waiting_task_queues_it_once() {
    let scheduler = TestScheduler::new(1);
    let (future, wakers) = second_poll();
    let join = scheduler.spawn(future);
    scheduler.run_all();
    join.abort();
    wakers.recv().expect("it was polled").wake();
    assert_eq!(scheduler.queued(), 1);
    scheduler.run_all();
    assert!(result(join).is_err_and(|error| error.is_cancelled()));
}

#[test]
fn an_abort_by_the_task_itself_takes_effect_where_it_waits() {
    let scheduler = TestScheduler::new(1);
    let (sender, receiver) = mpsc::channel::<AbortHandle>();
    let drops = Drops::default();
    let guard = drops.one();
    let counted = drops.clone();
    let join = scheduler.spawn(async move {
        let _guard = guard;
        receiver.recv().expect("sent below").abort();
        assert_eq!(counted.count(), 0);
        pending::<()>().await;
    });
    sender.send(join.abort_handle()).expect("it is received");
    scheduler.run_all();
    assert_eq!(drops.count(), 1);
    assert!(result(join).is_err_and(|error| error.is_cancelled()));
}

#[test]
fn an_abort_after_the_end_changes_nothing() {
    let scheduler = TestScheduler::new(1);
    let join = scheduler.spawn(async { 1 });
    let abort = join.abort_handle();
    scheduler.run_all();
    abort.abort();
    assert!(abort.is_finished());
    assert_eq!(result(join).expect("it ended before"), 1);
}

#[test]
fn a_dropped_runnable_cancels_its_task() {
    let scheduler = TestScheduler::new(1);
    let (runnable, join) = scheduler.bind(pending::<()>());
    drop(runnable);
    assert_eq!(scheduler.tasks().alive(), 0);
    assert!(result(join).is_err_and(|error| error.is_cancelled()));
}

#[test]
fn a_panic_of_the_poll_goes_to_the_joiner() {
    let scheduler = TestScheduler::new(1);
    let join = scheduler.spawn(async { panic!("in the poll") });
    scheduler.run_all();
    assert_eq!(scheduler.panicked(), 1);
    let error: JoinError = result::<()>(join).expect_err("it panicked");
    let text = format!("task {} panicked with message \"in the poll\"", error.id());
    assert_eq!(error.to_string(), text);
    assert!(error.is_panic() && !error.is_cancelled());
    let payload = error.into_panic();
    assert_eq!(payload.downcast_ref(), Some(&"in the poll"));
}

#[test]
fn a_panic_of_the_futures_destructor_goes_to_the_joiner() {
    let scheduler = TestScheduler::new(1);
    let guard = || OnDrop(|| panic!("in the destructor"));
    let aborted = scheduler.spawn({
        let guard = guard();
        async move {
            let _guard = guard;
            pending::<()>().await;
        }
    });
    let mut guard = Some(guard());
    let completed = scheduler.spawn(poll_fn(move |_| {
        // The guard stays in the future, which is dropped after this.
        assert!(guard.as_mut().is_some());
        Poll::Ready(1)
    }));
    aborted.abort();
    scheduler.run_all();
    assert!(result(aborted).is_err_and(|error| error.is_panic()));
    assert!(result(completed).is_err_and(|error| error.is_panic()));
}

#[test]
fn a_panic_of_a_detached_outputs_destructor_is_contained() {
    let scheduler = TestScheduler::new(1);
    let output = || OnDrop(|| panic!("in the destructor"));
    let detached_before = scheduler.spawn(ready(output()));
    drop(detached_before);
    let detached_after = scheduler.spawn(ready(output()));
    scheduler.run_all();
    drop(detached_after);
    assert_eq!(scheduler.tasks().alive(), 0);
}

#[test]
fn a_panic_of_the_joiners_waker_is_contained() {
    struct Panicking;

    impl Wake for Panicking {
        fn wake(self: Arc<Self>) {
            panic!("in the waker");
        }
    }

    let scheduler = TestScheduler::new(1);
    let mut join = scheduler.spawn(ready(1));
    let waker = Waker::from(Arc::new(Panicking));
    let mut cx = Context::from_waker(&waker);
    assert!(Pin::new(&mut join).poll(&mut cx).is_pending());
    scheduler.run_all();
    assert_eq!(result(join).expect("it ended"), 1);
}

#[test]
fn the_future_is_dropped_before_the_task_ends() {
    let scheduler = TestScheduler::new(1);
    let (sender, receiver) = mpsc::channel::<AbortHandle>();
    let (seen, ended) = mpsc::channel();
    let guard = OnDrop(move || {
        let abort = receiver.recv().expect("sent below");
        seen.send(abort.is_finished()).expect("it is received");
    });
    let join = scheduler.spawn(async move {
        let _guard = guard;
    });
    sender.send(join.abort_handle()).expect("it is received");
    scheduler.run_all();
    assert_eq!(ended.recv(), Ok(false));
    assert!(join.is_finished());
}

#[test]
fn the_id_is_set_in_polls_and_destructors() {
    let scheduler = TestScheduler::new(1);
    let (seen, ids) = mpsc::channel();
    let note = move || {
        let seen = seen.clone();
        OnDrop(move || seen.send(try_id()).expect("it is received"))
    };
    let (in_future, in_poll, output) = (note(), note(), note());
    let detached_output = note();
    let first = scheduler.spawn(async move {
        let _in_future = in_future;
        drop(in_poll);
        output
    });
    let second = scheduler.spawn(ready(detached_output));
    let (first_id, second_id) = (first.id(), second.id());
    drop(second);
    scheduler.run_all();
    drop(first);
    assert_eq!(try_id(), None);
    let ids: Vec<Option<Id>> = ids.try_iter().collect();
    let (first, second) = (Some(first_id), Some(second_id));
    assert_eq!(ids, [first, first, second, first]);
}

#[test]
fn joining_spends_the_budget() {
    let scheduler = TestScheduler::new(1);
    let mut joins: Vec<_> = (0..200).map(|_| scheduler.spawn(ready(()))).collect();
    scheduler.run_all();
    let joined = budget::with_budget(|| {
        let ended = |join| poll_once(Pin::new(join)).is_ready();
        joins
            .iter_mut()
            .filter_map(|join| ended(join).then_some(()))
            .count()
    });
    assert_eq!(joined, 128);
}

#[test]
fn blocking_work_has_no_budget_and_cannot_be_aborted_once_begun() {
    let (sender, receiver) = mpsc::channel::<AbortHandle>();
    let work = move || {
        receiver.recv().expect("sent below").abort();
        let mut cx = Context::from_waker(Waker::noop());
        (0..1000).all(|_| {
            let charge = budget::poll_proceed(&mut cx);
            charge.map(|charge| charge.made_progress()).is_ready()
        })
    };
    let scheduler = TestScheduler::new(1);
    let (runnable, join) = blocking(work, scheduler, Id::next(), SpawnMeta::caller());
    sender.send(join.abort_handle()).expect("it is received");
    runnable.run();
    assert!(result(join).expect("it was not cancelled"));
}

#[test]
fn blocking_work_that_has_not_begun_can_be_aborted() {
    let scheduler = TestScheduler::new(1);
    let work = || panic!("it was to be cancelled");
    let (runnable, join) = blocking(work, scheduler, Id::next(), SpawnMeta::caller());
    join.abort();
    runnable.run();
    assert!(result::<()>(join).is_err_and(|error| error.is_cancelled()));
}

#[test]
fn a_thread_uses_the_memory_of_a_task_again() {
    let scheduler = TestScheduler::new(1);
    let address = || {
        // The data of a task's waker is the task's address.
        let join = scheduler.spawn(poll_fn(|cx| Poll::Ready(cx.waker().data().addr())));
        scheduler.run_all();
        result(join).expect("it ended")
    };
    let first = address();
    assert!((0..100).all(|_| address() == first));
}

#[test]
fn a_handle_that_gave_the_output_knows_its_task_and_lets_the_memory_go() {
    let scheduler = TestScheduler::new(1);
    let mut join = scheduler.spawn(poll_fn(|cx| Poll::Ready(cx.waker().data().addr())));
    let id = join.id();
    scheduler.run_all();
    let Poll::Ready(Ok(first)) = poll_once(Pin::new(&mut join)) else {
        panic!("it ended")
    };
    let address = || poll_fn(|cx| Poll::Ready(cx.waker().data().addr()));
    let second = scheduler.spawn(address());
    scheduler.run_all();
    let second = result(second).expect("it ended");
    // Where a word has no room for an id, the handle keeps the task.
    assert_eq!(first == second, usize::BITS == 64);
    let abort = join.abort_handle();
    join.abort();
    abort.clone().abort();
    assert!(join.is_finished() && abort.is_finished());
    assert!(
        join.poll_finished(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    );
    assert_eq!([join.id(), abort.id()], [id; 2]);
    assert_eq!(format!("{join:?}"), format!("JoinHandle {{ id: {id:?} }}"));
}

#[test]
fn futures_may_ask_for_more_than_the_usual_alignment_and_size() {
    #[repr(align(256))]
    struct Aligned(u8);

    let scheduler = TestScheduler::new(1);
    let (aligned, large) = (Aligned(7), [1_u8; 100_000]);
    let first = scheduler.spawn(poll_fn(move |_| {
        assert_eq!((&raw const aligned).addr() % 256, 0);
        Poll::Ready(aligned.0)
    }));
    let second = scheduler.spawn(async move { large.iter().map(|byte| usize::from(*byte)).sum() });
    scheduler.run_all();
    assert_eq!(result(first).expect("it ended"), 7);
    assert_eq!(result::<usize>(second).expect("it ended"), 100_000);
}

#[test]
fn errors_say_what_happened() {
    let scheduler = TestScheduler::new(1);
    let join = scheduler.spawn(pending::<()>());
    let id = join.id();
    join.abort();
    scheduler.run_all();
    let error = result(join).expect_err("it was cancelled");
    assert_eq!(error.id(), id);
    assert_eq!(error.to_string(), format!("task {id} was cancelled"));
    assert_eq!(
        format!("{error:?}"),
        format!("JoinError::Cancelled({id:?})")
    );
    let error = error.try_into_panic().expect_err("it was no panic");
    assert_eq!(
        std::io::Error::from(error).to_string(),
        "task was cancelled"
    );

    let join = scheduler.spawn(async { std::panic::panic_any(7_i32) });
    let id = join.id();
    scheduler.run_all();
    let error = result::<()>(join).expect_err("it panicked");
    assert_eq!(error.to_string(), format!("task {id} panicked"));
    assert_eq!(
        format!("{error:?}"),
        format!("JoinError::Panic({id:?}, ...)")
    );
    assert_eq!(std::io::Error::from(error).to_string(), "task panicked");
}

#[test]
fn tasks_are_told_apart_by_the_thread_that_runs_them() {
    thread_local! {
        static SEEN: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
    }
    let scheduler = TestScheduler::new(1);
    let inner = scheduler.clone();
    let outer = scheduler.spawn(async move {
        let note = || SEEN.with_borrow_mut(|seen| seen.extend(try_id()));
        note();
        // A task that runs another one is itself again afterwards.
        let (runnable, join) = inner.bind(async move { note() });
        runnable.expect("the list is open").run();
        note();
        join.id()
    });
    let outer_id = outer.id();
    scheduler.run_all();
    let inner_id = result(outer).expect("it ended");
    SEEN.with_borrow(|seen| assert_eq!(*seen, [outer_id, inner_id, outer_id]));
}

#[test]
fn memory_is_fetched_of_tasks_of_every_size() {
    let scheduler = TestScheduler::new(1);
    let (small, small_handle) = scheduler.bind(async { 1 });
    let (large, large_handle) = scheduler.bind(async { [7_u32; 10_000] });
    for runnable in small.into_iter().chain(large) {
        runnable.fetch();
        let raw = runnable.into_raw();
        // SAFETY: once.
        unsafe { Runnable::from_raw(raw) }.run();
    }
    assert_eq!(result(small_handle).unwrap(), 1);
    assert_eq!(result(large_handle).unwrap(), [7; 10_000]);
}
