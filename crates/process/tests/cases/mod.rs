//! What children do, whichever way their ends are noticed.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use yamanote_io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use yamanote_process::{Child, ChildStdin, Command};
use yamanote_runtime::{Builder, Runtime, yield_now};

#[cfg(target_os = "linux")]
mod alone;

fn single() -> Runtime {
    crate::choose_the_watch();
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn several() -> Runtime {
    crate::choose_the_watch();
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

fn sh(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).stdin(Stdio::null());
    command
}

/// Whether the system still has the process, as a zombie or alive.
fn exists(pid: u32) -> bool {
    let mut kill = std::process::Command::new("sh");
    kill.args(["-c", &format!("kill -0 {pid}")]);
    kill.stderr(Stdio::null()).status().unwrap().success()
}

/// Lets the runtime turn until `is_so`.
async fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it takes too long"
        );
        yield_now().await;
    }
}

#[test]
fn a_child_ends_as_it_says() {
    for runtime in [single(), several()] {
        runtime.block_on(async {
            assert_eq!(sh("exit 7").status().await.unwrap().code(), Some(7));
            let killed = sh("kill -TERM $$").status().await.unwrap();
            assert_eq!((killed.code(), killed.signal()), (None, Some(15)));
            let mut child = sh("exec sleep 100").spawn().unwrap();
            assert!(child.try_wait().unwrap().is_none());
            child.start_kill().unwrap();
            assert_eq!(child.wait().await.unwrap().signal(), Some(9));
            assert_eq!(child.id(), None);
            child.start_kill().unwrap();
        });
    }
}

#[test]
fn a_child_that_ends_before_it_is_waited_for_is_found() {
    single().block_on(async {
        let mut child = sh("echo out").stdout(Stdio::piped()).spawn().unwrap();
        let mut out = String::new();
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_to_string(&mut out).await.unwrap();
        until(|| child.try_wait().unwrap().is_some()).await;
        assert!(child.wait().await.unwrap().success());
    });
}

#[test]
fn long_outputs_are_collected_while_the_input_is_still_written() {
    for runtime in [single(), several()] {
        let script = "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero; wc -c";
        let mut command = sh(script);
        command.stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        runtime.block_on(async {
            let mut child = command.spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            let writer = yamanote_runtime::spawn(async move {
                stdin.write_all(&[b'x'; 1_000_000]).await.unwrap();
            });
            let output = child.wait_with_output().await.unwrap();
            writer.await.unwrap();
            assert_eq!(output.stderr.len(), 3_000_000);
            let (zeros, count) = output.stdout.split_at(3_000_000);
            assert!(zeros.iter().all(|byte| *byte == 0));
            assert_eq!(String::from_utf8_lossy(count).trim(), "1000000");
        });
    }
}

