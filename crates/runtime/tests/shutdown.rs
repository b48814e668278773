//! How runtimes end, and what can be done with one that has ended.

mod support;

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use yamanote_runtime::{Builder, Handle, LocalOptions, Runtime, spawn, spawn_blocking};

use support::panic_of;

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn each_flavor(test: impl Fn(Runtime)) {
    test(single());
    let mut builder = Builder::new_multi_thread();
    test(builder.worker_threads(2).enable_all().build().unwrap());
}

#[test]
fn a_task_whose_handle_is_dropped_goes_on() {
    each_flavor(|runtime| {
        let (tx, rx) = mpsc::channel();
        drop(runtime.spawn(async move { tx.send(5) }));
        runtime.block_on(yamanote_runtime::yield_now());
        assert_eq!(rx.recv(), Ok(5));
    });
}

#[test]
fn what_is_spawned_on_a_runtime_that_is_gone_is_cancelled() {
    each_flavor(|runtime| {
        let handle = runtime.handle().clone();
        drop(runtime);
        let (task, blocking) = (handle.spawn(async {}), handle.spawn_blocking(|| ()));
        assert!(handle.block_on(task).unwrap_err().is_cancelled());
        assert!(handle.block_on(blocking).unwrap_err().is_cancelled());
    });
}

#[test]
fn a_runtime_that_is_gone_blocks_on_what_needs_nothing_of_it() {
    each_flavor(|runtime| {
        let handle = runtime.handle().clone();
        drop(runtime);
        assert_eq!(handle.block_on(async { 7 }), 7);
        let sleep = async { yamanote_base::hooks::sleep(Duration::from_millis(1)).await };
        let message = panic_of(|| handle.block_on(sleep));
        assert!(message.contains("being shutdown"), "{message}");
    });
}

#[test]
fn a_sleep_that_outlives_its_runtime_panics() {
    each_flavor(|runtime| {
        let long = Duration::from_secs(1000);
        let mut sleep = {
            let _guard = runtime.enter();
            yamanote_base::hooks::sleep(long)
        };
        runtime.block_on(std::future::poll_fn(|cx| {
            assert!(sleep.as_mut().poll(cx).is_pending());
            std::task::Poll::Ready(())
        }));
        drop(runtime);
        let message = panic_of(|| single().block_on(sleep));
        assert!(message.contains("being shutdown"), "{message}");
    });
}

#[test]
fn a_sleep_of_the_alternative_timer_ends_with_its_runtime() {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_alt_timer().build();
    let runtime = runtime.unwrap();
    let sleep = || yamanote_base::hooks::sleep(Duration::from_secs(1000));
    let [mut polled, unpolled] = {
        let _guard = runtime.enter();
        [sleep(), sleep()]
    };
    runtime.block_on(std::future::poll_fn(|cx| {
        assert!(polled.as_mut().poll(cx).is_pending());
        std::task::Poll::Ready(())
    }));
    let other = single();
    let waits = other.spawn(polled);
    other.block_on(yamanote_runtime::yield_now());
    drop(runtime);
    other.block_on(async {
        waits.await.unwrap();
        unpolled.await;
    });
}

#[test]
fn dropping_waits_for_what_blocks_and_cancels_what_has_not_begun() {
    each_flavor(|runtime| {
        let (begin, begun) = mpsc::channel();
        let ended = Arc::new(AtomicBool::new(false));
        let mark = ended.clone();
        runtime.spawn_blocking(move || {
            begin.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            mark.store(true, Ordering::Relaxed);
        });
        begun.recv().unwrap();
        drop(runtime);
        assert!(ended.load(Ordering::Relaxed));
    });
    let runtime = Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    let (begin, begun) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    runtime.spawn_blocking(move || {
        begin.send(()).unwrap();
        gate.recv()
    });
    begun.recv().unwrap();
    let second = runtime.spawn_blocking(|| ());
    runtime.shutdown_background();
    assert!(single().block_on(second).unwrap_err().is_cancelled());
    go.send(()).unwrap();
}

