//! What is posted: sent in order, and told of by the next call.

use std::io::{ErrorKind, Read, Write};
use std::pin::pin;
use std::sync::Arc;

use tokio::task::JoinHandle;
use yamanote_net::owned::TcpStream;
use yamanote_runtime::{Builder, FileRoute, spawn};

use crate::dropping::poll_once;
use crate::{each_way, pair, reset, turns};

/// More than the kernel has room for.
pub(crate) const MUCH: usize = 32 << 20;

/// Bytes that share a mark with others, as long as they are there.
pub(crate) struct Marked {
    bytes: Vec<u8>,
    _mark: Arc<()>,
}

impl AsRef<[u8]> for Marked {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

pub(crate) fn marked(byte: u8, mark: &Arc<()>) -> Marked {
    marked_of(MUCH, byte, mark)
}

fn marked_of(len: usize, byte: u8, mark: &Arc<()>) -> Marked {
    Marked {
        bytes: vec![byte; len],
        _mark: mark.clone(),
    }
}

#[test]
fn what_is_posted_arrives_in_order_with_what_is_sent_otherwise() {
    each_way(|runtime| runtime.block_on(post_and_send()));
}

async fn post_and_send() {
    let (mut client, mut server) = pair().await;
    for round in 0..200_u8 {
        server.post(vec![round; 3]).await.unwrap();
        server.post("").await.unwrap();
        if round % 3 == 0 {
            assert_eq!(server.send([round]).await.0.unwrap(), 1);
        } else {
            server.post([round]).await.unwrap();
        }
    }
    server.flush().await.unwrap();
    let mut read = [0; 800];
    client.read_exact(&mut read).unwrap();
    assert!((0..800).all(|at| usize::from(read[at]) == at / 4));
}

#[test]
fn what_is_left_of_a_chunk_is_posted_as_it_arrived() {
    each_way(|runtime| runtime.block_on(post_rest_of_chunk()));
}

async fn post_rest_of_chunk() {
    let (mut client, mut server) = pair().await;
    for _ in 0..600 {
        // The kernel receives from here on, ahead of who asks.
        assert!(poll_once(pin!(server.chunk())).await.is_none());
        client.write_all(b"hello").unwrap();
        turns().await;
        let (received, start) = server.recv([0; 2]).await;
        assert_eq!((received.unwrap(), &start), (2, b"he"));
        let rest = server.chunk().await.unwrap().unwrap();
        assert_eq!(&rest[..], b"llo");
        server.post(rest).await.unwrap();
        server.flush().await.unwrap();
        let mut read = [0; 3];
        client.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"llo");
    }
}

#[test]
fn a_post_waits_for_the_one_before_and_a_flush_for_all() {
    each_way(|runtime| runtime.block_on(post_much()));
}

async fn post_much() {
    let (client, mut server) = pair().await;
    let mark = Arc::new(());
    let posts = spawn(async move {
        for byte in [1, 2] {
            server.post(marked(byte, &mark)).await.unwrap();
        }
        server.flush().await.unwrap();
        // All is with the kernel: nothing is cut off.
        drop(server);
        mark
    });
    turns().await;
    assert!(!posts.is_finished());
    let read = read_from_now_on(client, posts).await;
    assert_eq!(read.len(), 2 * MUCH);
    assert!((0..2 * MUCH).all(|at| usize::from(read[at]) == 1 + at / MUCH));
}

/// What comes from `posts`, which are under way, when `client` begins to read.
async fn read_from_now_on(mut client: std::net::TcpStream, posts: JoinHandle<Arc<()>>) -> Vec<u8> {
    let reader = std::thread::spawn(move || {
        let mut read = Vec::new();
        client.read_to_end(&mut read).unwrap();
        read
    });
    let mark = posts.await.unwrap();
    turns().await;
    assert_eq!(Arc::strong_count(&mark), 1, "no buffer is left");
    reader.join().unwrap()
}

#[test]
fn short_posts_for_which_there_is_no_room_arrive_in_order() {
    each_way(|runtime| runtime.block_on(post_without_room()));
}

