//! The threads of a runtime: their names and number, and the callbacks on them.

use std::collections::HashSet;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use yamanote_runtime::{Builder, Handle, block_in_place, worker_index};

fn name() -> Option<String> {
    std::thread::current().name().map(str::to_owned)
}

#[test]
fn threads_are_called_tokio_rt_worker_unless_told_otherwise() {
    for (given, expected) in [(None, "tokio-rt-worker"), (Some("yard"), "yard")] {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1);
        if let Some(given) = given {
            builder.thread_name(given);
        }
        let runtime = builder.build().unwrap();
        let worker = runtime.block_on(runtime.spawn(async { name() }));
        let blocking = runtime.block_on(runtime.spawn_blocking(name));
        assert_eq!(worker.unwrap().as_deref(), Some(expected));
        assert_eq!(blocking.unwrap().as_deref(), Some(expected));
    }
}

#[test]
fn each_thread_has_a_name_of_its_own_if_a_function_gives_it() {
    let count = AtomicUsize::new(0);
    let names = Arc::new(Mutex::new(HashSet::new()));
    let noted = names.clone();
    let runtime = Builder::new_multi_thread()
        .worker_threads(3)
        .thread_name_fn(move || format!("yard-{}", count.fetch_add(1, Ordering::Relaxed)))
        .on_thread_start(move || {
            noted.lock().unwrap().extend(name());
        })
        .build()
        .unwrap();
    drop(runtime);
    let expected = (0..3).map(|i| format!("yard-{i}")).collect();
    assert_eq!(*names.lock().unwrap(), expected);
}

#[test]
fn each_thread_that_began_has_ended_when_the_runtime_is_dropped() {
    let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (more, less) = (begun.clone(), ended.clone());
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(move || _ = more.fetch_add(1, Ordering::Relaxed))
        .on_thread_stop(move || _ = less.fetch_add(1, Ordering::Relaxed))
        .build()
        .unwrap();
    runtime.block_on(runtime.spawn_blocking(|| ())).unwrap();
    drop(runtime);
    assert_eq!(begun.load(Ordering::Relaxed), 3);
    assert_eq!(ended.load(Ordering::Relaxed), 3);
}

#[test]
fn a_thread_that_begins_or_ends_finds_its_runtime() {
    for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
        let found = Arc::new(Mutex::new(HashSet::new()));
        let note = |which: &'static str| {
            let found = found.clone();
            move || {
                let id = Handle::try_current().map(|handle| handle.id());
                found.lock().unwrap().insert((which, id.ok()));
            }
        };
        let runtime = builder
            .worker_threads(1)
            .on_thread_start(note("start"))
            .on_thread_stop(note("stop"))
            .build()
            .unwrap();
        runtime.block_on(runtime.spawn_blocking(|| ())).unwrap();
        let id = Some(runtime.handle().id());
        drop(runtime);
        let expected = HashSet::from([("start", id), ("stop", id)]);
        assert_eq!(*found.lock().unwrap(), expected);
    }
}

/// What [`a_runtime_of_a_process`] does in a process whose environment says `workers`.
fn in_a_process_with(workers: &str) -> (bool, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_runtime_of_a_process", "--nocapture"])
        .env("TOKIO_WORKER_THREADS", workers)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

#[test]
fn a_runtime_of_a_process() {
    let runtime = Builder::new_multi_thread().build().unwrap();
    println!("workers: {}", runtime.metrics().num_workers());
    let few = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    assert_eq!(few.metrics().num_workers(), 2);
}

#[test]
fn the_environment_sets_the_number_of_workers_and_is_refused_if_it_makes_no_sense() {
    let (succeeded, text) = in_a_process_with("5");
    assert!(succeeded && text.contains("workers: 5"), "{text}");
    let (succeeded, text) = in_a_process_with("0");
    assert!(!succeeded);
    assert!(
        text.contains("\"TOKIO_WORKER_THREADS\" cannot be set to 0"),
        "{text}"
    );
    let (succeeded, text) = in_a_process_with("many");
    assert!(!succeeded);
    assert!(
        text.contains("\"TOKIO_WORKER_THREADS\" must be usize"),
        "{text}"
    );
}

fn wait_until(happens: impl Fn() -> bool) {
    while !happens() {
        std::thread::yield_now();
    }
}

#[test]
fn a_worker_knows_its_index_and_the_metrics_know_its_thread() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let metrics = runtime.metrics();
    assert_eq!(worker_index(), None);
    runtime.block_on(async {
        assert_eq!(worker_index(), None);
        let task = yamanote_runtime::spawn(async move {
            let index = worker_index().unwrap();
            let here = std::thread::current().id();
            assert_eq!(metrics.worker_thread_id(index), Some(here));
            // The worker goes on elsewhere.
            block_in_place(|| wait_until(|| metrics.worker_thread_id(index) != Some(here)));
        });
        task.await.unwrap();
    });
    let single = Builder::new_current_thread().build().unwrap();
    let here = Some(std::thread::current().id());
    assert_eq!(single.metrics().worker_thread_id(0), here, "built here");
    assert_eq!(single.block_on(async { worker_index() }), Some(0));
}
