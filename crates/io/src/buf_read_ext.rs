//! Futures that read up to a delimiter: [`AsyncBufReadExt`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::future::{Attempt, IoFuture, retry_interrupted};
use crate::string_loan::StringLoan;
use crate::{AsyncBufRead, Lines, Split};

/// Methods of every [`AsyncBufRead`].
pub trait AsyncBufReadExt: AsyncBufRead {
    /// Reads up to and including the byte `byte`, or to the end, appending to `buf`; returns how
    /// many bytes came. Zero means the end.
    ///
    /// *Cancel safety*: what was read so far is in `buf`; call it again to go on.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncBufReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (mut reader, mut field) = (&b"one,two"[..], Vec::new());
    /// reader.read_until(b',', &mut field).await?;
    /// assert_eq!(field, b"one,");
    /// # Ok(())
    /// # }
    /// ```
    fn read_until<'a>(&'a mut self, byte: u8, buf: &'a mut Vec<u8>) -> IoFuture<ReadUntil<'a, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(ReadUntil {
            reader: self,
            byte,
            buf,
            read: 0,
        })
    }

    /// Reads up to and including a line feed, or to the end, appending to `buf`; returns how many
    /// bytes came. Zero means the end.
    ///
    /// *Cancel safety*: none; what was read so far is lost. [`lines`](Self::lines) is safe.
    ///
    /// # Errors
    /// `InvalidData` if the line is not UTF-8: it is lost then, and `buf` is unchanged. After an
    /// error of the source, what was read before it is in `buf`, provided that it is UTF-8.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncBufReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (mut reader, mut line) = (&b"one\ntwo"[..], String::new());
    /// while reader.read_line(&mut line).await? > 0 {}
    /// assert_eq!(line, "one\ntwo");
    /// # Ok(())
    /// # }
    /// ```
    fn read_line<'a>(&'a mut self, buf: &'a mut String) -> IoFuture<ReadLine<'a, Self>>
    where
        Self: Unpin,
    {
        let (string, bytes) = StringLoan::take(buf);
        IoFuture::new(ReadLine {
            reader: self,
            string,
            bytes,
            read: 0,
        })
    }

    /// The segments between the bytes `byte`, without these.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::{AsyncBufReadExt, BufReader};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut fields = BufReader::new(&b"one,two"[..]).split(b',');
    /// assert_eq!(fields.next_segment().await?, Some(b"one".to_vec()));
    /// assert_eq!(fields.next_segment().await?, Some(b"two".to_vec()));
    /// assert_eq!(fields.next_segment().await?, None);
    /// # Ok(())
    /// # }
    /// ```
    fn split(self, byte: u8) -> Split<Self>
    where
        Self: Sized + Unpin,
    {
        Split::new(self, byte)
    }

    /// The buffered bytes, after reading more if there were none; none at the end. Call
    /// [`consume`](Self::consume) for those that were used.
    ///
    /// *Cancel safety*: if the future is dropped before it is complete, nothing is lost.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::{AsyncBufReadExt, BufReader};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader = BufReader::with_capacity(4, &b"abcdef"[..]);
    /// assert_eq!(reader.fill_buf().await?, b"abcd");
    /// reader.consume(3);
    /// assert_eq!(reader.fill_buf().await?, b"d");
    /// # Ok(())
    /// # }
    /// ```
    fn fill_buf(&mut self) -> IoFuture<FillBuf<'_, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(FillBuf { reader: Some(self) })
    }

    /// Takes `amt` bytes out of the buffer, of those that [`fill_buf`](Self::fill_buf) showed.
    fn consume(&mut self, amt: usize)
    where
        Self: Unpin,
    {
        Pin::new(self).consume(amt);
    }

    /// The lines, without their ends (`\n` or `\r\n`).
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncBufReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut lines = (&b"one\r\ntwo"[..]).lines();
    /// while let Some(line) = lines.next_line().await? {
    ///     assert_eq!(line.len(), 3);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    fn lines(self) -> Lines<Self>
    where
        Self: Sized,
    {
        Lines::new(self)
    }
}

impl<R: AsyncBufRead + ?Sized> AsyncBufReadExt for R {}

/// Reading up to a delimiter, into a vector.
#[derive(Debug)]
pub struct ReadUntil<'a, R: ?Sized> {
    reader: &'a mut R,
    byte: u8,
    buf: &'a mut Vec<u8>,
    read: usize,
}

/// Reading one line, into a string.
#[derive(Debug)]
pub struct ReadLine<'a, R: ?Sized> {
    reader: &'a mut R,
    string: StringLoan<'a>,
    bytes: Vec<u8>,
    read: usize,
}

/// Filling the reader's buffer.
#[derive(Debug)]
pub struct FillBuf<'a, R: ?Sized> {
    /// Taken when complete.
    reader: Option<&'a mut R>,
}

impl<R: ?Sized> Drop for ReadLine<'_, R> {
    fn drop(&mut self) {
        self.string
            .give_back_before(std::mem::take(&mut self.bytes));
    }
}

impl<R: AsyncBufRead + Unpin + ?Sized> Attempt for ReadUntil<'_, R> {
    type Output = usize;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let reader = Pin::new(&mut *self.reader);
        poll_read_until(reader, cx, self.byte, self.buf, &mut self.read)
    }
}

impl<R: AsyncBufRead + Unpin + ?Sized> Attempt for ReadLine<'_, R> {
    type Output = usize;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let reader = Pin::new(&mut *self.reader);
        let read = ready!(poll_read_until(
            reader,
            cx,
            b'\n',
            &mut self.bytes,
            &mut self.read
        ));
        let returned = self.string.give_back(std::mem::take(&mut self.bytes));
        // The source's error is the earlier one, and what it cut off need not be UTF-8.
        Poll::Ready(read.and_then(|n| returned.map(|()| n)))
    }
}

impl<'a, R: AsyncBufRead + Unpin + ?Sized> Attempt for FillBuf<'a, R> {
    type Output = &'a [u8];

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&'a [u8]>> {
        let reader = self.reader.as_mut().expect("polled after it was complete");
        if ready!(Pin::new(&mut **reader).poll_fill_buf(cx))?.is_empty() {
            return Poll::Ready(Ok(&[]));
        }
        // Asking again only lends the same bytes, for as long as the reader itself is lent.
        let reader = self.reader.take().expect("seen above");
        Pin::new(reader).poll_fill_buf(cx)
    }
}

/// Reads up to and including `byte`, or to the end, appending to `out`; `read` counts over calls
/// and is zero again at the end.
pub(crate) fn poll_read_until<R: AsyncBufRead + ?Sized>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    byte: u8,
    out: &mut Vec<u8>,
    read: &mut usize,
) -> Poll<io::Result<usize>> {
    loop {
        let mut done = false;
        let copied = ready!(retry_interrupted(|| {
            let available = ready!(reader.as_mut().poll_fill_buf(cx))?;
            let found = memchr::memchr(byte, available);
            let len = found.map_or(available.len(), |at| at + 1);
            let piece = &available[..len];
            // Most often a whole line: no need to grow.
            if out.capacity() == 0 {
                *out = piece.to_vec();
            } else {
                out.extend_from_slice(piece);
            }
            done = found.is_some() || len == 0;
            Poll::Ready(Ok(len))
        }))?;
        reader.as_mut().consume(copied);
        *read += copied;
        if done {
            return Poll::Ready(Ok(std::mem::take(read)));
        }
    }
}
