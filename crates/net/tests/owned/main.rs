//! Sockets that own their buffers: the same in a ring and by readiness, whatever is dropped when.
#![cfg(all(target_os = "linux", not(loom)))]

#[path = "../dropping/mod.rs"]
mod dropping;
mod long;
mod posts;
mod threads;

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::pin::pin;
use std::sync::Mutex;
use std::time::Duration;

use yamanote_base::rng::Rng;
use yamanote_net::owned::{TcpListener, TcpStream};
use yamanote_runtime::sim::Sim;
use yamanote_runtime::{Builder, FileRoute, Handle, Runtime, spawn, spawn_blocking, yield_now};

use dropping::{drops, poll_once, tried};

/// Both ways; without rings the first is the second.
fn each_way(test: impl Fn(&Runtime)) {
    for route in [FileRoute::Ring, FileRoute::NoRing] {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .file_route(route)
            .build();
        test(&runtime.unwrap());
    }
}

/// Builders of all kinds of runtimes, for both ways.
fn each_builder(test: impl Fn(&mut Builder)) {
    for route in [FileRoute::Ring, FileRoute::NoRing] {
        test(Builder::new_current_thread().enable_all().file_route(route));
        let mut several = Builder::new_multi_thread();
        test(several.worker_threads(2).enable_all().file_route(route));
    }
}

/// A client that blocks, and the server's end.
async fn pair() -> (std::net::TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    (client, listener.accept().await.unwrap().0)
}

fn reset(client: std::net::TcpStream) {
    client.set_nonblocking(true).unwrap();
    let stream = yamanote_net::TcpStream::from_std(client).unwrap();
    stream.set_zero_linger().unwrap();
}

/// Gives the driver some turns.
async fn turns() {
    for _ in 0..8 {
        yield_now().await;
    }
}

#[test]
fn what_is_sent_comes_back_in_chunks_and_in_buffers() {
    each_way(|runtime| runtime.block_on(exchange()));
}

async fn exchange() {
    let (mut client, mut server) = pair().await;
    server.set_nodelay(true).unwrap();
    assert!(server.nodelay().unwrap());
    assert_eq!(server.peer_addr().unwrap(), client.local_addr().unwrap());
    client.write_all(b"one").unwrap();
    let (count, buffer) = server.recv([0_u8; 8]).await;
    assert_eq!(&buffer[..count.unwrap()], b"one");
    client.write_all(b"two").unwrap();
    let chunk = server.chunk().await.unwrap().unwrap();
    assert_eq!(&chunk[..], b"two");
    server.send_all(chunk).await.0.unwrap();
    assert_eq!(server.send("three").await.0.unwrap(), 5);
    let mut echoed = [0; 8];
    client.read_exact(&mut echoed).unwrap();
    assert_eq!(&echoed, b"twothree");
    assert_eq!(server.recv([0_u8; 0]).await.0.unwrap(), 0);
    client.write_all(b"last").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    // The kernel receives ahead; a small buffer takes it in parts.
    let (count, buffer) = server.recv(vec![0; 3]).await;
    assert_eq!((count.unwrap(), &buffer[..]), (3, &b"las"[..]));
    assert_eq!(&server.chunk().await.unwrap().unwrap()[..], b"t");
    assert!(server.chunk().await.unwrap().is_none());
    assert_eq!(server.recv(vec![0; 3]).await.0.unwrap(), 0);
    server.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.read(&mut echoed).unwrap(), 0);
}

#[test]
fn a_receive_that_is_dropped_leaves_its_bytes_to_the_next() {
    each_way(|runtime| runtime.block_on(drop_receives()));
}

