//! The callbacks about tasks: when they are called, with what, and what their panics do.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use yamanote_runtime::{Builder, spawn, yield_now};
use yamanote_task::TaskMeta;

/// What callbacks have told of each task.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<BTreeMap<u64, Vec<&'static str>>>>);

impl Diary {
    fn entry(&self, what: &'static str) -> impl Fn(&TaskMeta<'_>) + Send + Sync + 'static {
        let diary = self.clone();
        move |meta| {
            assert_eq!(meta.spawned_at().file(), file!());
            let mut entries = diary.0.lock().unwrap();
            entries.entry(meta.id().as_u64()).or_default().push(what);
        }
    }

    fn keep(&self, builder: &mut Builder) {
        builder
            .on_task_spawn(self.entry("spawn"))
            .on_before_task_poll(self.entry("before"))
            .on_after_task_poll(self.entry("after"))
            .on_task_terminate(self.entry("end"));
    }
}

fn each_flavor(test: impl Fn(Builder)) {
    test(Builder::new_current_thread());
    test(Builder::new_multi_thread());
    test(Builder::sim(1));
}

#[test]
fn the_callbacks_tell_the_life_of_a_task_in_order() {
    each_flavor(|mut builder| {
        let diary = Diary::default();
        diary.keep(&mut builder);
        let runtime = builder.build().unwrap();
        runtime.block_on(async {
            spawn(yield_now()).await.unwrap();
            let aborted = spawn(std::future::pending::<()>());
            while !aborted.is_finished() {
                aborted.abort();
                yield_now().await;
            }
            let error = spawn(async { panic!("told like any end") }).await;
            assert!(error.is_err());
        });
        drop(runtime);
        let lives: Vec<_> = diary.0.lock().unwrap().values().cloned().collect();
        let yielding = ["spawn", "before", "after", "before", "after", "end"];
        assert_eq!(lives[0], yielding);
        assert_eq!((lives[1][0], lives[1].last()), ("spawn", Some(&"end")));
        assert_eq!(lives[2], ["spawn", "before", "after", "end"]);
    });
}

#[test]
fn tasks_that_a_shutdown_drops_have_ended_too() {
    each_flavor(|mut builder| {
        let diary = Diary::default();
        diary.keep(&mut builder);
        let runtime = builder.build().unwrap();
        let handle = runtime.handle().clone();
        runtime.spawn(std::future::pending::<()>());
        drop(runtime);
        drop(handle.spawn(async {}));
        let lives = diary.0.lock().unwrap();
        assert_eq!(lives.len(), 2);
        for life in lives.values() {
            assert_eq!((life[0], life.last()), ("spawn", Some(&"end")));
        }
    });
}

#[test]
fn a_callback_may_spawn() {
    each_flavor(|mut builder| {
        let spawned = Arc::new(AtomicUsize::new(0));
        let count = spawned.clone();
        builder.on_task_spawn(move |_| {
            if count.fetch_add(1, Ordering::Relaxed) < 3 {
                spawn(async {});
            }
        });
        let runtime = builder.build().unwrap();
        runtime.block_on(async { spawn(async {}).await.unwrap() });
        assert_eq!(spawned.load(Ordering::Relaxed), 4);
    });
}

#[test]
fn a_panic_of_the_spawn_callback_is_the_spawners() {
    each_flavor(|mut builder| {
        builder.on_task_spawn(|_| panic!("no more tasks"));
        let runtime = builder.build().unwrap();
        let spawned = catch_unwind(AssertUnwindSafe(|| drop(runtime.spawn(async {}))));
        let message = spawned.unwrap_err();
        assert_eq!(message.downcast_ref(), Some(&"no more tasks"));
        assert_eq!(runtime.metrics().spawned_tasks_count(), 0);
        assert_eq!(runtime.block_on(async { 5 }), 5);
    });
}

#[test]
fn the_callbacks_of_a_poll_hear_how_long_the_task_was_runnable() {
    const WAIT: Duration = Duration::from_millis(10);
    let heard: Arc<Mutex<Vec<Option<Duration>>>> = Arc::default();
    let note = |heard: &Arc<Mutex<Vec<_>>>| {
        let heard = heard.clone();
        move |meta: &TaskMeta<'_>| heard.lock().unwrap().push(meta.schedule_latency())
    };
    let mut builder = Builder::new_current_thread();
    builder
        .on_task_spawn(note(&heard))
        .on_before_task_poll(note(&heard))
        .on_after_task_poll(note(&heard))
        .on_task_terminate(note(&heard));
    let run = |builder: &mut Builder| {
        let runtime = builder.build().unwrap();
        let task = runtime.spawn(async {});
        // The task is runnable, and nobody runs it.
        std::thread::sleep(WAIT);
        runtime.block_on(task).unwrap();
        std::mem::take(&mut *heard.lock().unwrap())
    };
    assert_eq!(run(&mut builder), [None; 4]);
    for tracked in [0, 1] {
        match tracked {
            0 => builder.track_task_schedule_latency(),
            _ => builder.enable_metrics_schedule_latency_histogram(),
        };
        let heard = run(&mut builder);
        assert_eq!((heard[0], heard[3]), (None, None));
        assert!(heard[1] >= Some(WAIT), "{heard:?}");
        assert_eq!(heard[1], heard[2]);
    }
}
