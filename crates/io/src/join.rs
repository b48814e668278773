//! A reader and a writer as one stream: [`join`].

use std::pin::Pin;

use pin_project_lite::pin_project;

use crate::buf_read::forward_buf_read;
use crate::read::forward_read;
use crate::write::forward_write;
use crate::{AsyncBufRead, AsyncRead, AsyncWrite};

pin_project! {
    /// A stream that reads from one thing and writes to another; made by [`join`].
    #[derive(Debug)]
    pub struct Join<R, W> {
        #[pin]
        reader: R,
        #[pin]
        writer: W,
    }
}

/// A stream that reads from `reader` and writes to `writer`.
///
/// # Examples
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt, join};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut stream = join(&b"question"[..], Vec::new());
/// stream.read_exact(&mut [0; 8]).await?;
/// stream.write_all(b"answer").await?;
/// assert_eq!(stream.writer(), b"answer");
/// # Ok(())
/// # }
/// ```
pub fn join<R, W>(reader: R, writer: W) -> Join<R, W>
where
    R: AsyncRead,
    W: AsyncWrite,
{
    Join { reader, writer }
}

impl<R: AsyncRead, W: AsyncWrite> Join<R, W> {
    /// Both, out of here.
    pub fn into_inner(self) -> (R, W) {
        (self.reader, self.writer)
    }

    /// The reader.
    pub fn reader(&self) -> &R {
        &self.reader
    }

    /// The writer.
    pub fn writer(&self) -> &W {
        &self.writer
    }

    /// The reader.
    pub fn reader_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The writer.
    pub fn writer_mut(&mut self) -> &mut W {
        &mut self.writer
    }

    /// The reader, pinned.
    pub fn reader_pin_mut(self: Pin<&mut Self>) -> Pin<&mut R> {
        self.project().reader
    }

    /// The writer, pinned.
    pub fn writer_pin_mut(self: Pin<&mut Self>) -> Pin<&mut W> {
        self.project().writer
    }
}

impl<R: AsyncRead, W> AsyncRead for Join<R, W> {
    forward_read!(|this| this.project().reader);
}

impl<R: AsyncBufRead, W> AsyncBufRead for Join<R, W> {
    forward_buf_read!(|this| this.project().reader);
}

impl<R, W: AsyncWrite> AsyncWrite for Join<R, W> {
    forward_write!(|this| this.project().writer, |me| me.writer);
}
