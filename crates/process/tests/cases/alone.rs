//! Tests that count what their whole process has: each runs itself as a process of its own.

use std::fs::{self, File};
use std::future::poll_fn;
use std::io;
use std::task::Poll;

use rustix::process::{Resource, getrlimit, setrlimit};

use super::*;
use yamanote_runtime::JoinSet;

/// Says that this is the process in which a test is alone.
const ALONE: &str = "YAMANOTE_TEST_ALONE";
const COUNT: usize = 10_000;
const AT_A_TIME: usize = 64;

/// Whether this process is for the test `name` alone; else it is run in such a one.
fn is_alone(name: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let name = format!("cases::alone::{name}");
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture", "--test-threads=1"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    false
}

fn limit(resource: Resource, most: u64) {
    let mut limits = getrlimit(resource);
    limits.current = Some(most);
    setrlimit(resource, limits).unwrap();
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The processes that this one has to wait for, running or zombies.
fn children() -> Vec<String> {
    let own = format!("/proc/{}/task", std::process::id());
    let tasks = fs::read_dir(own).unwrap();
    let lists = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")));
    let of_each = |list: io::Result<String>| {
        let list = list.unwrap_or_default();
        list.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    lists.flat_map(of_each).collect()
}

/// Spawns a child in one of several ways, and waits for it or does not.
async fn run_one(number: usize) {
    let mut quick = Command::new("true");
    match number % 8 {
        0 => drop(quick.spawn().unwrap()),
        1 => {
            let mut slow = Command::new("sleep");
            drop(slow.arg("1000").kill_on_drop(true).spawn().unwrap());
        }
        2 => assert!(quick.output().await.unwrap().status.success()),
        3 => {
            let mut child = quick.stdin(Stdio::piped()).spawn().unwrap();
            // Given up after one poll, then waited for.
            poll_fn(|cx| Poll::Ready(poll_wait(&mut child, cx).is_ready())).await;
            assert!(child.wait().await.unwrap().success());
        }
        _ => assert!(quick.status().await.unwrap().success()),
    }
}

async fn run_all(count: usize) {
    let mut running = JoinSet::new();
    for number in 0..count {
        if running.len() == AT_A_TIME {
            running.join_next().await.unwrap().unwrap();
        }
        running.spawn(run_one(number));
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    until(|| children().is_empty()).await;
}

#[test]
fn thousands_of_children_leave_nothing() {
    if !is_alone("thousands_of_children_leave_nothing") {
        return;
    }
    // What is there once the first signal listener has come and gone.
    single().block_on(run_one(4));
    let before = descriptors();
    for runtime in [single(), several()] {
        runtime.block_on(run_all(COUNT / 2));
        drop(runtime);
    }
    assert_eq!(descriptors(), before);
    assert!(children().is_empty());
}

#[test]
fn a_spawn_without_descriptors_fails_and_leaves_nothing() {
    if !is_alone("a_spawn_without_descriptors_fails_and_leaves_nothing") {
        return;
    }
    const EMFILE: i32 = 24;
    limit(Resource::Nofile, 64);
    single().block_on(async {
        // Whatever is made once, by the first spawn.
        assert!(sh("true").output().await.unwrap().status.success());
        let before = descriptors();
        let mut hoard = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            hoard.push(file);
            assert!(hoard.len() < 100, "the limit holds");
        }
        let mut outcomes = Vec::new();
        for _ in 0..24 {
            let spawned = Command::new("true")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn();
            outcomes.push(spawned.is_ok());
            match spawned {
                Ok(mut child) => assert!(child.wait().await.unwrap().success()),
                Err(error) => assert_eq!(error.raw_os_error(), Some(EMFILE), "{error}"),
            }
            until(|| no_child_is_left(&mut hoard)).await;
            hoard.pop();
        }
        assert!(!outcomes[0] && outcomes[23], "{outcomes:?}");
        hoard.clear();
        assert_eq!(descriptors(), before);
    });
}

/// [`children`] needs descriptors itself.
fn no_child_is_left(hoard: &mut Vec<File>) -> bool {
    let lent: Vec<_> = (0..4).filter_map(|_| hoard.pop()).collect();
    let count = lent.len();
    drop(lent);
    let is_empty = children().is_empty();
    hoard.extend((0..count).map(|_| File::open("/dev/null").unwrap()));
    is_empty
}

#[test]
fn a_spawn_beyond_the_limit_of_processes_is_an_error() {
    if !is_alone("a_spawn_beyond_the_limit_of_processes_is_an_error") {
        return;
    }
    const EAGAIN: i32 = 11;
    // The limit does not hold for root: a child that is somebody else meets it in exec(2).
    let is_root = rustix::process::getuid().is_root();
    limit(Resource::Nproc, 0);
    single().block_on(async {
        let mut command = Command::new("sleep");
        command.arg("100").kill_on_drop(true);
        let mut first = None;
        if is_root {
            // Somebody of whom no other process is, so that none counts towards the limit.
            let nobody_else = 10_000 + std::process::id() % 50_000;
            first = Some(command.uid(nobody_else).spawn().unwrap());
        }
        let error = command.spawn().unwrap_err();
        assert_eq!(error.raw_os_error(), Some(EAGAIN), "{error}");
        if is_root {
            drop(first);
            until(|| children().is_empty()).await;
            assert!(Command::new("true").status().await.unwrap().success());
        }
    });
}
