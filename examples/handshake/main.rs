//! One handshake as a chain of combinators and as `async`, and what each of them allocates.

mod awaits;
mod chain;
mod proxy;
mod socks5;

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::task::Poll;

use futures::FutureExt;
use tokio::io::{AsyncReadExt, DuplexStream, duplex};

// One thread, since allocations are counted by thread.
#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let target = SocketAddr::from(([192, 0, 2, 7], 80));
    show("and_then", |stream| chain::handshake(stream, target)).await?;
    show("async", |stream| awaits::handshake(stream, target)).await?;
    // The chain where its type may not be known, as in a `Vec` of futures.
    show("boxed", |stream| chain::handshake(stream, target).boxed()).await
}

/// Shakes hands with a proxy, hears what is behind it, and prints what the handshake took.
async fn show<F>(name: &str, handshake: impl Fn(DuplexStream) -> F) -> io::Result<()>
where
    F: Future<Output = io::Result<DuplexStream>>,
{
    let bytes = size_of_val(&handshake(duplex(64).0));
    // A connection in memory, where nothing depends on who is faster.
    let (client, server) = duplex(64);
    let client = counted(async { handshake(client).await });
    let ((stream, allocations), served) = tokio::join!(client, proxy::serve(server));
    served?;

    let mut heard = String::new();
    stream?.read_to_string(&mut heard).await?;
    println!("{name}: allocations: {allocations}, bytes: {bytes}, heard: {heard}");
    Ok(())
}

/// Asks the future until it is done, and counts what it allocates when asked.
async fn counted<F: Future>(future: F) -> (F::Output, u64) {
    let mut future = pin!(future);
    let mut allocations = 0;
    let output = poll_fn(|cx| {
        let mut answer = Poll::Pending;
        let poll = || answer = future.as_mut().poll(cx);
        allocations += allocation_counter::measure(poll).count_total;
        answer
    });
    (output.await, allocations)
}