async fn drop_receives() {
    let (mut client, mut server) = pair().await;
    for round in 0..4 {
        {
            let mut dropped = pin!(server.recv(vec![0; 64]));
            assert!(poll_once(dropped.as_mut()).await.is_none());
            client.write_all(b"first").unwrap();
            if round % 2 == 0 {
                turns().await;
            }
        }
        let (count, buffer) = server.recv(vec![0; 64]).await;
        assert_eq!(&buffer[..count.unwrap()], b"first");
        {
            let mut dropped = pin!(server.chunk());
            assert!(poll_once(dropped.as_mut()).await.is_none());
            client.write_all(b"second").unwrap();
            turns().await;
        }
        let chunk = server.chunk().await.unwrap().unwrap();
        assert_eq!(&chunk[..], b"second");
        // Now the kernel receives ahead: end that, so that the next round begins anew.
        let (stream, rest) = server.into_stream().await.unwrap();
        assert!(rest.is_empty());
        server = TcpStream::from_stream(stream).unwrap();
    }
}

#[test]
fn what_has_arrived_goes_along_into_another_stream() {
    each_way(|runtime| runtime.block_on(convert()));
}

async fn convert() {
    let (mut client, mut server) = pair().await;
    {
        let mut dropped = pin!(server.chunk());
        assert!(poll_once(dropped.as_mut()).await.is_none());
    }
    client.write_all(b"early").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    turns().await;
    let (mut stream, mut bytes) = server.into_std().await.unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"early");
}

#[test]
fn more_than_the_kernel_has_room_for_is_sent_as_it_is_read() {
    each_way(|runtime| runtime.block_on(send_much()));
}

async fn send_much() {
    let (mut client, mut server) = pair().await;
    let content: Vec<u8> = (0..8 << 20).map(|i: u32| (i % 251) as u8).collect();
    let reader = std::thread::spawn(move || {
        let mut read = Vec::new();
        client.read_to_end(&mut read).unwrap();
        read
    });
    let (result, content) = server.send_all(content).await;
    result.unwrap();
    drop(server);
    turns().await;
    assert!(reader.join().unwrap() == content);
}

#[test]
fn a_sender_that_is_dropped_ends_the_stream_of_its_peer() {
    each_way(|runtime| runtime.block_on(drop_senders()));
}

async fn drop_senders() {
    let (mut client, server) = pair().await;
    let (mut receiver, mut sender) = server.into_split();
    sender.send_all("last words").await.0.unwrap();
    drop(sender);
    let mut read = String::new();
    client.read_to_string(&mut read).unwrap();
    assert_eq!(read, "last words");
    client.write_all(b"heard").unwrap();
    assert_eq!(&receiver.chunk().await.unwrap().unwrap()[..], b"heard");

    let (client, server) = pair().await;
    let (_receiver, sender) = server.into_split();
    sender.forget();
    client.set_nonblocking(true).unwrap();
    let error = (&client).read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_receiver_that_is_dropped_leaves_the_sender_alone() {
    each_way(|runtime| runtime.block_on(drop_receivers()));
}

async fn drop_receivers() {
    let (mut client, server) = pair().await;
    let (mut receiver, mut sender) = server.into_split();
    assert!(poll_once(pin!(receiver.chunk())).await.is_none());
    turns().await;
    drop(receiver);
    client.write_all(b"nobody hears").unwrap();
    turns().await;
    let mut read = [0; 11];
    for _ in 0..2 {
        sender.send_all("still there").await.0.unwrap();
        client.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"still there");
    }
}

#[test]
fn what_is_asked_on_a_thread_that_does_not_turn_is_handed_over() {
    for route in [FileRoute::Ring, FileRoute::NoRing] {
        for workers in [1, 2] {
            let mut builder = Builder::new_multi_thread();
            let builder = builder.worker_threads(workers).enable_all();
            let runtime = builder.file_route(route).build().unwrap();
            // Not a worker: they sleep when this begins to wait.
            runtime.block_on(wait_for_answers());
        }
    }
    each_way(|runtime| {
        // The thread that turns sleeps while another one asks.
        let ask = || Handle::current().block_on(wait_for_answers());
        let asked = runtime.block_on(async { spawn_blocking(ask).await });
        asked.unwrap();
    });
}

