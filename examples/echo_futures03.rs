//! The program of `echo_futures01.rs` in the futures of today: what has changed, line by line.
//!
//! `Async::NotReady` is `Poll::Pending`, errors are part of the output, and the task that was
//! found through the thread is passed along, in `cx`. Today one would write `echo_tasks.rs`.

use std::future::{Future, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready as try_ready};
use std::{env, ops::Range};

use futures::{TryFutureExt, TryStreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;

/// How many chunks before others have their turn.
const TURN: u32 = 16;

struct Echo<S> {
    stream: S,
    buf: [u8; 1024],
    unsent: Range<usize>,
    bytes: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Echo<S> {
    type Output = io::Result<u64>;

    // The pin allows a future to point into itself, which is what `async` makes of a borrow that
    // is held across an `await`. Nothing does so here (`Unpin`), and the pin comes off.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let this = self.get_mut();
        for _ in 0..TURN {
            while !this.unsent.is_empty() {
                let rest = &this.buf[this.unsent.clone()];
                let written = Pin::new(&mut this.stream).poll_write(cx, rest);
                this.unsent.start += try_ready!(written)?;
            }
            let mut buf = ReadBuf::new(&mut this.buf);
            try_ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf))?;
            match buf.filled().len() {
                0 => return Poll::Ready(Ok(this.bytes)),
                n => {
                    this.unsent = 0..n;
                    this.bytes += n as u64;
                }
            }
        }
        // There is more to do, but not now: whoever says so without a wait must wake himself.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let addr = env::args().nth(1).unwrap_or("127.0.0.1:6142".to_owned());
    let listener = TcpListener::bind(addr).await?;
    println!("listening on {}", listener.local_addr()?);

    let server = TcpListenerStream::new(listener)
        .inspect_err(|error| eprintln!("cannot accept: {error}"))
        .try_for_each(|stream| {
            let (buf, unsent, bytes) = ([0; 1024], 0..0, 0);
            let connection = Echo {
                stream,
                buf,
                unsent,
                bytes,
            }
            .map_ok(|bytes| println!("echoed {bytes} bytes"))
            .unwrap_or_else(|error| eprintln!("a connection broke: {error}"));
            tokio::spawn(connection);
            ready(Ok(()))
        });

    server.await
}
