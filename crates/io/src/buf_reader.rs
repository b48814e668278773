//! Reading ahead: [`BufReader`].

use std::fmt;
use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::write::forward_write;
use crate::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, BUF_SIZE, ReadBuf};

pin_project! {
    /// A reader with a buffer in front of another reader, so that small reads are cheap.
    ///
    /// Reads of at least the buffer's size pass it by when it is empty; writes always do.
    /// What is buffered is lost when this is dropped.
    ///
    /// # Examples
    /// ```
    /// use tokio::io::{AsyncReadExt, BufReader};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut reader = BufReader::new(&b"many small reads"[..]);
    /// assert_eq!(reader.read_u8().await?, b'm');
    /// assert_eq!(reader.buffer(), b"any small reads");
    /// # Ok(())
    /// # }
    /// ```
    pub struct BufReader<R> {
        #[pin]
        reader: R,
        buf: Box<[u8]>,
        // `buf[start..end]` is what was read and not consumed.
        start: usize,
        end: usize,
        seek: ReaderSeek,
    }
}

impl<R> BufReader<R> {
    /// The same buffer in front of `reader`, and the reader that was there.
    pub(crate) fn exchange<S>(self, reader: S) -> (R, BufReader<S>) {
        let BufReader {
            reader: old,
            buf,
            start,
            end,
            seek,
        } = self;
        (
            old,
            BufReader {
                reader,
                buf,
                start,
                end,
                seek,
            },
        )
    }
}

/// How far a seek has come.
#[derive(Clone, Copy, Debug)]
enum ReaderSeek {
    /// None is under way.
    Idle,
    /// It was asked for; the reader does not know yet.
    Asked(SeekFrom),
    /// The reader goes back over what is buffered; so far forward or back from there comes next.
    Rewinding(i64),
    /// The reader goes to its final position.
    Moving,
}

impl<R: AsyncRead> BufReader<R> {
    /// A reader with a buffer of 8 KiB.
    pub fn new(reader: R) -> Self {
        Self::with_capacity(BUF_SIZE, reader)
    }

    /// A reader with a buffer of `capacity` bytes.
    ///
    /// # Panics
    /// If `capacity` is zero.
    #[track_caller]
    pub fn with_capacity(capacity: usize, reader: R) -> Self {
        assert!(capacity > 0, "capacity must be greater than zero");
        let buf = vec![0; capacity].into_boxed_slice();
        BufReader {
            reader,
            buf,
            start: 0,
            end: 0,
            seek: ReaderSeek::Idle,
        }
    }

    /// The reader behind the buffer.
    pub fn get_ref(&self) -> &R {
        &self.reader
    }

    /// The reader behind the buffer; reading from it directly leaves out what is buffered.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The reader behind the buffer, pinned; as [`get_mut`](Self::get_mut).
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut R> {
        self.project().reader
    }

    /// The reader, out of here; what is buffered is lost.
    pub fn into_inner(self) -> R {
        self.reader
    }

    /// What is buffered. Reads nothing.
    pub fn buffer(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    fn discard_buffer(self: Pin<&mut Self>) {
        let me = self.project();
        *me.start = 0;
        *me.end = 0;
    }
}

impl<R: AsyncRead> AsyncRead for BufReader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.start == self.end && buf.remaining() >= self.buf.len() {
            ready!(self.as_mut().get_pin_mut().poll_read(cx, buf))?;
            self.discard_buffer();
            return Poll::Ready(Ok(()));
        }
        let available = ready!(self.as_mut().poll_fill_buf(cx))?;
        let n = available.len().min(buf.remaining());
        buf.put_slice(&available[..n]);
        self.consume(n);
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncRead> AsyncBufRead for BufReader<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let me = self.project();
        if *me.start >= *me.end {
            let mut buf = ReadBuf::new(me.buf);
            ready!(me.reader.poll_read(cx, &mut buf))?;
            *me.end = buf.filled().len();
            *me.start = 0;
        }
        Poll::Ready(Ok(&me.buf[*me.start..*me.end]))
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        let me = self.project();
        *me.start = me.start.saturating_add(amt).min(*me.end);
    }
}

/// A seek relative to the position takes the position of what the user has read, not that of the
/// reader behind the buffer. It always empties the buffer.
impl<R: AsyncRead + AsyncSeek> AsyncSeek for BufReader<R> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        // The reader must be idle first, and to wait for that needs a context.
        *self.project().seek = ReaderSeek::Asked(position);
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        // Bounded: at most Asked, Rewinding, Moving.
        loop {
            let buffered = self.end - self.start;
            let me = self.as_mut().project();
            match std::mem::replace(me.seek, ReaderSeek::Idle) {
                ReaderSeek::Idle => {
                    let position = ready!(me.reader.poll_complete(cx))?;
                    return Poll::Ready(Ok(position.saturating_sub(buffered as u64)));
                }
                ReaderSeek::Asked(position) => {
                    let (first, next) = first_step(position, buffered as i64);
                    me.reader.start_seek(first)?;
                    *me.seek = next;
                }
                ReaderSeek::Rewinding(offset) => {
                    ready!(self.as_mut().poll_moved(cx, ReaderSeek::Rewinding(offset)))?;
                    let me = self.as_mut().project();
                    me.reader.start_seek(SeekFrom::Current(offset))?;
                    *me.seek = ReaderSeek::Moving;
                }
                ReaderSeek::Moving => return self.poll_moved(cx, ReaderSeek::Moving),
            }
        }
    }
}

impl<R: AsyncSeek> BufReader<R> {
    /// Waits until the reader has moved, in stage `now`, and forgets what was buffered before.
    fn poll_moved(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        now: ReaderSeek,
    ) -> Poll<io::Result<u64>> {
        let me = self.project();
        *me.seek = now;
        let moved = ready!(me.reader.poll_complete(cx));
        *me.seek = ReaderSeek::Idle;
        if moved.is_ok() {
            (*me.start, *me.end) = (0, 0);
        }
        Poll::Ready(moved)
    }
}

/// What to ask of a reader that is `buffered` bytes ahead, and what comes after that.
fn first_step(position: SeekFrom, buffered: i64) -> (SeekFrom, ReaderSeek) {
    match position {
        SeekFrom::Current(offset) => match offset.checked_sub(buffered) {
            Some(offset) => (SeekFrom::Current(offset), ReaderSeek::Moving),
            None => (SeekFrom::Current(-buffered), ReaderSeek::Rewinding(offset)),
        },
        absolute => (absolute, ReaderSeek::Moving),
    }
}

impl<R: AsyncRead + AsyncWrite> AsyncWrite for BufReader<R> {
    forward_write!(|this| this.get_pin_mut(), |me| me.reader);
}

impl<R: fmt::Debug> fmt::Debug for BufReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufReader")
            .field("reader", &self.reader)
            .field(
                "buffer",
                &format_args!("{}/{}", self.end - self.start, self.buf.len()),
            )
            .finish()
    }
}