#[test]
fn a_shutdown_with_a_timeout_waits_no_longer() {
    each_flavor(|runtime| {
        let (go, gate) = mpsc::channel::<()>();
        runtime.block_on(async { drop(spawn_blocking(move || gate.recv())) });
        let start = Instant::now();
        runtime.shutdown_timeout(Duration::from_millis(20));
        assert!(start.elapsed() >= Duration::from_millis(20));
        // If it had waited for the work, nobody would have come here.
        go.send(()).unwrap();
    });
}

#[test]
fn a_runtime_dropped_inside_of_another_panics_and_says_what_to_do() {
    each_flavor(|outer| {
        let message = outer.block_on(async { panic_of(|| drop(single())) });
        assert!(message.contains("Cannot drop a runtime in a context where blocking"));
        assert!(message.contains("shutdown_background"));
        let message = outer.block_on(async {
            let inner = single();
            panic_of(move || inner.shutdown_timeout(Duration::from_millis(1)))
        });
        assert!(message.contains("Cannot drop a runtime"));
        outer.block_on(async {
            single().shutdown_background();
            spawn_blocking(|| drop(single())).await.unwrap();
        });
    });
}

#[test]
fn a_panicking_task_may_drop_a_runtime() {
    each_flavor(|outer| {
        let error = outer.block_on(async {
            let task = spawn(async {
                let _inner = single();
                panic!("on the way out the inner one is dropped");
            });
            task.await.unwrap_err()
        });
        assert!(error.to_string().contains("on the way out"));
    });
}

#[test]
fn a_local_runtime_ends_like_others() {
    let build = || {
        let mut builder = Builder::new_current_thread();
        builder.build_local(LocalOptions::default()).unwrap()
    };
    let runtime = build();
    let task = runtime.spawn_local(std::future::pending::<()>());
    drop(runtime);
    assert!(single().block_on(task).unwrap_err().is_cancelled());
    build().shutdown_timeout(Duration::from_millis(1));
    single().block_on(async {
        build().shutdown_background();
        let message = panic_of(|| drop(build()));
        assert!(message.contains("Cannot drop a runtime"));
    });
}

#[test]
fn the_output_of_a_task_outlives_its_runtime() {
    each_flavor(|runtime| {
        let task = runtime.spawn(async { "kept" });
        while !task.is_finished() {
            runtime.block_on(yamanote_runtime::yield_now());
        }
        drop(runtime);
        assert_eq!(single().block_on(task).unwrap(), "kept");
    });
}

#[test]
fn tasks_dropped_by_a_shutdown_may_spawn_and_enter() {
    /// Spawns when it is dropped.
    struct Spawns;

    impl Drop for Spawns {
        fn drop(&mut self) {
            let task = spawn(async {});
            drop(task);
        }
    }

    each_flavor(|runtime| {
        runtime.spawn(async {
            let _spawns = Spawns;
            std::future::pending::<()>().await;
        });
        runtime.block_on(yamanote_runtime::yield_now());
        drop(runtime);
    });
}

#[test]
fn a_closure_that_is_cancelled_at_once_may_enter_in_its_destructor() {
    /// Enters a runtime, and counts that, when it is dropped.
    struct Enters(Handle, Arc<AtomicBool>);

    impl Drop for Enters {
        fn drop(&mut self) {
            self.0.block_on(async {});
            self.1.store(true, Ordering::Relaxed);
        }
    }

    each_flavor(|runtime| {
        let (handle, has_entered) = (runtime.handle().clone(), Arc::new(AtomicBool::new(false)));
        drop(runtime);
        let _guard = handle.enter();
        let enters = Enters(handle.clone(), has_entered.clone());
        let task = spawn_blocking(move || drop(enters));
        assert!(has_entered.load(Ordering::Relaxed));
        assert!(task.is_finished());
    });
}

/// What comes through the channel, sent by a task.
async fn received<T>(channel: &mpsc::Receiver<T>) -> T {
    loop {
        match channel.try_recv() {
            Ok(value) => return value,
            Err(_) => yamanote_runtime::yield_now().await,
        }
    }
}

