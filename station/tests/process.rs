//! The program as a process: killed in the middle of writes, short of descriptors, short of space.

#![cfg(unix)]

mod common;

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{Scratch, ask};
use hyper::{Method, StatusCode};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A station that runs as a child, and what it says.
struct Station {
    child: Child,
    said: BufReader<ChildStdout>,
    addr: SocketAddr,
}

impl Station {
    /// Starts it under limits: arguments of the shell's `ulimit`, none if empty.
    fn start(data: &Path, limits: &str) -> Self {
        let program = env!("CARGO_BIN_EXE_station");
        let script = if limits.is_empty() {
            "exec \"$0\" \"$@\"".to_owned()
        } else {
            // The signal of the size limit is ignored, so that the write fails as on a full disk.
            format!("trap '' XFSZ; ulimit {limits}; exec \"$0\" \"$@\"")
        };
        let mut child = Command::new("sh")
            .args(["-c", &script, program, "--addr", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let addr = loop {
            let mut line = String::new();
            assert!(
                said.read_line(&mut line).unwrap() > 0,
                "it ended before it served"
            );
            if let Some((_, rest)) = line.split_once("http://") {
                break rest.split_whitespace().next().unwrap().parse().unwrap();
            }
        };
        Self { child, said, addr }
    }

    /// Kills it as `kill -9` does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn killed_in_the_middle_it_has_every_acknowledged_write() {
    let scratch = Scratch::new();
    for round in 0..3 {
        let station = Station::start(scratch.path(), "");
        let addr = station.addr;
        let acknowledged = Arc::new(AtomicU64::new(0));
        let mut clients = JoinSet::new();
        for client in 0..8 {
            clients.spawn(write_until_killed(
                addr,
                round,
                client,
                Arc::clone(&acknowledged),
            ));
        }
        // Relaxed: a number to wait for, nothing is read behind it.
        while acknowledged.load(Ordering::Relaxed) < 400 {
            tokio::task::yield_now().await;
        }
        station.kill();
        let written: Vec<(String, u32)> = clients.join_all().await;
        let station = Station::start(scratch.path(), "");
        for (client, last) in written {
            for number in 0..last {
                let path = format!("/kv/{client}-{number}");
                let (status, value) = ask(station.addr, Method::GET, &path, "").await.unwrap();
                assert_eq!(
                    (status, value),
                    (StatusCode::OK, number.to_string()),
                    "{path}"
                );
            }
        }
    }
}

/// Writes one key after another and returns how many were acknowledged before the end.
async fn write_until_killed(
    addr: SocketAddr,
    round: u32,
    client: u32,
    acknowledged: Arc<AtomicU64>,
) -> (String, u32) {
    let name = format!("{round}-{client}");
    for number in 0.. {
        let path = format!("/kv/{name}-{number}");
        match ask(addr, Method::PUT, &path, &number.to_string()).await {
            Ok((StatusCode::CREATED, _)) => acknowledged.fetch_add(1, Ordering::Relaxed),
            _ => return (name, number),
        };
    }
    unreachable!("it is killed before the numbers end")
}

#[tokio::test]
async fn asked_to_stop_it_drains_and_says_so() {
    let scratch = Scratch::new();
    let mut station = Station::start(scratch.path(), "");
    let put = ask(station.addr, Method::PUT, "/kv/a", "1").await.unwrap();
    assert_eq!(put.0, StatusCode::CREATED);
    let id = station.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    let rest: Vec<String> = (&mut station.said).lines().map(Result::unwrap).collect();
    assert_eq!(rest, ["station: draining", "station: stopped"]);
    assert!(station.child.wait().unwrap().success());
}

#[tokio::test]
async fn out_of_descriptors_it_goes_on_when_there_are_some_again() {
    let scratch = Scratch::new();
    let station = Station::start(scratch.path(), "-n 40");
    let mut held = Vec::new();
    for _ in 0..60 {
        // The queue of the listener takes those that cannot be accepted yet.
        held.push(TcpStream::connect(station.addr).await.unwrap());
    }
    let process = format!("/proc/{}", station.child.id());
    let open = || std::fs::read_dir(format!("{process}/fd")).unwrap().count();
    while open() < 40 || !is_at_rest(&process) {
        tokio::task::yield_now().await;
    }
    drop(held);
    let (status, stats) = ask(station.addr, Method::GET, "/stats", "").await.unwrap();
    assert_eq!(status, StatusCode::OK);
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    assert!(stats["accept_errors"].as_u64().unwrap() > 0, "{stats}");
    let put = ask(station.addr, Method::PUT, "/kv/a", "1").await.unwrap();
    assert_eq!(put.0, StatusCode::CREATED);
}

#[tokio::test]
async fn a_file_that_may_not_grow_is_507_and_loses_nothing() {
    let scratch = Scratch::new();
    // In blocks of 512 bytes: the log may have 64 KiB.
    let station = Station::start(scratch.path(), "-f 128");
    let value = "v".repeat(1000);
    let mut acknowledged = 0;
    loop {
        let path = format!("/kv/{acknowledged}");
        match ask(station.addr, Method::PUT, &path, &value).await.unwrap() {
            (StatusCode::CREATED, _) => acknowledged += 1,
            (status, said) => {
                assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{said}");
                break;
            }
        }
        assert!(acknowledged < 200, "the limit does not hold");
    }
    // What still fits is still written.
    let (status, said) = ask(station.addr, Method::PUT, "/kv/small", "1")
        .await
        .unwrap();
    assert_eq!(status, StatusCode::CREATED, "{said}");
    station.kill();
    let station = Station::start(scratch.path(), "");
    for number in 0..acknowledged {
        let (_, got) = ask(station.addr, Method::GET, &format!("/kv/{number}"), "")
            .await
            .unwrap();
        assert_eq!(got, value);
    }
    let (_, got) = ask(station.addr, Method::GET, "/kv/small", "")
        .await
        .unwrap();
    assert_eq!(got, "1");
}

/// Whether all threads of the process sleep: then it has tried to accept who waits.
fn is_at_rest(process: &str) -> bool {
    let threads = std::fs::read_dir(format!("{process}/task")).unwrap();
    threads.flatten().all(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        let state = stat.rsplit(") ").next();
        state.is_none_or(|state| state.starts_with('S'))
    })
}
