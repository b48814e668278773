//! One stream as two halves, for two tasks: [`split`].

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use yamanote_base::lock::Mutex;

use crate::{AsyncRead, AsyncWrite, ReadBuf};

/// The half of a stream that reads; made by [`split`].
pub struct ReadHalf<T> {
    split: Arc<SplitStream<T>>,
}

/// The half of a stream that writes; made by [`split`].
///
/// Dropping it does not shut the stream down.
pub struct WriteHalf<T> {
    split: Arc<SplitStream<T>>,
}

struct SplitStream<T> {
    /// Held while one half polls the stream: code of the stream runs under it. That is the nature
    /// of two halves of a thing that can be polled by one task at a time only.
    stream: Mutex<Pin<Box<T>>>,
    is_write_vectored: bool,
}

/// Splits a stream in two. Both halves share a lock, so one waits while the other is polled.
///
/// [`ReadHalf::unsplit`] puts them together again.
///
/// # Examples
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (near, mut far) = duplex(64);
/// let (mut read, mut write) = split(near);
/// let answer = tokio::spawn(async move { read.read_u8().await });
/// write.write_u8(1).await?;
/// far.write_u8(2).await?;
/// assert_eq!(answer.await??, 2);
/// assert_eq!(far.read_u8().await?, 1);
/// # Ok(())
/// # }
/// ```
pub fn split<T>(stream: T) -> (ReadHalf<T>, WriteHalf<T>)
where
    T: AsyncRead + AsyncWrite,
{
    let is_write_vectored = stream.is_write_vectored();
    let split = Arc::new(SplitStream {
        stream: Mutex::new(Box::pin(stream)),
        is_write_vectored,
    });
    (
        ReadHalf {
            split: split.clone(),
        },
        WriteHalf { split },
    )
}

impl<T> ReadHalf<T> {
    /// Whether both come from the same [`split`].
    pub fn is_pair_of(&self, other: &WriteHalf<T>) -> bool {
        other.is_pair_of(self)
    }

    /// The stream, out of its halves.
    ///
    /// # Panics
    /// If they do not come from the same [`split`].
    #[track_caller]
    pub fn unsplit(self, write_half: WriteHalf<T>) -> T
    where
        T: Unpin,
    {
        assert!(
            self.is_pair_of(&write_half),
            "Unrelated `split::Write` passed to `split::Read::unsplit`."
        );
        drop(write_half);
        let split = Arc::into_inner(self.split).expect("there are two halves, and both are here");
        *Pin::into_inner(split.stream.into_inner())
    }
}

impl<T> WriteHalf<T> {
    /// Whether both come from the same [`split`].
    pub fn is_pair_of(&self, other: &ReadHalf<T>) -> bool {
        Arc::ptr_eq(&self.split, &other.split)
    }
}

impl<T: AsyncRead> AsyncRead for ReadHalf<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.split.stream.lock().as_mut().poll_read(cx, buf)
    }
}

impl<T: AsyncWrite> AsyncWrite for WriteHalf<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.split.stream.lock().as_mut().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.split
            .stream
            .lock()
            .as_mut()
            .poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.split.is_write_vectored
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.split.stream.lock().as_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.split.stream.lock().as_mut().poll_shutdown(cx)
    }
}

impl<T: fmt::Debug> fmt::Debug for ReadHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("split::ReadHalf").finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for WriteHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("split::WriteHalf").finish()
    }
}
