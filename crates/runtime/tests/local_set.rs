//! Sets of tasks that are not `Send`: where they run, who may wake them, how they end.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;

use yamanote_runtime::{
    Builder, LocalRuntime, LocalSet, Runtime, UnhandledPanic, spawn, spawn_local, yield_now,
};

fn current_thread() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("the system gives a selector")
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn tasks_share_what_is_not_send() {
    let sum = Rc::new(Cell::new(0));
    LocalSet::new().block_on(&current_thread(), async {
        let add = |number| {
            let sum = sum.clone();
            spawn_local(async move {
                yield_now().await;
                sum.set(sum.get() + number);
            })
        };
        for join in [add(1), add(2), add(3)] {
            join.await.expect("it is not aborted");
        }
    });
    assert_eq!(sum.get(), 6);
}

#[test]
fn the_set_as_a_future_ends_with_its_last_task() {
    let set = LocalSet::new();
    let ended = Rc::new(Cell::new(0));
    for yields in [1, 5, 200] {
        let ended = ended.clone();
        set.spawn_local(async move {
            for _ in 0..yields {
                yield_now().await;
            }
            ended.set(ended.get() + 1);
        });
    }
    current_thread().block_on(set);
    assert_eq!(ended.get(), 3);
}

#[test]
fn a_set_needs_no_runtime_of_ours() {
    let set = LocalSet::new();
    let join = set.spawn_local(async { 7 });
    let mut all = pin!(set);
    assert!(poll_once(all.as_mut()).is_ready());
    let mut join = pin!(join);
    assert!(matches!(poll_once(join.as_mut()), Poll::Ready(Ok(7))));
}

#[test]
fn another_thread_may_wake_abort_and_join() {
    let (wakers, waker) = mpsc::channel::<Waker>();
    let waking = thread::spawn(move || waker.recv().expect("the task sends it").wake());
    let set = LocalSet::new();
    set.block_on(&current_thread(), async {
        let mut polls = 0;
        let woken = spawn_local(poll_fn(move |cx| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(());
            }
            wakers.send(cx.waker().clone()).expect("it is received");
            Poll::Pending
        }));
        woken.await.expect("it is not aborted");

        let forever = spawn_local(pending::<()>());
        let abort = forever.abort_handle();
        let aborting = thread::spawn(move || abort.abort());
        let elsewhere = thread::spawn(move || current_thread().block_on(forever));
        let here = spawn_local(async { 1 });
        assert_eq!(here.await.expect("it is not aborted"), 1);
        aborting.join().expect("abort does not panic");
        // The set runs on until the other thread has its answer.
        while !elsewhere.is_finished() {
            yield_now().await;
        }
        let error = elsewhere.join().expect("joining does not panic");
        assert!(error.is_err_and(|error| error.is_cancelled()));
    });
    waking.join().expect("waking does not panic");
}

#[test]
fn a_dropped_set_drops_its_tasks_and_their_wakers_stay_good() {
    let set = LocalSet::new();
    let held = Rc::new(());
    let waker = Rc::new(RefCell::new(None));
    let (inside, slot) = (held.clone(), waker.clone());
    let join = set.spawn_local(poll_fn(move |cx| {
        let _ = &inside;
        *slot.borrow_mut() = Some(cx.waker().clone());
        Poll::<()>::Pending
    }));
    let runtime = current_thread();
    runtime.block_on(set.run_until(yield_now()));
    assert_eq!(Rc::strong_count(&held), 2);
    drop(set);
    assert_eq!(Rc::strong_count(&held), 1);
    let late = waker.take().expect("the task was polled");
    thread::spawn(move || late.wake())
        .join()
        .expect("a late wake does nothing");
    let joined = runtime.block_on(join);
    assert!(joined.is_err_and(|error| error.is_cancelled()));
}

