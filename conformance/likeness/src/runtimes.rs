//! Runtimes that end: what becomes of their tasks, what these may do while they are dropped, and
//! what a handle is good for afterwards; and what a runtime of one thread counts.
//!
//! Left out: what is at work when an end does not wait for it; whether tasks are dropped before a
//! limited wait or after it, hence whether their destructors can still begin work that blocks; an
//! abort from outside of a queued task, which takes a place in the queue of ours; signals after the
//! end of several threads (ours refuses, the other never hears); words for a lookup not done.

use std::fmt::Debug;
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket, lookup_host};
use tokio::runtime::{Builder, Handle, LocalRuntime, Runtime, RuntimeFlavor};
use tokio::sync::oneshot;
use tokio::task::{LocalSet, block_in_place, spawn_blocking, spawn_local, yield_now};
use tokio::time::{interval, sleep, timeout};

use crate::caught;
use crate::system::without_numbers;
use crate::trial::Trial;

type Log = Arc<Mutex<Vec<String>>>;

type Probe = (&'static str, fn() -> String);

type ProbeOfHandle = (&'static str, fn(&Handle) -> String);

/// Does something when it is dropped, and tells what came of it.
struct Drops {
    probe: Probe,
    log: Log,
}

impl Drop for Drops {
    fn drop(&mut self) {
        let (name, probe) = self.probe;
        let came = caught(probe);
        let mut log = self.log.lock().expect("nobody panics with it");
        log.push(format!("{name} in a destructor: {came:?}"));
    }
}

/// What is tried while a task is dropped.
const WITHIN: &[Probe] = &[
    ("Handle::try_current", || {
        shown(Handle::try_current().is_ok())
    }),
    ("spawn", || now(tokio::spawn(async {}))),
    ("spawn_local", || now(spawn_local(async {}))),
    ("sleep", || now(sleep(Duration::from_secs(9)))),
    ("block_in_place", || shown(block_in_place(|| 1))),
    ("block_on", || {
        shown(Handle::current().block_on(async { 1 }))
    }),
];

/// What is tried with the handle of a runtime that has ended.
const AFTERWARDS: &[ProbeOfHandle] = &[
    ("spawn", |handle| now(handle.spawn(async {}))),
    ("spawn_blocking", |handle| now(handle.spawn_blocking(|| 1))),
    ("spawn within", |handle| {
        shown(handle.block_on(async { tokio::spawn(async {}).await }))
    }),
    ("block_on", |handle| shown(handle.block_on(async { 1 }))),
    ("yield", |handle| {
        shown(handle.block_on(async {
            yield_now().await;
            1
        }))
    }),
    ("sleep", |handle| {
        shown(handle.block_on(async {
            sleep(Duration::from_millis(1)).await;
            1
        }))
    }),
    ("timeout", |handle| {
        let ready = async { timeout(Duration::from_millis(1), async { 1 }).await };
        shown(handle.block_on(ready))
    }),
    ("interval", |handle| {
        shown(handle.block_on(async { interval(Duration::from_secs(1)).tick().await }))
    }),
    ("bind", |handle| {
        let bound = handle.block_on(TcpListener::bind("127.0.0.1:0"));
        shown(bound.map(drop).map_err(|error| error.to_string()))
    }),
    ("recv", |handle| {
        let received = handle.block_on(async {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            socket.recv(&mut [0; 2]).await
        });
        shown(received.map_err(|error| error.to_string()))
    }),
    ("lookup of a number", |handle| {
        let found = handle.block_on(lookup_host("127.0.0.1:1"));
        shown(found.is_ok())
    }),
    ("read", |handle| {
        let read = handle.block_on(tokio::fs::read("/proc/version"));
        shown(read.map(drop).map_err(|error| error.to_string()))
    }),
    ("block_in_place", |handle| {
        shown(handle.block_on(async { block_in_place(|| 1) }))
    }),
    ("enter", |handle| {
        let _entered = handle.enter();
        let (sender, receiver) = oneshot::channel();
        let _ = sender.send(1);
        shown(receiver.blocking_recv())
    }),
    ("metrics", |handle| counts(handle)),
];

/// A runtime that is drawn, which ends with tasks in it.
pub(crate) fn ends(trial: &mut Trial) {
    let mut builder = match trial.below(2) {
        0 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let built = builder.worker_threads(1).enable_all().build();
    let runtime = built.expect("a runtime needs no more than threads");
    let log = Log::default();
    for _ in 0..trial.below(4) {
        start(trial, &runtime, &log);
    }
    if trial.one_in(3) {
        drop(runtime.spawn_blocking(|| 1));
    }
    let handle = runtime.handle().clone();
    let ended = caught(|| end(trial, runtime));
    trial.tell(format_args!("ended: {ended:?}"));
    let mut lines = std::mem::take(&mut *log.lock().expect("nobody panics with it"));
    // In whatever order they were dropped.
    lines.sort();
    lines.iter().for_each(|line| trial.tell(line));
    for _ in 0..6 {
        let (name, probe) = AFTERWARDS[trial.below(AFTERWARDS.len())];
        let came = caught(|| probe(&handle));
        trial.tell(format_args!("{name} afterwards: {came:?}"));
    }
}

/// A task that never ends, or has ended, or was never run.
fn start(trial: &mut Trial, runtime: &Runtime, log: &Log) {
    let probe = WITHIN[trial.below(WITHIN.len())];
    let drops = Drops {
        probe,
        log: log.clone(),
    };
    let (begun, begins) = oneshot::channel();
    let ends = trial.one_in(4);
    runtime.spawn(async move {
        let _drops = drops;
        let _ = begun.send(());
        if !ends {
            pending::<()>().await;
        }
    });
    // On several threads the task is in a poll until it is known to have begun.
    let flavor = runtime.handle().runtime_flavor();
    if trial.one_in(3) && flavor == RuntimeFlavor::CurrentThread {
        return;
    }
    let began = runtime.block_on(begins);
    trial.tell(format_args!("began: {began:?}"));
}

/// Ends the runtime in a way that is drawn. One of several threads is waited for.
fn end(trial: &mut Trial, runtime: Runtime) {
    let flavor = runtime.handle().runtime_flavor();
    let ways = match flavor {
        RuntimeFlavor::CurrentThread => 5,
        _ => 2,
    };
    match trial.below(ways) {
        0 => drop(runtime),
        1 => runtime.shutdown_timeout(Duration::from_secs(20)),
        2 => runtime.shutdown_timeout(Duration::ZERO),
        3 => runtime.shutdown_background(),
        _ => {
            let other = Builder::new_current_thread().build();
            let other = other.expect("a runtime needs no more than a thread");
            other.block_on(async { runtime.shutdown_background() });
        }
    }
}

/// Local runtimes and sets, each use once.
pub(crate) fn locals(trial: &mut Trial) {
    for (name, local) in LOCALS {
        let came = caught(local);
        trial.tell(format_args!("{name}: {came:?}"));
    }
}

fn local_runtime() -> LocalRuntime {
    LocalRuntime::new().expect("a runtime needs no more than a thread")
}

fn several_threads() -> Runtime {
    let built = Builder::new_multi_thread().worker_threads(1).build();
    built.expect("a runtime needs no more than threads")
}

const LOCALS: &[Probe] = &[
    ("spawn_local within", || {
        shown(local_runtime().block_on(async { spawn_local(async { 1 }).await }))
    }),
    ("spawn_local from outside", || {
        let runtime = local_runtime();
        let task = runtime.spawn_local(async { 1 });
        shown(runtime.block_on(task))
    }),
    ("spawn_local when entered", || {
        let runtime = local_runtime();
        let _entered = runtime.enter();
        let task = spawn_local(async { 1 });
        shown(runtime.block_on(task))
    }),
    ("spawn_local on a thread that blocks", || {
        let refused = local_runtime()
            .block_on(async { spawn_blocking(|| caught(|| drop(spawn_local(async {})))).await });
        shown(refused.is_ok_and(|refused| refused.is_err()))
    }),
    ("spawn from elsewhere", || {
        let runtime = local_runtime();
        let handle = runtime.handle().clone();
        let task = std::thread::spawn(move || handle.spawn(async { 1 })).join();
        shown(task.map(|task| runtime.block_on(task)).ok())
    }),
    ("block_on from elsewhere", || {
        let runtime = local_runtime();
        let handle = runtime.handle().clone();
        let waits = std::thread::spawn(move || handle.block_on(async { 1 }));
        shown(waits.join().ok())
    }),
    ("block_in_place", || {
        shown(local_runtime().block_on(async { block_in_place(|| 1) }))
    }),
    ("of several threads", || {
        let local = || Builder::new_multi_thread().build_local(Default::default());
        shown(caught(local).is_ok())
    }),
    ("a set within", || {
        let within = async { spawn_local(async { 1 }).await };
        shown(local_runtime().block_on(async { LocalSet::new().run_until(within).await }))
    }),
    ("a task of a dropped set", || {
        let set = LocalSet::new();
        let task = set.spawn_local(pending::<()>());
        drop(set);
        now(task)
    }),
    ("a task of a dropped runtime", || {
        let runtime = local_runtime();
        let task = runtime.spawn_local(pending::<()>());
        drop(runtime);
        now(task)
    }),
    ("a set that is entered", || {
        let (runtime, set) = (several_threads(), LocalSet::new());
        let entered = set.enter();
        let task = spawn_local(async { 1 });
        drop(entered);
        shown(set.block_on(&runtime, task))
    }),
    ("spawn_local in a task", || {
        let spawned =
            async { tokio::spawn(async { caught(|| drop(spawn_local(async {}))) }).await };
        shown(several_threads().block_on(LocalSet::new().run_until(spawned)))
    }),
    ("block_in_place in a set", || {
        let in_place = async { block_in_place(|| 1) };
        shown(several_threads().block_on(LocalSet::new().run_until(in_place)))
    }),
    ("block_in_place in a task of a set", || {
        let in_place = async { spawn_local(async { block_in_place(|| 1) }).await };
        let came = several_threads().block_on(LocalSet::new().run_until(in_place));
        shown(came.is_ok())
    }),
    ("a set that is awaited twice", || {
        let mut set = LocalSet::new();
        let (first, second) = (set.spawn_local(async { 1 }), async { 2 });
        several_threads().block_on(async {
            (&mut set).await;
            let second = set.spawn_local(second);
            (&mut set).await;
            shown((first.await, second.await))
        })
    }),
];

/// What a runtime of one thread counts, after each of some operations.
pub(crate) fn metrics(trial: &mut Trial) {
    let built = Builder::new_current_thread().enable_all().build();
    let runtime = built.expect("a runtime needs no more than a thread");
    let mut tasks = Vec::new();
    for _ in 0..12 {
        let what = match trial.below(6) {
            0 => {
                tasks.push(runtime.spawn(pending::<()>()));
                "spawns"
            }
            1 => {
                runtime.block_on(async { tasks.push(tokio::spawn(async {})) });
                "spawns within"
            }
            2 => {
                drop(tasks.pop());
                "detaches"
            }
            3 => {
                let task = tasks.pop();
                runtime.block_on(async { task.into_iter().for_each(|task| task.abort()) });
                "aborts within"
            }
            4 => {
                let handle = runtime.handle().clone();
                let spawning = std::thread::spawn(move || drop(handle.spawn(async {})));
                let _ = spawning.join();
                "spawns elsewhere"
            }
            _ => {
                runtime.block_on(yield_now());
                "runs"
            }
        };
        trial.tell(format_args!("{what}: {}", counts(runtime.handle())));
    }
}

fn counts(handle: &Handle) -> String {
    let metrics = handle.metrics();
    let (alive, queued) = (metrics.num_alive_tasks(), metrics.global_queue_depth());
    format!(
        "{} workers, {alive} tasks, {queued} queued",
        metrics.num_workers()
    )
}

/// The value. Numbers of tasks are of this process.
fn shown(value: impl Debug) -> String {
    without_numbers(&format!("{value:?}"))
}

fn polled<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// What a future comes to at once.
fn now<F: Future<Output: Debug>>(future: F) -> String {
    shown(polled(future))
}
