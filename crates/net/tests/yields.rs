//! What sockets tell while whoever could run yields: a few yields bring what a peer has sent.
#![cfg(target_os = "linux")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use yamanote_io::{AsyncReadExt as _, AsyncWriteExt as _};
use yamanote_net::{TcpListener, TcpStream};
use yamanote_runtime::{Builder, spawn, yield_now};

/// Accepts a connection, and answers its words until it is closed.
async fn answer(listener: TcpListener) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut word = [0; 4];
    while stream.read_exact(&mut word).await.is_ok() {
        stream.write_all(&word).await.unwrap();
    }
}

/// Sends a word and takes the answer, `times` times.
async fn ask(mut stream: TcpStream, times: u32, answers: Arc<AtomicU32>) {
    for _ in 0..times {
        stream.write_all(b"word").await.unwrap();
        stream.read_exact(&mut [0; 4]).await.unwrap();
        answers.fetch_add(1, Ordering::Relaxed);
    }
}

async fn yield_often(times: u32) {
    for _ in 0..times {
        yield_now().await;
    }
}

/// A server in a task, and a client of it that is connected and was not polled yet.
async fn peers(times: u32, answers: &Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = listener.local_addr().unwrap();
    spawn(answer(listener));
    let stream = TcpStream::connect(to).await.unwrap();
    spawn(ask(stream, times, Arc::clone(answers)));
}

fn block_on(future: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(future);
}

#[test]
fn a_few_yields_of_the_main_future_bring_an_answer() {
    block_on(async {
        let answers = Arc::default();
        peers(1, &answers).await;
        yield_often(10).await;
        assert_eq!(answers.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_few_yields_of_a_task_bring_an_answer() {
    block_on(async {
        let answers = Arc::default();
        peers(1, &answers).await;
        let yields = spawn(yield_often(10));
        yields.await.unwrap();
        assert_eq!(answers.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn each_answer_takes_as_few_yields_as_the_first() {
    block_on(async {
        let answers = Arc::default();
        peers(100, &answers).await;
        yield_often(500).await;
        assert_eq!(answers.load(Ordering::Relaxed), 100);
    });
}
