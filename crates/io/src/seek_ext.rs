//! Futures that move the position: [`AsyncSeekExt`].

use std::io::{self, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::AsyncSeek;
use crate::future::{Attempt, IoFuture};

/// Methods of every [`AsyncSeek`].
pub trait AsyncSeekExt: AsyncSeek {
    /// Moves to `position`, which may lie behind the end; returns the new position, counted from
    /// the start in bytes. Waits first for an earlier operation that is still under way.
    ///
    /// *Cancel safety*: the move may or may not have happened.
    ///
    /// # Examples
    /// ```
    /// use std::io::{Cursor, SeekFrom};
    /// use tokio::io::{AsyncReadExt, AsyncSeekExt};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let mut file = Cursor::new(b"abcdef");
    /// assert_eq!(file.seek(SeekFrom::End(-2)).await?, 4);
    /// assert_eq!(file.read_u8().await?, b'e');
    /// file.rewind().await?;
    /// assert_eq!(file.stream_position().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    fn seek(&mut self, position: SeekFrom) -> IoFuture<Seek<'_, Self>>
    where
        Self: Unpin,
    {
        IoFuture::new(Seek {
            stream: self,
            position: Some(position),
        })
    }

    /// Moves to the start; see [`seek`](Self::seek).
    fn rewind(&mut self) -> IoFuture<Seek<'_, Self>>
    where
        Self: Unpin,
    {
        self.seek(SeekFrom::Start(0))
    }

    /// The position, counted from the start in bytes; see [`seek`](Self::seek).
    fn stream_position(&mut self) -> IoFuture<Seek<'_, Self>>
    where
        Self: Unpin,
    {
        self.seek(SeekFrom::Current(0))
    }
}

impl<S: AsyncSeek + ?Sized> AsyncSeekExt for S {}

/// Moving the position.
#[derive(Debug)]
pub struct Seek<'a, S: ?Sized> {
    stream: &'a mut S,
    /// Where to; `None` once the move was begun.
    position: Option<SeekFrom>,
}

impl<S: AsyncSeek + Unpin + ?Sized> Attempt for Seek<'_, S> {
    type Output = u64;

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        if let Some(position) = self.position {
            // An earlier one, whose future was dropped, has to end first.
            ready!(Pin::new(&mut *self.stream).poll_complete(cx))?;
            Pin::new(&mut *self.stream).start_seek(position)?;
            self.position = None;
        }
        Pin::new(&mut *self.stream).poll_complete(cx)
    }
}
