//! Futures that write: [`AsyncWriteExt`].

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;

use crate::AsyncWrite;
use crate::future::{Attempt, IoFuture, poll_drain, retry_interrupted};
use crate::numbers::{WriteNumber, number_table, write_methods};

/// Methods of every [`AsyncWrite`].
pub trait AsyncWriteExt: AsyncWrite {
    /// Writes some of `src`; returns how many bytes were taken.
    ///
    /// *Cancel safety*: if the future is dropped before it is complete, nothing was written.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (mut near, _far) = tokio::io::duplex(4);
    /// assert_eq!(near.write(b"too much").await?, 4);
    /// # Ok(())
    /// # }
    /// ```
    fn write<'a>(&'a mut self, src: &'a [u8]) -> IoFuture<Write<'a, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(Write { writer: self, src })
    }

    /// Writes some of `bufs`, in their order; returns how many bytes were taken.
    ///
    /// *Cancel safety*: as [`write`](Self::write).
    ///
    /// # Examples
    /// ```
    /// use std::io::IoSlice;
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut out = Vec::new();
    /// let parts = [IoSlice::new(b"head "), IoSlice::new(b"body")];
    /// assert_eq!(out.write_vectored(&parts).await?, 9);
    /// assert_eq!(out, b"head body");
    /// # Ok(())
    /// # }
    /// ```
    fn write_vectored<'a, 'b>(
        &'a mut self,
        bufs: &'a [IoSlice<'b>],
    ) -> IoFuture<WriteVectored<'a, 'b, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(WriteVectored { writer: self, bufs })
    }

    /// Writes some of `src` and advances it; returns how many bytes were taken.
    ///
    /// *Cancel safety*: as [`write`](Self::write).
    ///
    /// # Examples
    /// ```
    /// use std::io::Cursor;
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (mut near, _far) = tokio::io::duplex(4);
    /// let mut src = Cursor::new("too much");
    /// near.write_buf(&mut src).await?;
    /// assert_eq!(src.position(), 4);
    /// # Ok(())
    /// # }
    /// ```
    fn write_buf<'a, B>(&'a mut self, src: &'a mut B) -> IoFuture<WriteBuf<'a, Self, B>>
    where
        Self: Sized + Unpin,
        B: Buf,
    {
        IoFuture::new(WriteBuf { writer: self, src })
    }

    /// Writes all of `src` and advances it.
    ///
    /// *Cancel safety*: what was taken so far is no longer in `src`; call it again to go on.
    ///
    /// # Errors
    /// `WriteZero` if the writer takes nothing; those of the writer.
    ///
    /// # Examples
    /// ```
    /// use std::io::Cursor;
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (mut out, mut src) = (Vec::new(), Cursor::new("all of it"));
    /// out.write_all_buf(&mut src).await?;
    /// assert_eq!((&out[..], src.position()), (&b"all of it"[..], 9));
    /// # Ok(())
    /// # }
    /// ```
    fn write_all_buf<'a, B>(&'a mut self, src: &'a mut B) -> IoFuture<WriteAllBuf<'a, Self, B>>
    where
        Self: Sized + Unpin,
        B: Buf,
    {
        IoFuture::new(WriteAllBuf { writer: self, src })
    }

    /// Writes all of `src`.
    ///
    /// *Cancel safety*: none; how much was written is not known.
    ///
    /// # Errors
    /// `WriteZero` if the writer takes nothing; those of the writer.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut out = Vec::new();
    /// out.write_all(b"all of it").await?;
    /// assert_eq!(out, b"all of it");
    /// # Ok(())
    /// # }
    /// ```
    fn write_all<'a>(&'a mut self, src: &'a [u8]) -> IoFuture<WriteAll<'a, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(WriteAll {
            writer: self,
            src,
            written: 0,
        })
    }

    /// Writes one byte.
    ///
    /// *Cancel safety*: as [`write`](Self::write).
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncWriteExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut out = Vec::new();
    /// out.write_u8(1).await?;
    /// out.write_u16(2).await?;
    /// out.write_u16_le(3).await?;
    /// assert_eq!(out, [1, 0, 2, 3, 0]);
    /// # Ok(())
    /// # }
    /// ```
    fn write_u8(&mut self, n: u8) -> IoFuture<WriteNumber<'_, Self, u8>>
    where
        Self: Unpin,
    {
        IoFuture::new(WriteNumber::new(self, n.to_be_bytes()))
    }

    /// Writes a signed number as one byte.
    ///
    /// *Cancel safety*: as [`write`](Self::write).
    fn write_i8(&mut self, n: i8) -> IoFuture<WriteNumber<'_, Self, i8>>
    where
        Self: Unpin,
    {
        IoFuture::new(WriteNumber::new(self, n.to_be_bytes()))
    }

    number_table!(write_methods);

    /// Brings all that was written to its destination.
    ///
    /// *Cancel safety*: call it again to go on.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::{AsyncWriteExt, BufWriter};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut out = BufWriter::new(Vec::new());
    /// out.write_all(b"kept back").await?;
    /// assert!(out.get_ref().is_empty());
    /// out.flush().await?;
    /// assert_eq!(out.get_ref(), b"kept back");
    /// # Ok(())
    /// # }
    /// ```
    fn flush(&mut self) -> IoFuture<Flush<'_, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(Flush { writer: self })
    }

    /// Flushes, and tells the other side that nothing more will come.
    ///
    /// *Cancel safety*: call it again to go on.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::{AsyncReadExt, AsyncWriteExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (mut near, mut far) = tokio::io::duplex(16);
    /// near.write_all(b"bye").await?;
    /// near.shutdown().await?;
    /// let mut all = Vec::new();
    /// far.read_to_end(&mut all).await?;
    /// assert_eq!(all, b"bye");
    /// # Ok(())
    /// # }
    /// ```
    fn shutdown(&mut self) -> IoFuture<Shutdown<'_, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(Shutdown { writer: self })
    }
}

