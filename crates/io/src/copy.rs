//! From a reader to a writer: [`copy`] and [`copy_buf`].

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::future::{poll_budget, retry_interrupted};
use crate::{AsyncBufRead, AsyncRead, AsyncWrite, BUF_SIZE, ReadBuf};

/// Copies all of `reader` to `writer` through a buffer of 8 KiB and flushes; returns how many
/// bytes there were.
///
/// What was read is written at once; when the reader has to wait, the writer is flushed.
///
/// *Cancel safety*: none; what is in the buffer is lost.
///
/// # Errors
/// Those of either; `WriteZero` if the writer takes nothing.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut out = Vec::new();
/// let n = tokio::io::copy(&mut &b"from here to there"[..], &mut out).await?;
/// assert_eq!((n, &out[..]), (18, &b"from here to there"[..]));
/// # Ok(())
/// # }
/// ```
pub async fn copy<'a, R, W>(reader: &'a mut R, writer: &'a mut W) -> io::Result<u64>
where
    R: AsyncRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    let mut buffer = CopyBuffer::new(BUF_SIZE);
    poll_fn(|cx| buffer.poll_copy(cx, &mut *reader, &mut *writer)).await
}

/// Like [`copy`], but out of the reader's own buffer.
///
/// *Cancel safety*: nothing is lost, but how much was copied is not known.
///
/// # Errors
/// As [`copy`].
///
/// # Examples
/// ```
/// use tokio::io::{BufReader, copy_buf};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut out = Vec::new();
/// let mut reader = BufReader::with_capacity(64 * 1024, &b"in large pieces"[..]);
/// assert_eq!(copy_buf(&mut reader, &mut out).await?, 15);
/// # Ok(())
/// # }
/// ```
pub async fn copy_buf<'a, R, W>(reader: &'a mut R, writer: &'a mut W) -> io::Result<u64>
where
    R: AsyncBufRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    let mut progress = Progress::default();
    poll_fn(|cx| progress.poll_copy_buf(cx, &mut *reader, &mut *writer)).await
}

/// What there is to say about the writer.
#[derive(Debug, Default)]
struct Progress {
    copied: u64,
    flush_owed: bool,
}

impl Progress {
    /// Writes once; zero says that the writer takes nothing.
    fn poll_write<W: AsyncWrite + Unpin + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut W,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let n = ready!(retry_interrupted(
            || Pin::new(&mut *writer).poll_write(cx, buf)
        ))?;
        self.copied += n as u64;
        self.flush_owed = true;
        Poll::Ready(Ok(n))
    }

    /// Flushes what was written while the reader has nothing to give.
    fn poll_flush_owed<W: AsyncWrite + Unpin + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut W,
    ) -> Poll<io::Result<()>> {
        if self.flush_owed {
            ready!(Pin::new(writer).poll_flush(cx))?;
            self.flush_owed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_copy_buf<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
    ) -> Poll<io::Result<u64>>
    where
        R: AsyncBufRead + Unpin + ?Sized,
        W: AsyncWrite + Unpin + ?Sized,
    {
        // Bounded by the budget.
        loop {
            ready!(poll_budget(cx));
            let written = retry_interrupted(|| {
                let available = ready!(Pin::new(&mut *reader).poll_fill_buf(cx))?;
                if available.is_empty() {
                    return Poll::Ready(Ok(None));
                }
                Poll::Ready(Ok(Some(self.poll_write(cx, &mut *writer, available)?)))
            });
            match written {
                Poll::Ready(Ok(Some(Poll::Ready(0)))) => {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                Poll::Ready(Ok(Some(Poll::Ready(n)))) => Pin::new(&mut *reader).consume(n),
                Poll::Ready(Ok(Some(Poll::Pending))) => return Poll::Pending,
                Poll::Ready(Ok(None)) => {
                    ready!(Pin::new(writer).poll_flush(cx))?;
                    return Poll::Ready(Ok(self.copied));
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    ready!(self.poll_flush_owed(cx, writer))?;
                    return Poll::Pending;
                }
            }
        }
    }
}

/// What is under way from a reader to a writer.
#[derive(Debug)]
pub(crate) struct CopyBuffer {
    buf: Box<[u8]>,
    /// `buf[start..end]` was read and not written.
    start: usize,
    end: usize,
    ended: bool,
    progress: Progress,
}

impl CopyBuffer {
    pub(crate) fn new(capacity: usize) -> Self {
        let buf = vec![0; capacity].into_boxed_slice();
        Self {
            buf,
            start: 0,
            end: 0,
            ended: false,
            progress: Progress::default(),
        }
    }

    /// Goes on copying; ready with the number of bytes when all is written and flushed.
    pub(crate) fn poll_copy<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
    ) -> Poll<io::Result<u64>>
    where
        R: AsyncRead + Unpin + ?Sized,
        W: AsyncWrite + Unpin + ?Sized,
    {
        // Bounded by the budget.
        loop {
            ready!(poll_budget(cx));
            let came = self.poll_read(cx, reader)?;
            if came.is_pending() && self.start == self.end {
                ready!(self.progress.poll_flush_owed(cx, writer))?;
                return Poll::Pending;
            }
            if self.poll_write_all(cx, writer)?.is_pending() {
                // The reader goes ahead of a slow writer while there is room.
                let _ = self.poll_read(cx, reader)?;
                return Poll::Pending;
            }
            if self.ended {
                ready!(Pin::new(writer).poll_flush(cx))?;
                return Poll::Ready(Ok(self.progress.copied));
            }
        }
    }

    /// Reads once, if there is room.
    fn poll_read<R: AsyncRead + Unpin + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
    ) -> Poll<io::Result<()>> {
        if self.ended || self.end == self.buf.len() {
            return Poll::Ready(Ok(()));
        }
        let mut room = ReadBuf::new(&mut self.buf[self.end..]);
        ready!(retry_interrupted(
            || Pin::new(&mut *reader).poll_read(cx, &mut room)
        ))?;
        let n = room.filled().len();
        self.end += n;
        self.ended = n == 0;
        Poll::Ready(Ok(()))
    }

    /// Writes all that is in the buffer.
    fn poll_write_all<W: AsyncWrite + Unpin + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut W,
    ) -> Poll<io::Result<()>> {
        // Bounded by the buffer: each round takes some of it.
        while self.start < self.end {
            let rest = &self.buf[self.start..self.end];
            let n = ready!(self.progress.poll_write(cx, writer, rest))?;
            if n == 0 {
                let message = "write zero byte into writer";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::WriteZero, message)));
            }
            self.start += n;
        }
        self.start = 0;
        self.end = 0;
        Poll::Ready(Ok(()))
    }
}
