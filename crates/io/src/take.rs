//! The beginning of a reader: [`Take`].

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::read_buf::poll_read_limited;
use crate::{AsyncBufRead, AsyncRead, ReadBuf};

pin_project! {
    /// A reader of at most so many bytes of another one; made by
    /// [`take`](crate::AsyncReadExt::take).
    ///
    /// # Examples
    /// ```
    /// use tokio::io::AsyncReadExt;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut head = (&b"headbody"[..]).take(4);
    /// head.read_exact(&mut [0; 3]).await?;
    /// assert_eq!(head.limit(), 1);
    /// assert_eq!(head.into_inner(), b"dbody");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use = "it reads nothing unless it is read from"]
    pub struct Take<R> {
        #[pin]
        reader: R,
        limit: u64,
    }
}

// With the names that are known.
impl<R: fmt::Debug> fmt::Debug for Take<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Take")
            .field("inner", &self.reader)
            .field("limit_", &self.limit)
            .finish()
    }
}

impl<R: AsyncRead> Take<R> {
    pub(crate) fn new(reader: R, limit: u64) -> Self {
        Take { reader, limit }
    }

    /// How many bytes may still be read; the reader may end before.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Sets how many bytes may be read from now on.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// The reader.
    pub fn get_ref(&self) -> &R {
        &self.reader
    }

    /// The reader; what is read from it directly does not count.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The reader, pinned; as [`get_mut`](Self::get_mut).
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut R> {
        self.project().reader
    }

    /// The reader, out of here.
    pub fn into_inner(self) -> R {
        self.reader
    }
}

impl<R: AsyncRead> AsyncRead for Take<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.project();
        if *me.limit == 0 {
            return Poll::Ready(Ok(()));
        }
        let limit = usize::try_from(*me.limit).unwrap_or(usize::MAX);
        let n = ready!(poll_read_limited(me.reader, cx, buf, limit))?;
        *me.limit -= n as u64;
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncBufRead> AsyncBufRead for Take<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let me = self.project();
        if *me.limit == 0 {
            return Poll::Ready(Ok(&[]));
        }
        let available = ready!(me.reader.poll_fill_buf(cx))?;
        let limit = usize::try_from(*me.limit).unwrap_or(usize::MAX);
        Poll::Ready(Ok(&available[..available.len().min(limit)]))
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        let me = self.project();
        // Never more than the limit, whatever the caller says.
        let amt = usize::try_from(*me.limit).map_or(amt, |limit| amt.min(limit));
        *me.limit -= amt as u64;
        me.reader.consume(amt);
    }
}
