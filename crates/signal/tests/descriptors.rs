//! What listens where the system has no descriptors left: in a process of its own.
#![cfg(unix)]

use std::fs::File;
use std::process::Command;

use yamanote_runtime::{Builder, Runtime};
use yamanote_signal::unix::{SignalKind, signal};

/// Says that this is the process with few descriptors.
const ALONE: &str = "YAMANOTE_TEST_ALONE";

/// Whether this process is the one for the test `name`; else the test is run there.
fn is_alone(name: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let own = std::env::current_exe().unwrap();
    let output = Command::new("sh")
        .args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""])
        .arg(own)
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    false
}

fn kill_self(name: &str) {
    let own = std::process::id().to_string();
    let status = Command::new("kill").args(["-s", name, &own]).status();
    assert!(status.unwrap().success());
}

fn single() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn who_has_listened_can_listen_anew_without_descriptors() {
    if !is_alone("who_has_listened_can_listen_anew_without_descriptors") {
        return;
    }
    single().block_on(async {
        drop(signal(SignalKind::hangup()).unwrap());
        let mut hoard = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            hoard.push(file);
            assert!(hoard.len() < 100, "the limit holds");
        }
        let mut again = signal(SignalKind::hangup()).unwrap();
        let mut other = signal(SignalKind::user_defined1()).unwrap();
        drop(hoard);
        kill_self("HUP");
        again.recv().await.unwrap();
        kill_self("USR1");
        other.recv().await.unwrap();
    });
}

#[test]
fn a_runtime_that_is_gone_leaves_no_descriptors() {
    if !is_alone("a_runtime_that_is_gone_leaves_no_descriptors") {
        return;
    }
    // More than there are descriptors for.
    for _ in 0..100 {
        let runtime = single();
        let entered = runtime.enter();
        let listener = signal(SignalKind::hangup()).unwrap();
        runtime.block_on(async {
            yamanote_runtime::yield_now().await;
        });
        drop(entered);
        drop(runtime);
        drop(listener);
    }
}
