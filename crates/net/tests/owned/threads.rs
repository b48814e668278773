//! What is under way when another thread drives, when all is dropped elsewhere, and at the end.

use std::io::{Read, Write};
use std::pin::pin;
use std::sync::Arc;

use yamanote_net::owned::TcpStream;
use yamanote_runtime::{Builder, Runtime, spawn, spawn_blocking};

use crate::dropping::poll_once;
use crate::posts::{MUCH, marked};
use crate::{each_builder, each_way, pair, turns};

/// What `read` reads on a thread of its own, while this one drives.
fn read_while_driven(
    runtime: &Runtime,
    read: impl FnOnce() -> Vec<u8> + Send + 'static,
) -> Vec<u8> {
    let read = async { spawn_blocking(read).await };
    runtime.block_on(read).unwrap()
}

/// Echoes by posts until the peer ends.
async fn echo(mut stream: TcpStream) {
    while let Some(chunk) = stream.chunk().await.unwrap() {
        stream.post(chunk).await.unwrap();
    }
    stream.flush().await.unwrap();
}

#[test]
fn posts_and_receives_go_on_when_another_thread_drives() {
    each_way(|runtime| {
        let (mut client, server) = runtime.block_on(pair());
        let served = runtime.spawn(echo(server));
        for round in 0..20_u32 {
            let asked = vec![round as u8; 50_000];
            client.write_all(&asked).unwrap();
            // It drives for a while, and ends with what it has submitted under way.
            std::thread::scope(|scope| {
                scope.spawn(|| runtime.block_on(turns()));
            });
            let mut reader = client.try_clone().unwrap();
            let echoed = read_while_driven(runtime, move || {
                let mut echoed = vec![0; 50_000];
                reader.read_exact(&mut echoed).unwrap();
                echoed
            });
            assert!(echoed == asked);
        }
        drop(client);
        runtime.block_on(served).unwrap();
    });
}

#[test]
fn what_is_dropped_on_another_thread_ends_and_gives_its_buffers_back() {
    each_way(|runtime| {
        let mark = Arc::new(());
        for _ in 0..20 {
            let (mut client, mut server) = runtime.block_on(pair());
            runtime.block_on(async {
                assert!(poll_once(pin!(server.chunk())).await.is_none());
                // By readiness, all of it is under way as long as its future is.
                let _ = poll_once(pin!(server.post(marked(1, &mark)))).await;
                turns().await;
            });
            std::thread::scope(|scope| scope.spawn(|| drop(server)).join().unwrap());
            let read = read_while_driven(runtime, move || {
                let mut read = Vec::new();
                client.read_to_end(&mut read).unwrap();
                read
            });
            assert!(!read.is_empty() && read.len() < MUCH);
            assert_eq!(Arc::strong_count(&mark), 1, "no buffer is left");
        }
    });
}

#[test]
fn a_runtime_that_ends_gives_back_what_was_posted() {
    each_builder(end_while_posting);
}

fn end_while_posting(builder: &mut Builder) {
    let runtime = builder.build().unwrap();
    let mark = Arc::new(());
    let ends: Vec<_> = (0..8).map(|_| runtime.block_on(pair())).collect();
    let (mut clients, servers): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
    runtime.block_on(async {
        for mut server in servers {
            let mark = mark.clone();
            spawn(async move {
                // The second waits for the first, which is never read.
                server.post(marked(1, &mark)).await?;
                server.post(marked(2, &mark)).await
            });
        }
        turns().await;
    });
    drop(runtime);
    assert_eq!(Arc::strong_count(&mark), 1, "no buffer is left");
    for client in &mut clients {
        let mut read = Vec::new();
        // It is closed with bytes that were not sent: an end or a reset.
        let _ = client.read_to_end(&mut read);
        assert!(read.len() < MUCH);
    }
}