async fn wait_for_answers() {
    let (mut client, mut server) = pair().await;
    for number in 0..20_u8 {
        {
            let mut chunk = pin!(server.chunk());
            assert!(poll_once(chunk.as_mut()).await.is_none());
            client.write_all(&[number]).unwrap();
            assert_eq!(&chunk.await.unwrap().unwrap()[..], [number]);
        }
        let mut receiving = pin!(server.recv(vec![0; 4]));
        assert!(poll_once(receiving.as_mut()).await.is_none());
        client.write_all(&[number]).unwrap();
        assert_eq!(receiving.await.0.unwrap(), 1);
    }
}

#[test]
fn in_a_simulated_world_they_are_simulated() {
    let sim = Sim::new(1);
    sim.host("echo", || async {
        let listener = TcpListener::bind("[::]:1").await?;
        let (mut stream, _) = listener.accept().await?;
        while let Some(chunk) = stream.chunk().await? {
            stream.send_all(chunk).await.0?;
        }
        std::io::Result::Ok(())
    });
    // Made outside: within, where `bind` is overridden, it would be simulated itself.
    let real = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let echoed = sim.run(async {
        let mut stream = TcpStream::connect("echo:1").await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream.send_all("simulated").await.0.unwrap();
        let (received, buffer) = stream.recv(vec![0; 32]).await;
        let error = TcpListener::from_std(real).unwrap_err();
        (buffer[..received.unwrap()].to_vec(), error.kind())
    });
    let expected = (b"simulated".to_vec(), ErrorKind::Unsupported);
    assert_eq!(echoed.unwrap(), expected);
}

#[test]
fn a_reset_ends_what_waits() {
    each_way(|runtime| runtime.block_on(be_reset()));
}

