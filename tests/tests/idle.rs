//! A runtime that has nothing to do costs nothing: none of its threads runs. Nor does a worker
//! that has nothing to do beside one that has.
#![cfg(target_os = "linux")]

use std::time::Duration;
use std::{fs, io, thread};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;

/// For so long nobody is to run.
const STILL: Duration = Duration::from_millis(500);
/// Threads may linger for a while after the last work: so often it is looked whether they do.
const LOOKS: u32 = 10;
/// What waits.
const WAITING: usize = 50;
/// What is answered, one after the other.
const REQUESTS: u64 = 200;

/// How often threads of this process went to sleep, or were sent off.
fn switches() -> io::Result<u64> {
    let mut switches = 0;
    for task in fs::read_dir("/proc/self/task")? {
        let status = fs::read_to_string(task?.path().join("status"))?;
        switches += status
            .lines()
            .filter_map(|line| line.split_once("voluntary_ctxt_switches:"))
            .filter_map(|(_, count)| count.trim().parse::<u64>().ok())
            .sum::<u64>();
    }
    Ok(switches)
}

/// How often others than the caller switched while it slept.
fn switches_in_a_while() -> io::Result<u64> {
    let before = switches()?;
    thread::sleep(STILL);
    // The caller's own sleep is one.
    Ok(switches()?.abs_diff(before + 1))
}

/// A connection that has been spoken on, and is silent from then on.
async fn converse(listener: &TcpListener) -> io::Result<[TcpStream; 2]> {
    let (client, server) = tokio::join!(
        TcpStream::connect(listener.local_addr()?),
        listener.accept()
    );
    let (mut client, (mut server, _)) = (client?, server?);
    client.write_all(b"here").await?;
    server.read_exact(&mut [0; 4]).await?;
    Ok([client, server])
}

/// Tasks that wait for sockets, timers and messages, after each kind of work was done once.
async fn wait_for_all_sorts() -> io::Result<JoinSet<()>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut waiting = JoinSet::new();
    for _ in 0..WAITING {
        let [mut client, mut server] = converse(&listener).await?;
        waiting.spawn(async move { drop(client.read_u8().await) });
        waiting.spawn(async move { drop(server.read_u8().await) });
        waiting.spawn(tokio::time::sleep(Duration::from_secs(3600)));
        waiting.spawn(std::future::pending());
    }
    tokio::task::spawn_blocking(|| ()).await?;
    tokio::task::yield_now().await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    Ok(waiting)
}

#[test]
fn runtimes_that_have_nothing_to_do_do_not_run() {
    let several = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let one = Builder::new_current_thread().enable_all().build().unwrap();
    let handle: Handle = one.handle().clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let driving = thread::spawn(move || one.block_on(stopped));
    let waiting = [several.handle(), &handle].map(|runtime| {
        let begun = runtime.spawn(wait_for_all_sorts());
        several.block_on(begun).unwrap().unwrap()
    });

    let looks: Vec<u64> = (0..LOOKS)
        .map(|_| switches_in_a_while().unwrap())
        .take_while(|switches| *switches > 0)
        .collect();
    assert!(
        looks.len() < LOOKS as usize,
        "in each while threads ran so often: {looks:?}"
    );
    assert!(waiting.iter().all(|tasks| tasks.len() == 4 * WAITING));
    drop(stop);
    driving.join().unwrap().unwrap_err();
}

/// Answers each byte after it has begun to wait on a socket of its own for it.
async fn answer_after_registering(mut stream: TcpStream) -> io::Result<()> {
    let mut sockets = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        let silent = socket.try_recv(&mut [0]).unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::WouldBlock);
        let waits = tokio::time::timeout(Duration::ZERO, socket.readable()).await;
        assert!(waits.is_err(), "nobody speaks to it");
        sockets.push(socket);
        stream.write_u8(byte).await?;
    }
    Ok(())
}

#[test]
fn a_worker_that_registers_a_socket_calls_no_other() {
    use std::io::{Read, Write};
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    server.set_nonblocking(true).unwrap();
    let answering =
        runtime.spawn(async { answer_after_registering(TcpStream::from_std(server)?).await });
    let metrics = runtime.metrics();
    let parks = || [0, 1].map(|worker| metrics.worker_park_count(worker));
    let before = parks();
    for _ in 0..REQUESTS {
        client.write_all(&[1]).unwrap();
        client.read_exact(&mut [0]).unwrap();
    }
    let after = parks();
    drop(client);
    runtime.block_on(answering).unwrap().unwrap();
    let slept = [0, 1].map(|worker: usize| after[worker] - before[worker]);
    assert!(
        slept.iter().sum::<u64>() >= REQUESTS,
        "one has answered: {slept:?}"
    );
    // The other is called where an answer takes long.
    assert!(
        slept.iter().any(|slept| *slept < REQUESTS / 2),
        "both woke up: {slept:?}"
    );
}
