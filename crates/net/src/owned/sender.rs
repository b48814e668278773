//! [`Sender`].

use std::future::poll_fn;
use std::io;
use std::net::Shutdown;
use std::task::{Context, Poll, ready};

use yamanote_base::ready::Direction;
use yamanote_driver::resource::{self, Watched};
use yamanote_driver::sockets::{Chunk, Conversation, Held};

use super::stream::{Lent, StreamIo};

/// The half of a [`TcpStream`] that sends. The connection closes when both halves are dropped.
///
/// One that came from [`into_split`] shuts sending down when it is dropped, as tokio's
/// `OwnedWriteHalf` does, so that the peer finds the end of the stream;
/// [`forget`](Self::forget) leaves that out.
///
/// [`TcpStream`]: super::TcpStream
/// [`into_split`]: super::TcpStream::into_split
#[derive(Debug)]
pub struct Sender {
    pub(super) io: StreamIo,
    /// Whether its end is the stream's.
    pub(super) shuts_down: bool,
}

impl Sender {
    /// Sends of `buffer` what there is room for, at least a byte, and gives it back: how much.
    ///
    /// *Cancel safety:* if it is dropped, nothing or a part may have been sent; the buffer is
    /// dropped when the kernel does not use it any more.
    ///
    /// # Errors
    /// Those of the connection; when the runtime is shut down.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn f(mut stream: yamanote::owned::TcpStream) -> std::io::Result<()> {
    /// let (sent, buffer) = stream.send(b"hello".to_vec()).await;
    /// assert!(sent? <= buffer.len());
    /// # Ok(()) }
    /// ```
    pub async fn send<B>(&mut self, buffer: B) -> (io::Result<usize>, B)
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        self.send_as_asked(buffer, false).await
    }

    /// Sends all of `buffer`, and gives it back.
    ///
    /// *Cancel safety:* as [`send`](Self::send).
    ///
    /// # Errors
    /// As there; then a part may have been sent.
    pub async fn send_all<B>(&mut self, buffer: B) -> (io::Result<()>, B)
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        let (result, buffer) = self.send_as_asked(buffer, true).await;
        (result.map(drop), buffer)
    }

    /// Has all of `buffer` sent, and does not wait until it is: only for what was posted before.
    ///
    /// In a ring, a task that answers is then not woken once more for each answer. How it went is
    /// told by the next call; [`flush`](Self::flush) before the end, as what is dropped with a
    /// post under way may be sent in part only.
    ///
    /// *Cancel safety:* if it is dropped, nothing or a part may be sent; then the buffer is gone.
    ///
    /// # Errors
    /// Those of the connection, of which the buffers that were posted before may have met one;
    /// when the runtime is shut down.
    ///
    /// # Examples
    /// An echo:
    /// ```no_run
    /// # async fn f(mut stream: yamanote::owned::TcpStream) -> std::io::Result<()> {
    /// while let Some(chunk) = stream.chunk().await? {
    ///     stream.post(chunk).await?;
    /// }
    /// stream.flush().await
    /// # }
    /// ```
    pub async fn post<B>(&mut self, buffer: B) -> io::Result<()>
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        match &self.io {
            StreamIo::Ring(conversation) => {
                let mut held = Some(Chunk::hold(buffer));
                poll_fn(|cx| conversation.poll_post(cx, &mut held)).await
            }
            StreamIo::Ready(io) => write(io, buffer, true).await.0.map(drop),
        }
    }

    /// Waits until all that was [posted](Self::post) is sent.
    ///
    /// *Cancel safety:* it goes on to be sent.
    ///
    /// # Errors
    /// As there.
    pub async fn flush(&mut self) -> io::Result<()> {
        match &self.io {
            StreamIo::Ring(conversation) => poll_fn(|cx| conversation.poll_posted(cx)).await,
            StreamIo::Ready(_) => Ok(()),
        }
    }

    /// Drops it without shutting sending down.
    pub fn forget(mut self) {
        self.shuts_down = false;
    }

    async fn send_as_asked<B>(&mut self, buffer: B, all: bool) -> (io::Result<usize>, B)
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        match &self.io {
            StreamIo::Ring(conversation) => {
                let mut lent = Lent {
                    held: Some(Held::to_read(buffer)),
                    conversation,
                    forget: Conversation::forget_send,
                };
                let held = &mut lent.held;
                let result = poll_fn(|cx| conversation.poll_send(cx, held, all)).await;
                (result, lent.take())
            }
            StreamIo::Ready(io) => write(io, buffer, all).await,
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if let StreamIo::Ring(conversation) = &self.io {
            conversation.forget_send();
        }
        if self.shuts_down {
            // It fails when the connection has ended already.
            let _ = self.io.shutdown(Shutdown::Write);
        }
    }
}

/// Writes `buffer`, or a part unless `all`, and gives it back: how much.
fn write<B: AsRef<[u8]>>(
    io: &resource::TcpStream,
    buffer: B,
    all: bool,
) -> impl Future<Output = (io::Result<usize>, B)> {
    let (mut held, mut done) = (Some(buffer), 0);
    poll_fn(move |cx| {
        let bytes = held.as_ref().map_or(&[][..], B::as_ref);
        let result = ready!(poll_write(io, cx, bytes, &mut done, all));
        let buffer = held.take();
        Poll::Ready((result, buffer.expect("it is polled until it is ready")))
    })
}

/// Writes what of `bytes` is not `done`, or a part unless `all`; how much in all.
fn poll_write(
    io: &resource::TcpStream,
    cx: &mut Context<'_>,
    bytes: &[u8],
    done: &mut usize,
    all: bool,
) -> Poll<io::Result<usize>> {
    // Bounded by the buffer: each round sends a part of it, or fails.
    while let Some(rest @ [_, ..]) = bytes.get(*done..) {
        let write = || io.write(rest);
        *done += ready!(io.poll_transfer(cx, Direction::Write, rest.len(), write))?;
        if !all {
            break;
        }
    }
    Poll::Ready(Ok(*done))
}
