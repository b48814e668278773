//! Child processes on Windows: each is a `cmd`.
#![cfg(windows)]

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

#[tokio::test]
async fn a_child_ends_with_its_status() {
    let mut child = Command::new("cmd").args(["/c", "exit 7"]).spawn().unwrap();
    assert!(child.id().is_some());
    assert_eq!(child.wait().await.unwrap().code(), Some(7));
    assert_eq!(child.wait().await.unwrap().code(), Some(7));
    assert!(child.id().is_none() && child.raw_handle().is_none());
}

#[tokio::test]
async fn what_a_child_writes_is_collected() {
    let output = Command::new("cmd")
        .raw_arg("/c echo out & echo err 1>&2")
        .output()
        .await
        .unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout.trim_ascii(), b"out");
    assert_eq!(output.stderr.trim_ascii(), b"err");
}

#[tokio::test]
async fn a_child_that_reads_is_killed() {
    let mut child = Command::new("cmd")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Its input stays open: it would wait for ever.
    let input = child.stdin.take();
    let wait = tokio::time::timeout(Duration::from_millis(50), child.wait());
    assert!(wait.await.is_err());
    child.kill().await.unwrap();
    drop(input);
}

#[tokio::test]
async fn a_child_reads_what_is_written_to_it() {
    let mut child = Command::new("cmd")
        .args(["/q", "/d"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"echo spoken\r\nexit\r\n").await.unwrap();
    input.flush().await.unwrap();
    // Wine's `cmd` ends with its input only.
    drop(input);
    let mut said = String::new();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut said).await.unwrap();
    assert!(said.contains("spoken"), "{said}");
    assert!(child.wait().await.unwrap().success());
}
