//! A reader cut at its delimiters: [`Lines`] and [`Split`].

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::AsyncBufRead;
use crate::buf_read_ext::poll_read_until;

pin_project! {
    /// The lines of a reader; made by [`lines`](crate::AsyncBufReadExt::lines).
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncBufReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut lines = (&b"one\ntwo\n"[..]).lines();
    /// assert_eq!(lines.next_line().await?.as_deref(), Some("one"));
    /// assert_eq!(lines.next_line().await?.as_deref(), Some("two"));
    /// assert_eq!(lines.next_line().await?, None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "it reads nothing unless it is asked for a line"]
    pub struct Lines<R> {
        #[pin]
        segments: Split<R>,
    }
}

// With the names that are known, as those of the fields of `Split` are.
impl<R: fmt::Debug> fmt::Debug for Lines<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("reader", &self.segments.reader)
            .field("buf", &self.segments.buf)
            .finish()
    }
}

pin_project! {
    /// The segments of a reader; made by [`split`](crate::AsyncBufReadExt::split).
    ///
    /// # Examples
    /// ```
    /// use tokio::io::{AsyncBufReadExt, BufReader};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut fields = BufReader::new(&b"one;two"[..]).split(b';');
    /// assert_eq!(fields.next_segment().await?.as_deref(), Some(&b"one"[..]));
    /// # Ok(())
    /// # }
    /// ```
    #[derive(Debug)]
    #[must_use = "it reads nothing unless it is asked for a segment"]
    pub struct Split<R> {
        #[pin]
        reader: R,
        // What was read of the segment that is not complete yet.
        buf: Vec<u8>,
        delim: u8,
        read: usize,
    }
}

impl<R: AsyncBufRead> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Lines {
            segments: Split::new(reader, b'\n'),
        }
    }
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// The next line, without its end; `None` at the end of the reader.
    ///
    /// *Cancel safety*: nothing is lost; call it again to go on.
    ///
    /// # Errors
    /// `InvalidData` if the line is not UTF-8; the line is inside, as a
    /// [`FromUtf8Error`](std::string::FromUtf8Error). Those of the reader.
    pub async fn next_line(&mut self) -> io::Result<Option<String>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next_line(cx)).await
    }

    /// The reader. What it has buffered may belong to the next line.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.segments.reader
    }

    /// The reader.
    pub fn get_ref(&mut self) -> &R {
        &self.segments.reader
    }

    /// The reader, out of here. A line of which only a part was read is lost.
    pub fn into_inner(self) -> R {
        self.segments.reader
    }
}

impl<R: AsyncBufRead> Lines<R> {
    /// Tries to read the next line; see [`next_line`](Self::next_line).
    ///
    /// # Errors
    /// As there.
    pub fn poll_next_line(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<String>>> {
        let Some(mut line) = ready!(self.project().segments.poll_with_byte(cx))? else {
            return Poll::Ready(Ok(None));
        };
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        let line = String::from_utf8(line);
        Poll::Ready(
            line.map(Some)
                .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e)),
        )
    }
}

impl<R: AsyncBufRead> Split<R> {
    pub(crate) fn new(reader: R, byte: u8) -> Self {
        Split {
            reader,
            buf: Vec::new(),
            delim: byte,
            read: 0,
        }
    }
}

impl<R: AsyncBufRead + Unpin> Split<R> {
    /// The next segment, without its delimiter; `None` at the end of the reader.
    ///
    /// *Cancel safety*: nothing is lost; call it again to go on.
    ///
    /// # Errors
    /// Those of the reader.
    pub async fn next_segment(&mut self) -> io::Result<Option<Vec<u8>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next_segment(cx)).await
    }
}

impl<R: AsyncBufRead> Split<R> {
    /// Tries to read the next segment; see [`next_segment`](Self::next_segment).
    ///
    /// # Errors
    /// As there.
    pub fn poll_next_segment(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Vec<u8>>>> {
        let byte = self.delim;
        let mut segment = ready!(self.poll_with_byte(cx))?;
        if let Some(segment) = &mut segment {
            if segment.last() == Some(&byte) {
                segment.pop();
            }
        }
        Poll::Ready(Ok(segment))
    }

    /// The next segment with its delimiter, which the last one may lack.
    fn poll_with_byte(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Vec<u8>>>> {
        let me = self.project();
        ready!(poll_read_until(me.reader, cx, *me.delim, me.buf, me.read))?;
        let segment = mem::take(me.buf);
        Poll::Ready(Ok((!segment.is_empty()).then_some(segment)))
    }
}