async fn post_without_room() {
    const LEN: usize = 10_007;
    let (client, mut server) = pair().await;
    let mark = Arc::new(());
    let posts = spawn(async move {
        for number in 0..1000 {
            let post = marked_of(LEN, number as u8, &mark);
            server.post(post).await.unwrap();
        }
        server.flush().await.unwrap();
        drop(server);
        mark
    });
    turns().await;
    assert!(!posts.is_finished(), "nobody has read");
    let read = read_from_now_on(client, posts).await;
    assert_eq!(read.len(), 1000 * LEN);
    assert!((0..read.len()).all(|at| read[at] == (at / LEN) as u8));
}

#[test]
fn a_post_that_failed_is_told_once_by_the_next_call() {
    each_way(|runtime| runtime.block_on(post_to_nobody()));
}

async fn post_to_nobody() {
    let (client, mut server) = pair().await;
    reset(client);
    let error = loop {
        if let Err(error) = server.post("nobody reads this").await {
            break error;
        }
        turns().await;
    };
    let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(kinds.contains(&error.kind()), "{error}");
    server.flush().await.unwrap();
    assert!(server.send("nor this").await.0.is_err());
}

#[test]
fn a_sender_that_is_dropped_gives_up_what_it_has_posted() {
    each_way(|runtime| runtime.block_on(drop_posted()));
}

async fn drop_posted() {
    let (mut client, server) = pair().await;
    let (receiver, mut sender) = server.into_split();
    let mark = Arc::new(());
    // By readiness, the first waits as well.
    let _ = poll_once(pin!(sender.post(marked(1, &mark)))).await;
    assert!(
        poll_once(pin!(sender.post(marked(1, &mark))))
            .await
            .is_none()
    );
    turns().await;
    drop(sender);
    turns().await;
    let mut read = Vec::new();
    client.read_to_end(&mut read).unwrap();
    assert!(!read.is_empty() && read.len() < MUCH);
    assert_eq!(Arc::strong_count(&mark), 1, "no buffer is left");
    drop(receiver);
}

#[test]
fn an_answer_that_is_posted_is_sent_though_all_is_dropped_then() {
    each_way(|runtime| runtime.block_on(post_and_drop()));
}

async fn post_and_drop() {
    let (mut client, mut server) = pair().await;
    client.write_all(b"question").unwrap();
    assert_eq!(&server.chunk().await.unwrap().unwrap()[..], b"question");
    server.post("answer").await.unwrap();
    server.flush().await.unwrap();
    drop(server);
    turns().await;
    let mut read = String::new();
    client.read_to_string(&mut read).unwrap();
    assert_eq!(read, "answer");
}

#[test]
fn what_is_posted_is_sent_before_the_stream_becomes_another() {
    each_way(|runtime| runtime.block_on(post_and_convert()));
}

async fn post_and_convert() {
    let (mut client, mut server) = pair().await;
    let mark = Arc::new(());
    // By readiness, all of it is sent at once.
    let reader = std::thread::spawn(move || {
        let mut read = vec![0; MUCH + 4];
        client.read_exact(&mut read).unwrap();
        read
    });
    server.post(marked(1, &mark)).await.unwrap();
    let (stream, rest) = server.into_std().await.unwrap();
    assert!(rest.is_empty());
    stream.set_nonblocking(false).unwrap();
    (&stream).write_all(b"then").unwrap();
    let read = reader.join().unwrap();
    assert!(read[..MUCH].iter().all(|byte| *byte == 1));
    assert_eq!(&read[MUCH..], b"then");
}

#[test]
fn who_waits_for_a_post_hears_that_the_runtime_ends() {
    for route in [FileRoute::Ring, FileRoute::NoRing] {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_all().file_route(route).build().unwrap();
        let (client, mut server) = runtime.block_on(pair());
        let posted = runtime.block_on(post_twice(&mut server));
        assert!(posted.is_none());
        drop(runtime);
        let other = Builder::new_current_thread().build().unwrap();
        let error = other.block_on(server.post("too late")).unwrap_err();
        assert!(yamanote_driver::is_shutdown_error(&error), "{error}");
        let cause = error.get_ref().expect("it was made of one");
        assert_eq!(format!("{cause:?}"), format!("{:?}", cause.to_string()));
        drop(client);
    }
}

async fn post_twice(server: &mut TcpStream) -> Option<std::io::Result<()>> {
    let posts = pin!(async {
        server.post(vec![1; MUCH]).await?;
        server.post(vec![2; MUCH]).await
    });
    poll_once(posts).await
}
