//! The server of the soak: echoes, goes on when it has no descriptors, and counts.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle};

use crate::counting;

// Relaxed: a number that is shown, behind which nothing is read.
static FAILED: AtomicU64 = AtomicU64::new(0);

/// Serves until its input ends; answers each line of it with its counts.
pub(crate) fn run() -> io::Result<()> {
    counting::begin();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind("0.0.0.0:0"))?;
    println!("{}", listener.local_addr()?);
    runtime.spawn(serve(listener));
    for line in io::stdin().lines() {
        line?;
        let (heap, failed) = (counting::so_far().bytes, FAILED.load(Ordering::Relaxed));
        println!("{} {heap} {failed}", tasks(runtime.handle()));
    }
    runtime.shutdown_background();
    Ok(())
}

fn tasks(handle: &Handle) -> usize {
    handle.metrics().num_alive_tasks()
}

async fn serve(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(echo(stream))),
            Err(_) => {
                FAILED.fetch_add(1, Ordering::Relaxed);
                // Out of descriptors, most likely: some time must pass before it gets better.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn echo(mut stream: TcpStream) {
    let mut bytes = [0; 64];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        if stream.write_all(&bytes[..read]).await.is_err() {
            break;
        }
    }
}
