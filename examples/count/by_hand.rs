//! A future by hand: how many bytes arrive on a connection until it ends.
//!
//! A future does nothing unless it is polled. Whoever wants its output asks; the future tries,
//! and if it would have to wait, it sees to it that the waker is called when it is worth asking
//! again, and says `Pending`. Nobody pushes bytes into it: it pulls.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::net::TcpStream;

/// What lives across a wait. The compiler makes such a type of `count` in `awaits.rs`.
pub(crate) struct CountBytes {
    stream: TcpStream,
    bytes: u64,
}

impl CountBytes {
    pub(crate) fn new(stream: TcpStream) -> CountBytes {
        CountBytes { stream, bytes: 0 }
    }
}

impl Future for CountBytes {
    type Output = io::Result<u64>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let mut chunk = [0; 4096];
        loop {
            match self.stream.try_read(&mut chunk) {
                Ok(0) => return Poll::Ready(Ok(self.bytes)),
                Ok(n) => self.bytes += n as u64,
                // Nothing there. Either that has changed in the meantime, and we try again; or
                // the waker in `cx` is now registered with the socket, and `ready!` returns
                // `Pending`. To say so with a waker left nowhere is to be never polled again.
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    ready!(self.stream.poll_read_ready(cx))?;
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}
