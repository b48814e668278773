//! Gathering small writes: [`BufWriter`].

use std::fmt;
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::buf_read::forward_buf_read;
use crate::future::retry_interrupted;
use crate::read::forward_read;
use crate::sink::len_of;
use crate::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, BUF_SIZE};

pin_project! {
    /// A writer with a buffer in front of another writer, so that small writes are cheap.
    ///
    /// Writes of at least the buffer's size pass it by; reads always do. Flush before dropping
    /// it: what is buffered then is lost.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::{AsyncWriteExt, BufWriter};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut writer = BufWriter::new(Vec::new());
    /// for part in ["many ", "small ", "writes"] {
    ///     writer.write_all(part.as_bytes()).await?;
    /// }
    /// writer.flush().await?;
    /// assert_eq!(writer.into_inner(), b"many small writes");
    /// # Ok(())
    /// # }
    /// ```
    pub struct BufWriter<W> {
        #[pin]
        writer: W,
        // Never grows beyond the capacity that it was made with.
        buf: Vec<u8>,
        // `buf[..written]` has been written by a flush that is not complete.
        written: usize,
        // Where a seek goes that waits for the buffer to be written.
        seek: Option<SeekFrom>,
    }
}

impl<W> BufWriter<W> {
    /// The same buffer in front of `writer`, and the writer that was there.
    pub(crate) fn exchange<S>(self, writer: S) -> (W, BufWriter<S>) {
        let BufWriter {
            writer: old,
            buf,
            written,
            seek,
        } = self;
        (
            old,
            BufWriter {
                writer,
                buf,
                written,
                seek,
            },
        )
    }
}

impl<W: AsyncWrite> BufWriter<W> {
    /// A writer with a buffer of 8 KiB.
    pub fn new(writer: W) -> Self {
        Self::with_capacity(BUF_SIZE, writer)
    }

    /// A writer with a buffer of `capacity` bytes.
    pub fn with_capacity(capacity: usize, writer: W) -> Self {
        let buf = Vec::with_capacity(capacity);
        BufWriter {
            writer,
            buf,
            written: 0,
            seek: None,
        }
    }

    /// The writer behind the buffer.
    pub fn get_ref(&self) -> &W {
        &self.writer
    }

    /// The writer behind the buffer; writing to it directly overtakes what is buffered.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.writer
    }

    /// The writer behind the buffer, pinned; as [`get_mut`](Self::get_mut).
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut W> {
        self.project().writer
    }

    /// The writer, out of here; what is buffered is lost.
    pub fn into_inner(self) -> W {
        self.writer
    }

    /// What is buffered.
    pub fn buffer(&self) -> &[u8] {
        &self.buf
    }

    /// Writes what is buffered.
    fn poll_empty_buffer(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut me = self.project();
        // Bounded by the buffer: each round takes some of it.
        while *me.written < me.buf.len() {
            let rest = &me.buf[*me.written..];
            match ready!(retry_interrupted(|| me
                .writer
                .as_mut()
                .poll_write(cx, rest)))
            {
                Ok(n) if n > 0 => *me.written += n,
                other => {
                    me.buf.drain(..std::mem::take(me.written));
                    other?;
                    let message = "failed to write the buffered data";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::WriteZero, message)));
                }
            }
        }
        me.buf.clear();
        *me.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Makes room for `len` bytes, as far as emptying the buffer does.
    fn poll_make_room(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        len: usize,
    ) -> Poll<io::Result<()>> {
        if len > self.buf.capacity() - self.buf.len() {
            self.poll_empty_buffer(cx)
        } else {
            Poll::Ready(Ok(()))
        }
    }
}

impl<W: AsyncWrite> AsyncWrite for BufWriter<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.as_mut().poll_make_room(cx, buf.len()))?;
        let me = self.project();
        if buf.len() >= me.buf.capacity() {
            return me.writer.poll_write(cx, buf);
        }
        me.buf.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.writer.is_write_vectored() {
            let len = len_of(bufs);
            ready!(self.as_mut().poll_make_room(cx, len))?;
            let me = self.project();
            if len >= me.buf.capacity() {
                return me.writer.poll_write_vectored(cx, bufs);
            }
            bufs.iter().for_each(|buf| me.buf.extend_from_slice(buf));
            return Poll::Ready(Ok(len));
        }
        // The first decides, as it would alone; the others are taken while they fit.
        let mut bufs = bufs.iter().skip_while(|buf| buf.is_empty());
        let Some(first) = bufs.next() else {
            return Poll::Ready(Ok(0));
        };
        let mut taken = ready!(self.as_mut().poll_write(cx, first))?;
        let me = self.project();
        if first.len() < me.buf.capacity() {
            for buf in bufs {
                if buf.len() > me.buf.capacity() - me.buf.len() {
                    break;
                }
                me.buf.extend_from_slice(buf);
                taken += buf.len();
            }
        }
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_empty_buffer(cx))?;
        self.get_pin_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_empty_buffer(cx))?;
        self.get_pin_mut().poll_shutdown(cx)
    }
}

/// A seek writes what is buffered first.
impl<W: AsyncWrite + AsyncSeek> AsyncSeek for BufWriter<W> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        *self.project().seek = Some(position);
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        if let Some(position) = self.seek {
            ready!(self.as_mut().poll_empty_buffer(cx))?;
            let mut me = self.as_mut().project();
            // A writer that is still at work on what it has taken would refuse to seek.
            ready!(me.writer.as_mut().poll_complete(cx))?;
            *me.seek = None;
            me.writer.start_seek(position)?;
        }
        let buffered = self.buf.len() - self.written;
        let position = ready!(self.get_pin_mut().poll_complete(cx))?;
        Poll::Ready(Ok(position.saturating_add(buffered as u64)))
    }
}

impl<W: AsyncWrite + AsyncRead> AsyncRead for BufWriter<W> {
    forward_read!(|this| this.get_pin_mut());
}

impl<W: AsyncWrite + AsyncBufRead> AsyncBufRead for BufWriter<W> {
    forward_buf_read!(|this| this.get_pin_mut());
}

impl<W: fmt::Debug> fmt::Debug for BufWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufWriter")
            .field("writer", &self.writer)
            .field(
                "buffer",
                &format_args!("{}/{}", self.buf.len(), self.buf.capacity()),
            )
            .field("written", &self.written)
            .finish()
    }
}
