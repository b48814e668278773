//! Echo as it was written before `async`: futures 0.1, combinators, a state machine by hand.
//!
//! The page is of that age except for the lines that say `compat`: they turn sockets of today
//! into those of then, and futures of then into those of today. The runtime knows only the latter.

use std::{env, io, ops::Range};

use futures::compat::{Compat, Future01CompatExt};
use futures::{FutureExt, TryStreamExt};
use futures01::{Async, Future, Poll, Stream, task, try_ready};
use tokio::net::TcpListener;
use tokio_io::{AsyncRead, AsyncWrite};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::compat::TokioAsyncReadCompatExt;

/// How many chunks before others have their turn.
const TURN: u32 = 16;

struct Echo<S> {
    stream: S,
    buf: [u8; 1024],
    unsent: Range<usize>,
    bytes: u64,
}

impl<S: AsyncRead + AsyncWrite> Future for Echo<S> {
    type Item = u64;
    type Error = io::Error;

    // No pin, for nothing in it points into it; no context, for the task is found through the
    // thread, which is why such a future may be polled only where there is a task.
    fn poll(&mut self) -> Poll<u64, io::Error> {
        for _ in 0..TURN {
            while !self.unsent.is_empty() {
                let rest = &self.buf[self.unsent.clone()];
                self.unsent.start += try_ready!(self.stream.poll_write(rest));
            }
            match try_ready!(self.stream.poll_read(&mut self.buf)) {
                0 => return Ok(Async::Ready(self.bytes)),
                n => {
                    self.unsent = 0..n;
                    self.bytes += n as u64;
                }
            }
        }
        // There is more to do, but not now: whoever says so without a wait must call himself.
        task::current().notify();
        Ok(Async::NotReady)
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let addr = env::args().nth(1).unwrap_or("127.0.0.1:6142".to_owned());
    let listener = TcpListener::bind(addr).await?;
    println!("listening on {}", listener.local_addr()?);

    let server = incoming(listener)
        .map_err(|error| eprintln!("cannot accept: {error}"))
        .for_each(|stream| {
            let (buf, unsent, bytes) = ([0; 1024], 0..0, 0);
            let connection = Echo {
                stream,
                buf,
                unsent,
                bytes,
            }
            .map(|bytes| println!("echoed {bytes} bytes"))
            .map_err(|error| eprintln!("a connection broke: {error}"));
            tokio::spawn(connection.compat().map(drop));
            Ok(())
        });

    let failed = |()| io::Error::other("the server has ended");
    server.compat().await.map_err(failed)
}

/// The listener of then: a stream of connections.
fn incoming(
    listener: TcpListener,
) -> impl Stream<Item = impl AsyncRead + AsyncWrite, Error = io::Error> {
    let connections = TcpListenerStream::new(listener);
    Compat::new(connections.map_ok(|stream| Compat::new(stream.compat())))
}
