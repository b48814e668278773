//! What a panicking task does to its runtime, of every flavor.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use yamanote_runtime::{Builder, Runtime, UnhandledPanic, spawn};

fn each_flavor(behavior: UnhandledPanic, test: impl Fn(Runtime)) {
    let mut builders = [
        Builder::new_current_thread(),
        Builder::new_multi_thread(),
        Builder::sim(1),
    ];
    for builder in &mut builders {
        builder.worker_threads(2).unhandled_panic(behavior);
        test(builder.build().unwrap());
    }
}

fn block_on_panics<T>(runtime: &Runtime, future: impl Future<Output = T>) -> bool {
    let result = catch_unwind(AssertUnwindSafe(|| drop(runtime.block_on(future))));
    let Err(message) = result else { return false };
    let text = message.downcast_ref::<String>().map(String::as_str);
    let text = text.or(message.downcast_ref::<&str>().copied()).unwrap();
    assert!(
        text.contains("configured to shut down on unhandled panic"),
        "{text}"
    );
    true
}

#[test]
fn a_panic_is_nobody_elses_affair_unless_told_otherwise() {
    each_flavor(UnhandledPanic::Ignore, |runtime| {
        let panicked = runtime.block_on(async { spawn(async { panic!("alone") }).await });
        assert!(panicked.is_err());
        assert_eq!(
            runtime.block_on(async { spawn(async { 3 }).await.unwrap() }),
            3
        );
    });
}

#[test]
fn a_panic_ends_block_on_and_all_tasks() {
    each_flavor(UnhandledPanic::ShutdownRuntime, |runtime| {
        let held = Arc::new(());
        let holder = held.clone();
        runtime.spawn(async move {
            let _holder = holder;
            std::future::pending::<()>().await;
        });
        let waiting = async {
            drop(spawn(async { panic!("for all") }));
            std::future::pending::<()>().await;
        };
        assert!(block_on_panics(&runtime, waiting));
        // Workers drop their tasks on the way out.
        while Arc::strong_count(&held) > 1 {
            std::thread::yield_now();
        }
    });
}

#[test]
fn after_a_panic_each_block_on_panics_and_each_spawn_is_cancelled() {
    each_flavor(UnhandledPanic::ShutdownRuntime, |runtime| {
        let waiting = async {
            let joined = spawn(async { panic!("for all, though it is joined") }).await;
            assert!(joined.is_err());
            std::future::pending::<()>().await;
        };
        assert!(block_on_panics(&runtime, waiting));
        assert!(block_on_panics(&runtime, async { 1 }));
        let task = runtime.spawn(async {});
        let other = Builder::new_current_thread().build().unwrap();
        assert!(other.block_on(task).unwrap_err().is_cancelled());
    });
}
