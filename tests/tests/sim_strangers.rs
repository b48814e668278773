//! Threads that are not the world's: what waits for one is not deadlocked as long as it may come,
//! and a test that waits for one on the world's own thread ends with a report.
//! Only on Linux a world is told of a thread.

#![cfg(target_os = "linux")]

use std::process::{Command, Output};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::sim::Sim;
use tokio::sync::oneshot;

/// Set in the process in which a test does what it otherwise does not.
const CHILD: &str = "SIM_STRANGERS_CHILD";

/// Runs a test of this file in a process of its own, in which `YAMANOTE_SIM` is set.
fn simulated(test: &str) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test]).env("YAMANOTE_SIM", "1");
    child.env(CHILD, "1").output().unwrap()
}

/// What comes from a thread of std, which takes its time.
fn from_a_thread() -> oneshot::Receiver<u32> {
    let (sender, receiver) = oneshot::channel();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        sender.send(5)
    });
    receiver
}

#[tokio::test]
async fn a_plain_test_that_waits_for_a_thread() {
    assert_eq!(from_a_thread().await, Ok(5));
}

#[test]
fn a_plain_test_in_a_world_waits_for_a_thread() {
    let output = simulated("a_plain_test_that_waits_for_a_thread");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_test_that_blocks_its_world() {
    if std::env::var_os(CHILD).is_some() {
        let (_sender, receiver) = mpsc::channel::<()>();
        tokio::task::block_in_place(|| receiver.recv()).unwrap_err();
    }
}

#[test]
fn a_plain_test_that_blocks_its_world_ends_with_a_report() {
    let output = simulated("a_plain_test_that_blocks_its_world");
    assert_eq!(output.status.code(), Some(101));
    let said = String::from_utf8_lossy(&output.stderr);
    let report = "a_plain_test_that_blocks_its_world failed, and with it its process: a poll that \
                  does not end: no step for long in real time";
    assert!(said.contains(report), "{said}");
}

#[test]
fn a_world_waits_for_a_thread_that_was_made_in_it_but_not_for_ever() {
    let sim = Sim::new(1);
    assert_eq!(sim.run(async { from_a_thread().await }).unwrap(), Ok(5));
    let (_kept, never) = oneshot::channel::<u32>();
    let error = sim.run(never).unwrap_err();
    assert!(error.to_string().contains("deadlock"), "{error}");
}
