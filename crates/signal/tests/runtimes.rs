//! Signals that several runtimes listen to, and bursts of them.
#![cfg(unix)]

use std::process::Command;
use std::task::{Context, Waker};
use std::thread;

use yamanote_runtime::{Builder, Runtime};
use yamanote_signal::unix::{SignalKind, signal};

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn kill_self(name: &str, times: usize) {
    let script = format!("kill -s {name} $0;").repeat(times);
    let own = std::process::id().to_string();
    let status = Command::new("sh").args(["-c", &script, &own]).status();
    assert!(status.unwrap().success());
}

#[test]
fn each_of_several_runtimes_hears_a_signal() {
    let (listens, listening) = std::sync::mpsc::channel();
    let runtimes = [(); 3].map(|()| {
        let listens = listens.clone();
        thread::spawn(move || {
            single().block_on(async {
                let mut hangup = signal(SignalKind::hangup()).unwrap();
                listens.send(()).unwrap();
                hangup.recv().await.unwrap();
            });
        })
    });
    for _ in 0..3 {
        listening.recv().unwrap();
    }
    kill_self("HUP", 1);
    for runtime in runtimes {
        runtime.join().unwrap();
    }
}

#[test]
fn a_burst_may_count_as_one_but_never_as_none() {
    single().block_on(async {
        let mut burst = signal(SignalKind::user_defined1()).unwrap();
        for _ in 0..20 {
            kill_self("USR1", 50);
            burst.recv().await.unwrap();
        }
    });
}

#[test]
fn a_listener_of_one_runtime_may_be_polled_in_another() {
    let owner = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let entered = owner.enter();
    let mut alarm = signal(SignalKind::alarm()).unwrap();
    drop(entered);
    single().block_on(async {
        kill_self("ALRM", 1);
        alarm.recv().await.unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(alarm.poll_recv(&mut cx).is_pending());
    });
}

#[test]
fn every_kind_can_be_listened_to_but_those_that_cannot() {
    let runtime = single();
    let _entered = runtime.enter();
    let kinds = [
        SignalKind::child(),
        SignalKind::interrupt(),
        SignalKind::io(),
        SignalKind::pipe(),
        SignalKind::quit(),
        SignalKind::terminate(),
        SignalKind::user_defined2(),
        SignalKind::window_change(),
    ];
    for kind in kinds {
        drop(signal(kind).unwrap());
        assert_eq!(SignalKind::from_raw(kind.as_raw_value()), kind);
    }
    for forbidden in [-1, 0, 4, 8, 9, 11] {
        let refused = signal(SignalKind::from_raw(forbidden)).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::Other);
    }
}

#[test]
fn who_listens_in_a_runtime_that_has_ended_is_told() {
    let runtime = single();
    let handle = runtime.handle().clone();
    drop(runtime);
    let _entered = handle.enter();
    let error = signal(SignalKind::hangup()).unwrap_err();
    assert_eq!(error.to_string(), "signal driver gone");
}
