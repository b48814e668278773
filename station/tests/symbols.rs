//! What is shipped has nothing of the simulation in it.

#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The functions of the C library that the feature `sim` stands in for.
const OVERRIDDEN: [&str; 29] = [
    "accept",
    "accept4",
    "bind",
    "clock_gettime",
    "clock_nanosleep",
    "connect",
    "freeaddrinfo",
    "getaddrinfo",
    "getentropy",
    "gethostname",
    "getpid",
    "getrandom",
    "getsockname",
    "gettimeofday",
    "listen",
    "nanosleep",
    "pthread_create",
    "recv",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "sched_getaffinity",
    "send",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "syscall",
    "sysconf",
    "time",
];

/// Words by which a report names what a task waits for.
const WAITS: [&str; 3] = [
    "mpsc: a message",
    "oneshot: the value",
    "JoinSet: the end of a task",
];

/// Those that `program` defines for itself and the libraries it uses.
fn overridden(program: &Path) -> Vec<String> {
    let listed = Command::new("nm")
        .args(["--dynamic", "--defined-only", "--format=posix"])
        .arg(program)
        .output()
        .expect("nm comes with the linker");
    assert!(listed.status.success(), "{listed:?}");
    let text = String::from_utf8(listed.stdout).unwrap();
    let names = text
        .lines()
        .filter_map(|line| line.split(['@', ' ']).next());
    let names = names.filter(|name| OVERRIDDEN.contains(name));
    names.map(str::to_owned).collect()
}

/// The program built by itself, as it is shipped.
fn built_alone() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alone");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--locked",
            "--package",
            "station",
            "--bin",
            "station",
            "--target-dir",
        ])
        .arg(&folder)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    assert!(status.success());
    folder.join("debug/station")
}

/// What `program` would say of tasks that wait.
fn waits(program: &Path) -> Vec<&'static str> {
    let program = std::fs::read(program).unwrap();
    let has = |word: &str| {
        program
            .windows(word.len())
            .any(|part| part == word.as_bytes())
    };
    WAITS.into_iter().filter(|word| has(word)).collect()
}

#[test]
fn the_program_has_nothing_of_the_simulation() {
    let here = PathBuf::from(env!("CARGO_BIN_EXE_station"));
    // Built together with tests that ask for the feature, it has the feature too.
    let is_mixed = !overridden(&here).is_empty();
    assert_eq!(waits(&here).is_empty(), !is_mixed);
    let program = if is_mixed { built_alone() } else { here };
    assert_eq!(overridden(&program), [""; 0]);
    assert_eq!(waits(&program), [""; 0]);
}