#[test]
fn a_child_that_closes_its_input_early_is_an_error_of_the_write() {
    single().block_on(async {
        let mut command = sh("exec 0<&-; echo closed; exec sleep 100");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "closed");
        let mut stdin = child.stdin.take().unwrap();
        // A child of another test may have it open, too, until it has become another program.
        let error = loop {
            if let Err(error) = stdin.write_all(b"too late").await {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        // One that goes while a write waits for room.
        let mut command = Command::new("sleep");
        command.arg("100").stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let writer = yamanote_runtime::spawn(async move { stdin.write_all(&[0; 1 << 20]).await });
        yield_now().await;
        child.kill().await.unwrap();
        let error = writer.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn what_cannot_be_run_is_an_error_of_the_spawn() {
    single().block_on(async {
        let kind_of = |command: &mut Command| command.spawn().unwrap_err().kind();
        let mut missing = Command::new("/nowhere/at/all");
        assert_eq!(kind_of(&mut missing), ErrorKind::NotFound);
        assert_eq!(
            missing.status().await.unwrap_err().kind(),
            ErrorKind::NotFound
        );
        assert_eq!(
            missing.output().await.unwrap_err().kind(),
            ErrorKind::NotFound
        );
        let mut homeless = sh("true");
        homeless.current_dir("/nowhere/at/all");
        assert_eq!(kind_of(&mut homeless), ErrorKind::NotFound);
        let mut folder = Command::new("/tmp");
        assert_eq!(kind_of(&mut folder), ErrorKind::PermissionDenied);
        assert!(sh("true").status().await.unwrap().success());
    });
}

#[test]
fn a_group_of_processes_is_ended_together() {
    single().block_on(async {
        let mut command = sh("sleep 100 & echo $!; wait");
        command.process_group(0).stdout(Stdio::piped());
        let mut leader = command.spawn().unwrap();
        let pid = leader.id().unwrap();
        let mut lines = BufReader::new(leader.stdout.take().unwrap()).lines();
        let grandchild = lines.next_line().await.unwrap().unwrap();
        let grandchild: u32 = grandchild.parse().unwrap();
        let mut joins = sh("exec sleep 100");
        let group = i32::try_from(pid).unwrap();
        let mut second = joins.process_group(group).spawn().unwrap();
        let killed = sh(&format!("kill -KILL -{pid}")).status().await.unwrap();
        assert!(killed.success());
        assert_eq!(leader.wait().await.unwrap().signal(), Some(9));
        assert_eq!(second.wait().await.unwrap().signal(), Some(9));
        // Its end closes the pipe; who waits for it is not our concern.
        assert_eq!(lines.next_line().await.unwrap(), None);
        assert_ne!(grandchild, pid);
    });
}

#[test]
fn a_child_that_is_dropped_is_waited_for() {
    for runtime in [single(), several()] {
        runtime.block_on(async {
            let (child, pid, stdin) = reads_a_line();
            drop(child);
            assert!(exists(pid), "it goes on");
            drop(stdin);
            until(|| !exists(pid)).await;
            let killed = sh("exec sleep 100").kill_on_drop(true).spawn().unwrap();
            let pid = killed.id().unwrap();
            drop(killed);
            until(|| !exists(pid)).await;
        });
    }
}

/// A child that reads a line, its number, and what keeps it waiting.
fn reads_a_line() -> (Child, u32, ChildStdin) {
    let mut child = sh("read line").stdin(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    let pid = child.id().unwrap();
    (child, pid, stdin)
}

#[test]
fn children_outlive_their_runtime_and_are_found_by_the_next_spawn() {
    for runtime in [single(), several()] {
        let entered = runtime.enter();
        let (mut held, _, keeps_held) = reads_a_line();
        let (dropped, orphan, keeps_orphan) = reads_a_line();
        drop(dropped);
        let mut killed = sh("exec sleep 100").kill_on_drop(true).spawn().unwrap();
        let with_the_task = killed.id().unwrap();
        runtime.spawn(async move { killed.wait().await });
        drop(entered);
        drop(runtime);
        drop((keeps_held, keeps_orphan));
        single().block_on(async {
            assert_eq!(held.wait().await.unwrap().code(), Some(1));
            until_found(&[orphan, with_the_task]).await;
        });
    }
}

/// Spawns children until those that nobody watches have been waited for.
async fn until_found(orphans: &[u32]) {
    let begun = Instant::now();
    while orphans.iter().any(|orphan| exists(*orphan)) {
        assert!(begun.elapsed() < Duration::from_secs(60), "a zombie stays");
        assert!(sh("true").status().await.unwrap().success());
    }
}

/// Polls once for the end of `child`.
fn poll_wait(child: &mut Child, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
    let wait = std::pin::pin!(child.wait());
    wait.poll(cx).map(drop)
}

#[test]
fn the_program_and_its_surroundings_are_what_was_asked_for() {
    single().block_on(async {
        let mut command = sh("echo $0 $ONE $TWO $(pwd)");
        command.arg("named").env("ONE", "1").envs([("TWO", "2")]);
        let output = command.current_dir(Path::new("/")).output().await.unwrap();
        assert_eq!(output.stdout, b"named 1 2 /\n");
        command.env_remove("ONE");
        let output = command.output().await.unwrap();
        assert_eq!(output.stdout, b"named 2 /\n");
        let path = std::env::temp_dir().join(format!("yamanote-child-{}", std::process::id()));
        let file = fs::File::create(&path).unwrap();
        assert!(
            sh("echo kept")
                .stdout(file)
                .status()
                .await
                .unwrap()
                .success()
        );
        assert_eq!(fs::read(&path).unwrap(), b"kept\n");
        fs::remove_file(&path).unwrap();
    });
}