/// Makes `count` runtimes by `build`, and uses what is left of a task of each when ten others have
/// been made and dropped.
fn outlive(count: usize, build: impl Fn() -> Runtime) {
    let (wakers, left) = mpsc::channel::<Waker>();
    let mut tasks = VecDeque::new();
    for number in 0..count {
        let (runtime, wakers) = (build(), wakers.clone());
        let task = runtime.spawn(std::future::poll_fn(move |cx| {
            wakers.send(cx.waker().clone()).unwrap();
            Poll::<()>::Pending
        }));
        let waker = runtime.block_on(received(&left));
        drop(runtime);
        tasks.push_back((task, waker));
        if number >= 10 {
            let (task, waker) = tasks.pop_front().unwrap();
            waker.wake_by_ref();
            assert!(task.is_finished() && waker.clone().will_wake(&waker));
            waker.wake();
            let joined = pin!(task).poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(joined, Poll::Ready(Err(error)) if error.is_cancelled()));
        }
    }
}

#[test]
fn tasks_and_wakers_outlive_ten_thousand_runtimes() {
    outlive(10_000, || Builder::new_current_thread().build().unwrap());
    outlive(OFTEN, || {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).build().unwrap()
    });
}

/// How often something is made and dropped, so that a thread that is late shows.
const OFTEN: usize = 100;

#[test]
fn no_thread_holds_a_runtime_that_was_dropped() {
    for _ in 0..OFTEN {
        let held = Arc::new(());
        let theirs = held.clone();
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).enable_all();
        let builder = builder.on_thread_start(move || _ = Arc::strong_count(&theirs));
        let runtime = builder.build().unwrap();
        builder.on_thread_start(|| ());
        runtime.block_on(async { spawn(async {}).await.unwrap() });
        drop(runtime);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

/// Needs more than 256 KiB of stack where it is woken.
struct Deep(mpsc::Sender<Option<String>>);

impl Wake for Deep {
    fn wake(self: Arc<Self>) {
        let room = std::hint::black_box([1_u8; 1 << 18]);
        assert_eq!(room.iter().map(|one| u32::from(*one)).sum::<u32>(), 1 << 18);
        let name = thread::current().name().map(str::to_owned);
        self.0.send(name).unwrap();
    }
}

/// Drops a runtime where it is woken. Says so before, and with the name of the thread afterwards.
struct Dropper {
    runtime: Mutex<Option<Runtime>>,
    begins: mpsc::Sender<()>,
    has_dropped: mpsc::Sender<Option<String>>,
}

impl Wake for Dropper {
    fn wake(self: Arc<Self>) {
        self.begins.send(()).unwrap();
        drop(self.runtime.lock().unwrap().take());
        let name = thread::current().name().map(str::to_owned);
        self.has_dropped.send(name).unwrap();
    }
}

const LIMIT: Duration = Duration::from_secs(60);

/// Has the monitor of the runtime call `waker`, while a worker is stuck until `begun` says so.
fn wake_by_monitor<T: Send + 'static>(handle: &Handle, waker: Waker, begun: mpsc::Receiver<T>) {
    handle.spawn(async move {
        let mut sleep = Box::pin(yamanote_base::hooks::sleep(Duration::from_millis(1)));
        let polled = sleep.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        // Nobody but the monitor sees to this worker's timers meanwhile.
        begun.recv_timeout(LIMIT).unwrap();
    });
}

#[test]
fn a_waker_that_the_monitor_calls_may_drop_the_runtime() {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    let handle = runtime.handle().clone();
    let ((begins, begun), (has_dropped, dropped)) = (mpsc::channel(), mpsc::channel());
    let waker = Waker::from(Arc::new(Dropper {
        runtime: Mutex::new(Some(runtime)),
        begins,
        has_dropped,
    }));
    wake_by_monitor(&handle, waker, begun);
    let name = dropped.recv_timeout(LIMIT).unwrap();
    assert_eq!(name.as_deref(), Some("yamanote-monitor"));
}

#[test]
fn a_waker_that_the_monitor_calls_has_as_much_stack_as_elsewhere() {
    let mut builder = Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    let ((tells, told), (go, gate)) = (mpsc::channel(), mpsc::channel());
    let waker = Waker::from(Arc::new(Deep(tells)));
    wake_by_monitor(runtime.handle(), waker, gate);
    let name = told.recv_timeout(LIMIT).unwrap();
    assert_eq!(name.as_deref(), Some("yamanote-monitor"));
    go.send(()).unwrap();
}