async fn be_reset() {
    let (client, mut server) = pair().await;
    let waiting = spawn(async move { server.recv(vec![0; 8]).await.0 });
    turns().await;
    reset(client);
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    let (client, mut server) = pair().await;
    let waiting = spawn(async move { (server.chunk().await.map(drop), server) });
    turns().await;
    reset(client);
    let (result, mut server) = waiting.await.unwrap();
    assert_eq!(result.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let error = server.send_all("late").await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);

    let (client, mut server) = pair().await;
    let waiting = spawn(async move { server.send_all(vec![0; 64 << 20]).await.0 });
    turns().await;
    reset(client);
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_reset_that_was_received_is_told_by_who_becomes_another_stream() {
    each_way(|runtime| runtime.block_on(convert_what_is_reset()));
}

async fn convert_what_is_reset() {
    for arrives in [false, true] {
        let (mut client, mut server) = pair().await;
        assert!(poll_once(pin!(server.chunk())).await.is_none());
        if arrives {
            client.write_all(b"early").unwrap();
            turns().await;
        }
        reset(client);
        turns().await;
        // In a ring by itself: it is told once, and was. Else by the stream, as ever.
        let told = match server.into_std().await {
            Err(error) => error,
            Ok((mut stream, rest)) => {
                assert!(rest.is_empty());
                stream.read_to_end(&mut Vec::new()).unwrap_err()
            }
        };
        assert_eq!(told.kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn what_a_forgotten_receive_has_brought_goes_along_into_another_stream() {
    each_way(|runtime| runtime.block_on(convert_after_a_forgotten_receive()));
}

static FORGOTTEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());

async fn convert_after_a_forgotten_receive() {
    let (mut client, mut server) = pair().await;
    let forgotten = Box::leak(Box::new(Box::pin(server.recv(vec![0; 8]))));
    // Where it is known: a leak is what nobody knows.
    FORGOTTEN
        .lock()
        .unwrap()
        .push(std::ptr::from_mut(forgotten).addr());
    assert!(poll_once(forgotten.as_mut()).await.is_none());
    client.write_all(b"early").unwrap();
    turns().await;
    let (mut stream, mut bytes) = server.into_std().await.unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    stream.set_nonblocking(false).unwrap();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"early");
}

#[test]
fn a_chunk_that_is_held_keeps_no_connection_waiting() {
    each_way(|runtime| runtime.block_on(hold_chunks()));
}

async fn hold_chunks() {
    let (mut client, mut server) = pair().await;
    client.set_nodelay(true).unwrap();
    // More than there are provided buffers.
    let mut held = Vec::new();
    for number in 0..20_000_u32 {
        client.write_all(&number.to_le_bytes()).unwrap();
        held.push(server.chunk().await.unwrap().unwrap());
    }
    let all: Vec<u8> = held.iter().flat_map(|chunk| chunk.to_vec()).collect();
    let expected: Vec<u8> = (0..20_000_u32).flat_map(u32::to_le_bytes).collect();
    assert_eq!(all, expected);
    drop(held);
    client.write_all(b"more").unwrap();
    assert_eq!(&server.chunk().await.unwrap().unwrap()[..], b"more");
}

#[test]
fn who_is_not_asked_is_closed_with_the_listener() {
    each_way(|runtime| runtime.block_on(drop_listener()));
}

async fn drop_listener() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    {
        let mut dropped = pin!(listener.accept());
        assert!(poll_once(dropped.as_mut()).await.is_none());
    }
    let mut first = std::net::TcpStream::connect(addr).unwrap();
    let mut second = std::net::TcpStream::connect(addr).unwrap();
    turns().await;
    let (mut served, from) = listener.accept().await.unwrap();
    assert_eq!(from, first.local_addr().unwrap());
    drop(listener);
    turns().await;
    assert!(matches!(second.read(&mut [0]), Ok(0) | Err(_)));
    served.send_all("still there").await.0.unwrap();
    drop(served);
    turns().await;
    let mut read = String::new();
    first.read_to_string(&mut read).unwrap();
    assert_eq!(read, "still there");
}

#[test]
fn a_runtime_that_ends_closes_what_it_serves() {
    each_builder(end_runtime);
}

fn end_runtime(builder: &mut Builder) {
    let runtime = builder.build().unwrap();
    let (mut client, mut outside, _kept) = runtime.block_on(async {
        let (client, mut server) = pair().await;
        let (other, mut second) = pair().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        spawn(async move { server.recv(vec![0; 8]).await.0 });
        spawn(async move { second.send_all(vec![0; 64 << 20]).await.0 });
        spawn(async move { listener.accept().await.map(drop) });
        turns().await;
        let (kept, mut outside) = pair().await;
        assert!(poll_once(pin!(outside.chunk())).await.is_none());
        (client, outside, (kept, other))
    });
    drop(runtime);
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    let other = Builder::new_current_thread().build().unwrap();
    assert!(other.block_on(outside.recv(vec![0; 4])).0.is_err());
}

#[test]
fn connections_are_served_by_whichever_worker_and_thread() {
    for route in [FileRoute::Ring, FileRoute::NoRing] {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(3).enable_all().file_route(route);
        let runtime = runtime.build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        runtime.spawn(serve(listener));
        let client = move || echo_numbers(std::net::TcpStream::connect(addr).unwrap());
        let clients: Vec<_> = (0..16).map(|_| std::thread::spawn(client)).collect();
        clients
            .into_iter()
            .for_each(|client| client.join().unwrap());
    }
}

async fn serve(listener: TcpListener) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        spawn(echo(stream));
    }
}

async fn echo(mut stream: TcpStream) {
    while let Ok(Some(chunk)) = stream.chunk().await {
        // Elsewhere, maybe.
        yield_now().await;
        stream.send_all(chunk).await.0.unwrap();
    }
}

fn echo_numbers(mut stream: std::net::TcpStream) {
    for round in 0..200_u32 {
        stream.write_all(&round.to_le_bytes()).unwrap();
        let mut echoed = [0; 4];
        stream.read_exact(&mut echoed).unwrap();
        assert_eq!(u32::from_le_bytes(echoed), round);
    }
}