#[test]
fn destructors_of_tasks_may_spawn_into_the_set_that_ends() {
    struct SpawnOnDrop(Rc<Cell<bool>>);

    impl Drop for SpawnOnDrop {
        fn drop(&mut self) {
            self.0.set(spawn_local(async {}).is_finished());
        }
    }

    let set = LocalSet::new();
    let cancelled = Rc::new(Cell::new(false));
    let guard = SpawnOnDrop(cancelled.clone());
    set.spawn_local(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    current_thread().block_on(set.run_until(yield_now()));
    drop(set);
    assert!(cancelled.get());
}

#[test]
fn an_entered_set_is_where_spawn_local_spawns() {
    let (outer, inner) = (LocalSet::new(), LocalSet::new());
    let ran = Rc::new(Cell::new(0));
    let note = |number| {
        let ran = ran.clone();
        async move { ran.set(ran.get() + number) }
    };
    {
        let _outer = outer.enter();
        {
            let _inner = inner.enter();
            spawn_local(note(1));
        }
        spawn_local(note(10));
    }
    let runtime = current_thread();
    runtime.block_on(outer);
    assert_eq!(ran.get(), 10);
    runtime.block_on(inner);
    assert_eq!(ran.get(), 11);
}

#[test]
fn tasks_that_never_wait_do_not_starve_the_future_beside_them() {
    let set = LocalSet::new();
    set.block_on(&current_thread(), async {
        spawn_local(async {
            loop {
                yield_now().await;
            }
        });
        // On the runtime itself, behind the whole set.
        spawn(async {}).await.expect("it is not aborted");
    });
}

/// Wakes itself `times` times, and notes it each time.
async fn note_and_wake(log: Rc<RefCell<String>>, name: char, times: usize) {
    for _ in 0..times {
        log.borrow_mut().push(name);
        let mut woken = false;
        poll_fn(|cx| match std::mem::replace(&mut woken, true) {
            true => Poll::Ready(()),
            false => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
    }
}

/// Yields `times` times, and notes it each time.
async fn note_and_yield(log: Rc<RefCell<String>>, name: char, times: usize) {
    for _ in 0..times {
        log.borrow_mut().push(name);
        yield_now().await;
    }
}

/// What tasks of a set on `runtime` note: one that yields, one that wakes itself.
fn noted_by_two(runtime: &Runtime) -> String {
    let log = Rc::new(RefCell::new(String::new()));
    let set = LocalSet::new();
    set.spawn_local(note_and_yield(log.clone(), 'y', 3));
    set.spawn_local(note_and_wake(log.clone(), 'w', 4));
    runtime.block_on(set);
    log.take()
}

#[test]
fn a_task_that_yields_lets_the_whole_thread_run_first() {
    assert_eq!(noted_by_two(&current_thread()), "ywwwwyy");

    let log = Rc::new(RefCell::new(String::new()));
    let runtime = LocalRuntime::new().expect("the system gives a selector");
    let (inner, other) = (log.clone(), log.clone());
    runtime.block_on(async {
        let set = spawn_local(async move {
            let set = LocalSet::new();
            set.spawn_local(note_and_yield(inner.clone(), 'y', 3));
            set.await;
        });
        let beside = spawn_local(note_and_wake(other, 'w', 4));
        set.await.expect("it is not aborted");
        beside.await.expect("it is not aborted");
    });
    assert_eq!(log.take(), "ywwwwyy");
}

#[test]
fn a_future_that_yields_beside_a_set_is_not_taken_for_one_of_its_tasks() {
    let log = Rc::new(RefCell::new(String::new()));
    let set = LocalSet::new();
    set.spawn_local(note_and_wake(log.clone(), 'w', 4));
    set.block_on(&current_thread(), note_and_yield(log.clone(), 'y', 3));
    assert_eq!(log.take(), "ywwwwyy");
}

#[test]
fn where_no_other_task_runs_a_task_that_yields_is_polled_in_its_turn() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build();
    let runtime = runtime.expect("the system gives a selector");
    assert_eq!(noted_by_two(&runtime), "ywywyww");
}

#[test]
fn a_dropped_set_drops_tasks_that_have_yielded() {
    let held = Rc::new(());
    let set = LocalSet::new();
    let inside = held.clone();
    let join = set.spawn_local(async move {
        let _inside = inside;
        loop {
            yield_now().await;
        }
    });
    let runtime = current_thread();
    runtime.block_on(set.run_until(yield_now()));
    assert_eq!(Rc::strong_count(&held), 2);
    drop(set);
    assert_eq!(Rc::strong_count(&held), 1);
    let joined: Result<(), _> = runtime.block_on(join);
    assert!(joined.is_err_and(|error| error.is_cancelled()));
}

#[test]
#[should_panic = "`spawn_local` called from outside of a `task::LocalSet`"]
fn spawn_local_needs_a_set() {
    current_thread().block_on(async {
        spawn_local(async {});
    });
}

#[test]
fn spawn_local_works_on_a_local_runtime() {
    let runtime = LocalRuntime::new().expect("the system gives a selector");
    let text = Rc::new("local".to_owned());
    let joined = runtime.block_on(async { spawn_local(async move { text.len() }).await });
    assert_eq!(joined.expect("it is not aborted"), 5);
}

#[test]
fn a_panic_of_a_task_ends_the_set_if_it_is_told_to() {
    let mut set = LocalSet::new();
    set.unhandled_panic(UnhandledPanic::ShutdownRuntime);
    set.spawn_local(async { panic!("in a task") });
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        set.block_on(&current_thread(), async {
            for _ in 0..10 {
                yield_now().await;
            }
        });
    }));
    assert!(caught.is_err());
}
