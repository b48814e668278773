//! A lookup that has begun cannot be ended, but nobody waits for it who does not have to.
//!
//! What hangs is the C library itself: it reads a list of aliases, which is a FIFO here. That can
//! be asked for in the environment alone, so each test runs once more, in a process of its own.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{env, thread};

use yamanote_net::lookup_host;
use yamanote_net::unix::pipe;
use yamanote_runtime::{Builder, Runtime};

/// Where the C library finds its list of aliases.
const ALIASES: &str = "HOSTALIASES";

/// Runs the test of this name in a process whose lookups hang; true in that process.
fn in_process_with_hanging_lookups(name: &str) -> bool {
    if env::var_os(ALIASES).is_some() {
        return true;
    }
    let folder = format!("{name}-{}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let fifo = folder.join("aliases");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ALIASES, fifo)
        // What comes after the aliases is to fail soon.
        .env("RES_OPTIONS", "timeout:1 attempts:1")
        .status();
    std::fs::remove_dir_all(folder).unwrap();
    assert!(status.unwrap().success());
    false
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

async fn ask() {
    drop(lookup_host(("an-alias", 80)).await);
}

/// Waits until a lookup hangs in the C library, which it does until `release`.
fn wait_until_it_hangs(runtime: &Runtime, has_ended: impl Fn() -> bool) -> pipe::Sender {
    let fifo = env::var_os(ALIASES).unwrap();
    let _entered = runtime.enter();
    loop {
        // It is opened as soon as somebody reads.
        match pipe::OpenOptions::new().open_sender(&fifo) {
            Ok(sender) => return sender,
            Err(_) => thread::yield_now(),
        }
        assert!(!has_ended(), "it was looked up without aliases");
    }
}

/// Lets the lookup end; it finds no list when it looks for one again.
fn release(sender: pipe::Sender) {
    std::fs::remove_file(env::var_os(ALIASES).unwrap()).unwrap();
    drop(sender);
}

#[test]
fn neither_who_asked_nor_a_shutdown_with_a_limit_waits_for_the_lookup() {
    let name = "neither_who_asked_nor_a_shutdown_with_a_limit_waits_for_the_lookup";
    if !in_process_with_hanging_lookups(name) {
        return;
    }
    let hangs = runtime();
    let asked = hangs.spawn(ask());
    let sender = wait_until_it_hangs(&hangs, || asked.is_finished());
    asked.abort();
    // If either waited for the lookup, nobody would come to release it.
    assert!(runtime().block_on(asked).unwrap_err().is_cancelled());
    hangs.shutdown_timeout(Duration::from_millis(20));
    release(sender);
}

#[test]
fn a_shutdown_in_the_background_does_not_wait_for_the_lookup() {
    let name = "a_shutdown_in_the_background_does_not_wait_for_the_lookup";
    if !in_process_with_hanging_lookups(name) {
        return;
    }
    let hangs = runtime();
    let asked = hangs.spawn(ask());
    let sender = wait_until_it_hangs(&hangs, || asked.is_finished());
    hangs.shutdown_background();
    assert!(runtime().block_on(asked).unwrap_err().is_cancelled());
    release(sender);
}

#[test]
fn a_runtime_that_is_dropped_waits_for_the_lookup() {
    if !in_process_with_hanging_lookups("a_runtime_that_is_dropped_waits_for_the_lookup") {
        return;
    }
    static RELEASED: AtomicBool = AtomicBool::new(false);
    let hangs = runtime();
    let asked = hangs.spawn(ask());
    let sender = wait_until_it_hangs(&hangs, || asked.is_finished());
    let releasing = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        RELEASED.store(true, Ordering::Relaxed);
        release(sender);
    });
    drop(hangs);
    assert!(RELEASED.load(Ordering::Relaxed));
    releasing.join().unwrap();
}