#[test]
fn a_runtime_is_driven_by_one_thread_after_the_other() {
    each_way(|runtime| {
        let (mut client, mut server) = runtime.block_on(pair());
        let waiting = async { poll_once(pin!(server.chunk())).await.is_none() };
        assert!(runtime.block_on(waiting));
        for _ in 0..3 {
            // The thread ends, and with it what it has asked of the kernel.
            std::thread::scope(|scope| {
                scope.spawn(|| runtime.block_on(ping(&mut client, &mut server)));
            });
            client.read_exact(&mut [0; 4]).unwrap();
        }
    });
}

#[test]
fn what_one_thread_has_left_of_many_arrivals_is_there_for_the_next() {
    each_way(|runtime| {
        let ends: Vec<_> = (0..200).map(|_| runtime.block_on(pair())).collect();
        let (clients, servers): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
        let first =
            |mut server: TcpStream| async move { server.chunk().await.unwrap().unwrap()[0] };
        let mut tasks: Vec<_> = servers
            .into_iter()
            .map(|server| runtime.spawn(first(server)))
            .collect();
        runtime.block_on(turns());
        for mut client in &clients {
            client.write_all(b"x").unwrap();
        }
        // Nothing comes after that: who drives next must not wait for more.
        while let Some(task) = tasks.pop() {
            std::thread::scope(|scope| {
                scope.spawn(|| assert_eq!(runtime.block_on(task).unwrap(), b'x'));
            });
        }
    });
}

async fn ping(client: &mut std::net::TcpStream, server: &mut TcpStream) {
    client.write_all(b"ping").unwrap();
    let chunk = server.chunk().await.unwrap().unwrap();
    assert_eq!(&chunk[..], b"ping");
    server.send_all(chunk).await.0.unwrap();
    assert!(poll_once(pin!(server.recv(vec![0; 4]))).await.is_none());
}

#[test]
fn no_byte_is_lost_by_receives_that_are_dropped_anywhere() {
    each_way(|runtime| runtime.block_on(drop_anywhere()));
}

async fn drop_anywhere() {
    let (mut client, mut server) = pair().await;
    let mut rng = Rng::new(20);
    let (mut sent, mut bytes) = (0_u32, Vec::new());
    for _ in 0..drops() {
        if rng.below(3) == 0 {
            client.write_all(&sent.to_le_bytes()).unwrap();
            sent += 1;
        }
        if rng.below(24) == 0 {
            let (stream, rest) = server.into_stream().await.unwrap();
            bytes.extend_from_slice(&rest);
            server = TcpStream::from_stream(stream).unwrap();
        }
        bytes.extend(one_of_all(&mut server, &mut rng).await);
        if rng.below(64) == 0 {
            discard_echo(&mut client);
        }
    }
    client.shutdown(Shutdown::Write).unwrap();
    while let Some(chunk) = server.chunk().await.unwrap() {
        bytes.extend_from_slice(&chunk);
    }
    let expected: Vec<u8> = (0..sent).flat_map(u32::to_le_bytes).collect();
    assert!(bytes == expected);
}

/// Tries one kind of operation; what it has received.
async fn one_of_all(server: &mut TcpStream, rng: &mut Rng) -> Vec<u8> {
    match rng.below(4) {
        0 => {
            let chunk = tried(server.chunk(), rng).await;
            chunk.map_or(Vec::new(), |chunk| chunk.unwrap().unwrap().to_vec())
        }
        1 => {
            let buffer = vec![0; 1 + rng.below(9) as usize];
            let received = tried(server.recv(buffer), rng).await;
            received.map_or(Vec::new(), |(count, buffer)| {
                buffer[..count.unwrap()].to_vec()
            })
        }
        2 => {
            drop(tried(server.send(b"x".to_vec()), rng).await);
            Vec::new()
        }
        _ => {
            drop(tried(server.post("posted"), rng).await);
            Vec::new()
        }
    }
}

fn discard_echo(client: &mut std::net::TcpStream) {
    client.set_nonblocking(true).unwrap();
    while client.read(&mut [0; 1024]).is_ok() {}
    client.set_nonblocking(false).unwrap();
}
