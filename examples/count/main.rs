//! A future by hand, and the same one by the compiler: both are polled, and both do the same.

mod awaits;
mod by_hand;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;

use futures::poll;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> io::Result<()> {
    show("by hand", by_hand::CountBytes::new).await?;
    show("async", awaits::count).await
}

async fn show<F>(name: &str, count: impl FnOnce(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = io::Result<u64>>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut sender = TcpStream::connect(listener.local_addr()?).await?;
    let (stream, _) = listener.accept().await?;

    // A future around the future, which counts how often it is asked.
    let mut polls = 0;
    let mut count = pin!(count(stream));
    let mut counted = poll_fn(|cx| {
        polls += 1;
        count.as_mut().poll(cx)
    });

    // What `await` does again and again, done once: ask. Nothing was sent so far.
    let answer = poll!(&mut counted);
    println!("{name}: asked too early, it says {answer:?}");

    // The end comes when `sender` is dropped. Each time that bytes have arrived, the socket's
    // readiness calls the waker, and the runtime polls us again.
    let sent = tokio::spawn(async move { sender.write_all(&[7; 1_000_000]).await });
    let bytes = counted.await?;
    println!("{name}: {bytes} bytes, asked {polls} times");
    sent.await?
}
