//! Task-local values, and the budget as programs see it.
#![cfg(not(loom))]

mod common;

use std::cell::RefCell;
use std::future::{Future, poll_fn, ready};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use common::TestScheduler;
use yamanote_base::budget;
use yamanote_task::LocalKey;
use yamanote_task::coop;

thread_local! {
    static SLOT: RefCell<Option<u32>> = const { RefCell::new(None) };
}
static NUMBER: LocalKey<u32> = LocalKey { inner: SLOT };

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn scopes_nest_and_end() {
    assert!(NUMBER.try_get().is_err());
    let seen = NUMBER.sync_scope(1, || {
        let inner = NUMBER.sync_scope(2, || NUMBER.get());
        (inner, NUMBER.with(|number| *number))
    });
    assert_eq!(seen, (2, 1));
    let error = NUMBER.try_with(|_| ()).expect_err("the scope has ended");
    assert_eq!(error.to_string(), "task-local value not set");
    assert_eq!(format!("{error:?}"), "AccessError");
}

#[test]
fn a_value_follows_its_task_and_no_other() {
    let scheduler = TestScheduler::new(1);
    let count = |start| {
        NUMBER.scope(start, async move {
            for _ in 0..10 {
                assert_eq!(NUMBER.get(), start);
                common::yield_now().await;
            }
        })
    };
    let joins = [1, 2, 3].map(|start| scheduler.spawn(count(start)));
    while scheduler.run_one() {
        assert!(NUMBER.try_get().is_err());
    }
    for join in joins {
        let joined = poll_once(pin!(join));
        assert!(matches!(joined, Poll::Ready(Ok(()))));
    }
}

#[test]
fn a_panic_ends_the_scope() {
    let panicked = std::panic::catch_unwind(|| {
        NUMBER.sync_scope(1, || panic!("in the scope"));
    });
    assert!(panicked.is_err() && NUMBER.try_get().is_err());
}

#[test]
fn the_value_can_be_taken_out_of_the_future() {
    let mut scoped = pin!(NUMBER.scope(5, async { NUMBER.get() }));
    assert!(matches!(poll_once(scoped.as_mut()), Poll::Ready(5)));
    assert_eq!(scoped.as_mut().take_value(), Some(5));
    assert_eq!(scoped.as_mut().take_value(), None);
}

#[test]
fn the_futures_destructor_sees_the_value() {
    struct See(std::sync::mpsc::Sender<Option<u32>>);

    impl Drop for See {
        fn drop(&mut self) {
            let _ = self.0.send(NUMBER.try_get().ok());
        }
    }

    let (sender, seen) = std::sync::mpsc::channel();
    let (ended, unpolled) = (See(sender.clone()), See(sender));
    {
        let mut scoped = pin!(NUMBER.scope(
            1,
            poll_fn(move |_| {
                let _ = &ended;
                Poll::Ready(())
            })
        ));
        assert!(poll_once(scoped.as_mut()).is_ready());
        assert_eq!(seen.try_recv(), Ok(Some(1)));
    }
    drop(NUMBER.scope(2, async move { drop(unpolled) }));
    assert_eq!(seen.try_recv(), Ok(Some(2)));
}

#[test]
#[should_panic = "cannot enter a task-local scope while the task-local storage is borrowed"]
fn a_scope_cannot_begin_while_its_key_is_read() {
    NUMBER.sync_scope(1, || {
        NUMBER.with(|_| NUMBER.sync_scope(2, || ()));
    });
}

#[test]
#[should_panic = "cannot access a task-local storage value without setting it first"]
fn reading_outside_of_scopes_panics() {
    NUMBER.with(|_| ());
}

#[test]
#[should_panic = "`TaskLocalFuture` polled after completion"]
fn a_scope_ends_once() {
    let mut scoped = pin!(NUMBER.scope(1, ready(())));
    assert!(poll_once(scoped.as_mut()).is_ready());
    let _ = poll_once(scoped.as_mut());
}

#[test]
fn consuming_the_budget_yields_at_its_end() {
    let scheduler = TestScheduler::new(1);
    let join = scheduler.spawn(async {
        for _ in 0..300 {
            coop::consume_budget().await;
        }
    });
    scheduler.run_all();
    assert!(join.is_finished());
    assert_eq!(scheduler.rescheduled(), 2);
}

#[test]
fn unconstrained_futures_never_yield() {
    let scheduler = TestScheduler::new(1);
    let join = scheduler.spawn(coop::unconstrained(async {
        for _ in 0..300 {
            coop::consume_budget().await;
        }
    }));
    scheduler.run_all();
    assert!(join.is_finished());
    assert_eq!(scheduler.rescheduled(), 0);
}

#[test]
fn cooperative_futures_spend_when_they_end() {
    budget::with_budget(|| {
        for _ in 0..200 {
            assert!(poll_once(pin!(coop::cooperative(std::future::pending::<()>()))).is_pending());
        }
        assert!(coop::has_budget_remaining());
        for _ in 0..128 {
            assert!(poll_once(pin!(coop::cooperative(ready(())))).is_ready());
        }
        assert!(!coop::has_budget_remaining());
        assert!(poll_once(pin!(coop::cooperative(ready(())))).is_pending());
    });
}
