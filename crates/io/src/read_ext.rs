//! Futures that read: [`AsyncReadExt`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;

use crate::future::{Attempt, IoFuture, poll_fill};
use crate::numbers::{ReadNumber, number_table, read_methods};
use crate::read_buf::poll_read_buf;
use crate::read_to_end::{ReadToEnd, ReadToString};
use crate::{AsyncRead, Chain, ReadBuf, Take};

/// Methods of every [`AsyncRead`].
pub trait AsyncReadExt: AsyncRead {
    /// A reader of all of this one and then all of `next`.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut greeting = String::new();
    /// let mut both = (&b"hello, "[..]).chain(&b"world"[..]);
    /// both.read_to_string(&mut greeting).await?;
    /// assert_eq!(greeting, "hello, world");
    /// # Ok(())
    /// # }
    /// ```
    fn chain<R>(self, next: R) -> Chain<Self, R>
    where
        Self: Sized,
        R: AsyncRead,
    {
        Chain::new(self, next)
    }

    /// Reads some bytes into `buf`; returns how many. Zero means the end, or an empty `buf`.
    ///
    /// *Cancel safety*: if the future is dropped before it is complete, nothing was read.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader = &b"bytes"[..];
    /// let mut buf = [0; 16];
    /// let n = reader.read(&mut buf).await?;
    /// assert_eq!(&buf[..n], b"bytes");
    /// assert_eq!(reader.read(&mut buf).await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    fn read<'a>(&'a mut self, buf: &'a mut [u8]) -> IoFuture<Read<'a, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(Read { reader: self, buf })
    }

    /// Reads some bytes into the free part of `buf` and advances it; returns how many. Zero means
    /// the end, or that `buf` has no room.
    ///
    /// *Cancel safety*: as [`read`](Self::read).
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut buf = Vec::with_capacity(16);
    /// let mut reader = &b"bytes"[..];
    /// while reader.read_buf(&mut buf).await? > 0 {}
    /// assert_eq!(buf, b"bytes");
    /// # Ok(())
    /// # }
    /// ```
    fn read_buf<'a, B>(&'a mut self, buf: &'a mut B) -> IoFuture<ReadIntoBuf<'a, Self, B>>
    where
        Self: Unpin,
        B: BufMut + ?Sized,
    {
        IoFuture::new(ReadIntoBuf { reader: self, buf })
    }

    /// Reads until `buf` is full; returns its length.
    ///
    /// *Cancel safety*: none; what was read so far is in `buf`, but how much is not known.
    ///
    /// # Errors
    /// `UnexpectedEof` if the end comes first; those of the source.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader = &b"lengthbody"[..];
    /// let mut head = [0; 6];
    /// reader.read_exact(&mut head).await?;
    /// assert_eq!(&head, b"length");
    /// let error = reader.read_exact(&mut [0; 6]).await.unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    /// # Ok(())
    /// # }
    /// ```
    fn read_exact<'a>(&'a mut self, buf: &'a mut [u8]) -> IoFuture<ReadExact<'a, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(ReadExact {
            reader: self,
            buf,
            read: 0,
        })
    }

    /// Reads one byte.
    ///
    /// *Cancel safety*: as [`read`](Self::read).
    ///
    /// # Errors
    /// `UnexpectedEof` at the end; those of the source.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader = &[1, 0, 2, 3, 0][..];
    /// assert_eq!(reader.read_u8().await?, 1);
    /// assert_eq!(reader.read_u16().await?, 2);
    /// assert_eq!(reader.read_u16_le().await?, 3);
    /// # Ok(())
    /// # }
    /// ```
    fn read_u8(&mut self) -> IoFuture<ReadNumber<'_, Self, u8>>
    where
        Self: Unpin,
    {
        IoFuture::new(ReadNumber::new(self, u8::from_be_bytes))
    }

    /// Reads one byte as a signed number.
    ///
    /// *Cancel safety, errors*: as [`read_u8`](Self::read_u8).
    fn read_i8(&mut self) -> IoFuture<ReadNumber<'_, Self, i8>>
    where
        Self: Unpin,
    {
        IoFuture::new(ReadNumber::new(self, i8::from_be_bytes))
    }

    number_table!(read_methods);

    /// Reads to the end, appending to `buf`; returns how many bytes came.
    ///
    /// *Cancel safety*: what was read so far is in `buf`.
    ///
    /// # Errors
    /// Those of the source; what was read before is in `buf`.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut all = b"begun, ".to_vec();
    /// let n = (&b"done"[..]).read_to_end(&mut all).await?;
    /// assert_eq!((n, &all[..]), (4, &b"begun, done"[..]));
    /// # Ok(())
    /// # }
    /// ```
    fn read_to_end<'a>(&'a mut self, buf: &'a mut Vec<u8>) -> IoFuture<ReadToEnd<'a, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(ReadToEnd::new(self, buf))
    }

    /// Reads to the end, appending to `dst`; returns how many bytes came.
    ///
    /// *Cancel safety*: none; what was read so far is lost.
    ///
    /// # Errors
    /// `InvalidData` if it is not UTF-8; those of the source. Nothing was appended then.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut text = String::new();
    /// (&b"text"[..]).read_to_string(&mut text).await?;
    /// assert!((&b"\xff"[..]).read_to_string(&mut text).await.is_err());
    /// assert_eq!(text, "text");
    /// # Ok(())
    /// # }
    /// ```
    fn read_to_string<'a>(&'a mut self, dst: &'a mut String) -> IoFuture<ReadToString<'a, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(ReadToString::new(self, dst))
    }

    /// A reader of at most the next `limit` bytes.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut text = String::new();
    /// (&b"headbody"[..]).take(4).read_to_string(&mut text).await?;
    /// assert_eq!(text, "head");
    /// # Ok(())
    /// # }
    /// ```
    fn take(self, limit: u64) -> Take<Self>
    where
        Self: Sized,
    {
        Take::new(self, limit)
    }
}

impl<R: AsyncRead + ?Sized> AsyncReadExt for R {}

/// Reading once, into a slice.
#[derive(Debug)]
pub struct Read<'a, R: ?Sized> {
    reader: &'a mut R,
    buf: &'a mut [u8],
}

/// Reading once, into a [`BufMut`].
#[derive(Debug)]
pub struct ReadIntoBuf<'a, R: ?Sized, B: ?Sized> {
    reader: &'a mut R,
    buf: &'a mut B,
}

/// Reading until a slice is full.
#[derive(Debug)]
pub struct ReadExact<'a, R: ?Sized> {
    reader: &'a mut R,
    buf: &'a mut [u8],
    read: usize,
}

impl<R: AsyncRead + Unpin + ?Sized> Attempt for Read<'_, R> {
    type Output = usize;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(self.buf);
        ready!(Pin::new(&mut *self.reader).poll_read(cx, &mut buf))?;
        Poll::Ready(Ok(buf.filled().len()))
    }
}

impl<R: AsyncRead + Unpin + ?Sized, B: BufMut + ?Sized> Attempt for ReadIntoBuf<'_, R, B> {
    type Output = usize;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        poll_read_buf(Pin::new(&mut *self.reader), cx, &mut *self.buf)
    }
}

impl<R: AsyncRead + Unpin + ?Sized> Attempt for ReadExact<'_, R> {
    type Output = usize;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if ready!(poll_fill(&mut *self.reader, cx, self.buf, &mut self.read))? {
            Poll::Ready(Ok(self.buf.len()))
        } else {
            Poll::Ready(Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "early eof",
            )))
        }
    }
}