impl<W: AsyncWrite + ?Sized> AsyncWriteExt for W {}

/// Writing once, from a slice.
#[derive(Debug)]
pub struct Write<'a, W: ?Sized> {
    writer: &'a mut W,
    src: &'a [u8],
}

/// Writing once, from several slices.
#[derive(Debug)]
pub struct WriteVectored<'a, 'b, W: ?Sized> {
    writer: &'a mut W,
    bufs: &'a [IoSlice<'b>],
}

/// Writing once, from a [`Buf`].
#[derive(Debug)]
pub struct WriteBuf<'a, W, B> {
    writer: &'a mut W,
    src: &'a mut B,
}

/// Writing all of a [`Buf`].
#[derive(Debug)]
pub struct WriteAllBuf<'a, W, B> {
    writer: &'a mut W,
    src: &'a mut B,
}

/// Writing all of a slice.
#[derive(Debug)]
pub struct WriteAll<'a, W: ?Sized> {
    writer: &'a mut W,
    src: &'a [u8],
    written: usize,
}

/// Flushing.
#[derive(Debug)]
pub struct Flush<'a, W: ?Sized> {
    writer: &'a mut W,
}

/// Shutting down.
#[derive(Debug)]
pub struct Shutdown<'a, W: ?Sized> {
    writer: &'a mut W,
}

impl<W: AsyncWrite + Unpin + ?Sized> Attempt for Write<'_, W> {
    type Output = usize;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.writer).poll_write(cx, self.src)
    }
}

impl<W: AsyncWrite + Unpin + ?Sized> Attempt for WriteVectored<'_, '_, W> {
    type Output = usize;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.writer).poll_write_vectored(cx, self.bufs)
    }
}

impl<W: AsyncWrite + Unpin, B: Buf> Attempt for WriteBuf<'_, W, B> {
    type Output = usize;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        poll_write_buf(Pin::new(&mut *self.writer), cx, self.src)
    }
}

impl<W: AsyncWrite + Unpin, B: Buf> Attempt for WriteAllBuf<'_, W, B> {
    type Output = ();

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { writer, src } = self;
        // Bounded by the buffer: each round takes some of it.
        while src.has_remaining() {
            let n = ready!(retry_interrupted(|| {
                poll_write_buf(Pin::new(&mut **writer), cx, &mut **src)
            }))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncWrite + Unpin + ?Sized> Attempt for WriteAll<'_, W> {
    type Output = ();

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_drain(&mut *self.writer, cx, self.src, &mut self.written)
    }
}

impl<W: AsyncWrite + Unpin + ?Sized> Attempt for Flush<'_, W> {
    type Output = ();

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.writer).poll_flush(cx)
    }
}

impl<W: AsyncWrite + Unpin + ?Sized> Attempt for Shutdown<'_, W> {
    type Output = ();

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.writer).poll_shutdown(cx)
    }
}

/// Slices that one vectored write takes at most.
const SLICES_MAX: usize = 64;

/// Writes once from `src`, vectored if the writer can, and advances it.
fn poll_write_buf<W: AsyncWrite, B: Buf>(
    writer: Pin<&mut W>,
    cx: &mut Context<'_>,
    src: &mut B,
) -> Poll<io::Result<usize>> {
    if !src.has_remaining() {
        return Poll::Ready(Ok(0));
    }
    let n = if writer.is_write_vectored() {
        let mut slices = [IoSlice::new(&[]); SLICES_MAX];
        let len = src.chunks_vectored(&mut slices);
        ready!(writer.poll_write_vectored(cx, &slices[..len]))?
    } else {
        ready!(writer.poll_write(cx, src.chunk()))?
    };
    src.advance(n);
    Poll::Ready(Ok(n))
}
