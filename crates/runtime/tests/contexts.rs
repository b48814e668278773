//! Several runtimes in one process: which one is meant where, and who may block.

mod support;

use std::sync::Arc;

use yamanote_runtime::{
    Builder, Handle, LocalRuntime, Runtime, RuntimeFlavor, block_in_place, spawn, spawn_blocking,
};

use support::panic_of;

fn single() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn multi() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).build().unwrap()
}

#[test]
fn outside_of_every_runtime_there_is_none() {
    assert!(Handle::try_current().unwrap_err().is_missing_context());
    for message in [
        panic_of(Handle::current),
        panic_of(|| spawn(async {})),
        panic_of(|| spawn_blocking(|| ())),
    ] {
        assert!(message.contains("there is no reactor running"), "{message}");
    }
    // What needs no runtime works.
    assert_eq!(block_in_place(|| 5), 5);
}

#[test]
fn entered_runtimes_nest() {
    let (one, two) = (single(), multi());
    let id = || Handle::current().id();
    let outer = one.enter();
    assert_eq!(id(), one.handle().id());
    {
        let _inner = two.enter();
        assert_eq!(id(), two.handle().id());
        let flavor = Handle::current().runtime_flavor();
        assert_eq!(flavor, RuntimeFlavor::MultiThread);
        let task = spawn(async move { id() });
        assert_eq!(two.block_on(task).unwrap(), two.handle().id());
        // `block_on` of another runtime is allowed: to have entered is not to drive.
        assert_eq!(one.block_on(async { id() }), one.handle().id());
        assert_eq!(id(), two.handle().id());
    }
    assert_eq!(id(), one.handle().id());
    drop(outer);
    assert!(Handle::try_current().is_err());
}

#[test]
fn guards_are_dropped_in_the_reverse_order_of_entering() {
    let (one, two) = (single(), single());
    let (outer, inner) = (one.enter(), two.enter());
    let message = panic_of(|| drop(outer));
    assert!(message.contains("dropped out of order"), "{message}");
    drop(inner);
}

#[test]
fn tasks_blocking_work_and_threads_stand_in_their_runtime() {
    let (one, two) = (single(), multi());
    let other = two.handle().clone();
    let ids = one.block_on(async move {
        let id = || Handle::current().id();
        [
            spawn(async move { id() }).await.unwrap(),
            spawn_blocking(id).await.unwrap(),
            other.spawn(async move { id() }).await.unwrap(),
            other.spawn_blocking(id).await.unwrap(),
        ]
    });
    let (one, two) = (one.handle().id(), two.handle().id());
    assert_eq!(ids, [one, one, two, two]);
}

#[test]
fn blocking_on_a_runtime_inside_of_one_is_refused_whichever_they_are() {
    let inside = |outer: &Runtime, inner: &Runtime| {
        let message = outer.block_on(async { panic_of(|| inner.block_on(async {})) });
        assert!(message.contains("Cannot start a runtime from within a runtime"));
        let message = outer.block_on(async { panic_of(|| inner.handle().block_on(async {})) });
        assert!(message.contains("Cannot start a runtime from within a runtime"));
    };
    inside(&single(), &single());
    inside(&single(), &multi());
    inside(&multi(), &single());
    inside(&multi(), &multi());
}

#[test]
fn blocking_is_allowed_where_a_thread_is_there_for_it() {
    let runtime = Arc::new(multi());
    let inner = runtime.clone();
    let value = runtime.block_on(async move {
        let outer = inner.clone();
        let by_thread = spawn_blocking(move || inner.block_on(async { spawn(async { 1 }).await }));
        let in_place = spawn(async move { block_in_place(|| outer.block_on(async { 2 })) });
        by_thread.await.unwrap().unwrap() + in_place.await.unwrap()
    });
    assert_eq!(value, 3);
}

#[test]
fn block_in_place_is_refused_on_a_single_thread() {
    let message = single().block_on(async { panic_of(|| block_in_place(|| ())) });
    assert!(message.contains("can call blocking only when running on the multi-threaded runtime"));
}

#[test]
fn options_that_make_no_sense_are_refused_at_once() {
    let builder = Builder::new_multi_thread;
    let expected = [
        (
            panic_of(|| drop(builder().worker_threads(0).build())),
            "cannot be set to 0",
        ),
        (
            panic_of(|| drop(builder().max_blocking_threads(0).build())),
            "cannot be set to 0",
        ),
        (
            panic_of(|| drop(builder().event_interval(0).build())),
            "greater than 0",
        ),
        (
            panic_of(|| drop(builder().global_queue_interval(0).build())),
            "greater than 0",
        ),
        (
            panic_of(|| drop(builder().max_io_events_per_tick(0).build())),
            "non-zero",
        ),
        (
            panic_of(|| drop(builder().name("").build())),
            "shouldn't be empty",
        ),
        (
            panic_of(|| drop(builder().start_paused(true).build())),
            "current_thread",
        ),
        (
            panic_of(|| builder().build_local(Default::default())),
            "new_current_thread",
        ),
    ];
    for (message, part) in expected {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn options_that_name_what_is_always_there_are_accepted() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_alt_timer()
        .enable_eager_driver_handoff()
        .enable_sharded_blocking_queue()
        .enable_io_uring()
        .disable_lifo_slot()
        .max_io_events_per_busy_tick(1)
        .enable_all()
        .build()
        .unwrap();
    assert_eq!(runtime.block_on(runtime.spawn(async { 5 })).unwrap(), 5);
}

#[test]
fn tasks_that_are_not_send_stay_on_the_thread_of_their_runtime() {
    let runtime = LocalRuntime::new().unwrap();
    let handle = runtime.handle().clone();
    let elsewhere = std::thread::spawn(move || {
        let _guard = handle.enter();
        panic_of(|| yamanote_runtime::spawn_local(async {}))
    });
    let message = elsewhere.join().unwrap();
    assert!(message.contains("from the thread"), "{message}");
    let shared = std::rc::Rc::new(5);
    let task = runtime.spawn_local(async move { *shared });
    assert_eq!(runtime.block_on(task).unwrap(), 5);
}
