//! The standard streams of the process: [`stdin`], [`stdout`], [`stderr`].
//!
//! Their descriptors block, and must do so, since other processes may share them: so each operation
//! runs where blocking is allowed. Two handles of one stream may mix their output.

mod stdin;

#[cfg(not(unix))]
#[path = "stdio/no_watch.rs"]
mod watch;
#[cfg(unix)]
mod watch;

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use yamanote_driver::context;
use yamanote_driver::op::{self, Op};
use yamanote_io::AsyncWrite;

pub use stdin::{Stdin, stdin};

use crate::io_buffer::{IoBuffer, LEN_MAX};

/// The standard output; made by [`stdout`].
///
/// A write returns when its bytes are in a buffer; `flush` waits until they are written.
#[derive(Debug)]
pub struct Stdout(Output<io::Stdout>);

/// The standard error; made by [`stderr`].
///
/// A write returns when its bytes are in a buffer; `flush` waits until they are written.
#[derive(Debug)]
pub struct Stderr(Output<io::Stderr>);

/// A handle of the standard output.
///
/// # Examples
/// ```
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut out = tokio::io::stdout();
/// out.write_all(b"written when flushed\n").await?;
/// out.flush().await?;
/// # Ok(())
/// # }
/// ```
pub fn stdout() -> Stdout {
    Stdout(Output::new(io::stdout))
}

/// A handle of the standard error; used as [`stdout`] is.
pub fn stderr() -> Stderr {
    Stderr(Output::new(io::stderr))
}

/// What the two output streams share.
#[derive(Debug)]
struct Output<W> {
    stream: fn() -> W,
    buffer: IoBuffer,
    running: Option<Op<IoBuffer>>,
    flush_owed: bool,
}

impl<W: io::Write + 'static> Output<W> {
    fn new(stream: fn() -> W) -> Self {
        Self {
            stream,
            buffer: IoBuffer::default(),
            running: None,
            flush_owed: false,
        }
    }

    /// Waits for what is under way; the error of a write is that of who asks next.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(running) = &mut self.running {
            let done = ready!(Pin::new(running).poll(cx));
            self.running = None;
            self.buffer = done?;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        srcs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_idle(cx))?;
        context::current().ensure_alive()?;
        let stream = self.stream;
        let mut buffer = std::mem::take(&mut self.buffer);
        let n = buffer.fill(srcs, LEN_MAX);
        self.running = Some(op::submit_mandatory(move || {
            buffer.write_to(&mut stream())?;
            Ok(buffer)
        }));
        self.flush_owed = true;
        Poll::Ready(Ok(n))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_idle(cx))?;
        if !self.flush_owed {
            return Poll::Ready(Ok(()));
        }
        self.flush_owed = false;
        let (stream, buffer) = (self.stream, std::mem::take(&mut self.buffer));
        self.running = Some(op::submit_mandatory(move || {
            stream().flush()?;
            Ok(buffer)
        }));
        self.poll_idle(cx)
    }
}

/// Writes through the [`Output`] inside.
macro_rules! write_through {
    ($($stream:ty),+) => {$(
        impl AsyncWrite for $stream {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.0.poll_write(cx, &[IoSlice::new(buf)])
            }

            fn poll_write_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.0.poll_write(cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.0.poll_flush(cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_flush(cx)
            }
        }
    )+};
}

write_through!(Stdout, Stderr);
