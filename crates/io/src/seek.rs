//! Moving the position in a stream without blocking: [`AsyncSeek`].

use std::io::{self, Cursor, SeekFrom};
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Something with a position; the asynchronous twin of [`std::io::Seek`].
///
/// Nobody calls these methods but implementations; see [`AsyncSeekExt`](crate::AsyncSeekExt).
pub trait AsyncSeek {
    /// Begins to move to `position`; [`poll_complete`](Self::poll_complete) tells the end of it.
    ///
    /// # Errors
    /// If another operation is still under way, or the position is impossible.
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()>;

    /// Waits until what is under way is complete, and returns the position, counted from the
    /// start in bytes. The position is meaningful only after a `start_seek`.
    ///
    /// # Errors
    /// Those of the move.
    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>>;
}

/// Writes the methods of `AsyncSeek` that ask `$inner`, an expression for a pinned stream.
macro_rules! forward_seek {
    (|$this:ident| $inner:expr) => {
        fn start_seek(
            self: std::pin::Pin<&mut Self>,
            position: std::io::SeekFrom,
        ) -> std::io::Result<()> {
            let $this = self;
            $inner.start_seek(position)
        }

        fn poll_complete(
            self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<u64>> {
            let $this = self;
            $inner.poll_complete(cx)
        }
    };
}

pub(crate) use forward_seek;

impl<T: ?Sized + AsyncSeek + Unpin> AsyncSeek for &mut T {
    forward_seek!(|this| Pin::new(&mut **this.get_mut()));
}

impl<T: ?Sized + AsyncSeek + Unpin> AsyncSeek for Box<T> {
    forward_seek!(|this| Pin::new(&mut **this.get_mut()));
}

impl<P> AsyncSeek for Pin<P>
where
    P: DerefMut,
    P::Target: AsyncSeek,
{
    forward_seek!(|this| this.as_deref_mut());
}

impl<T: AsRef<[u8]> + Unpin> AsyncSeek for Cursor<T> {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        io::Seek::seek(&mut *self, position).map(drop)
    }

    fn poll_complete(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Poll::Ready(Ok(self.position()))
    }
}
