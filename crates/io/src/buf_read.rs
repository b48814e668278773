//! Reading from a buffer of the reader's own: [`AsyncBufRead`].

use std::io::{self, Cursor};
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::AsyncRead;
use crate::read::after_position;

/// A reader with a buffer inside; the asynchronous twin of [`std::io::BufRead`].
///
/// Nobody calls these methods but implementations; see
/// [`AsyncBufReadExt`](crate::AsyncBufReadExt).
pub trait AsyncBufRead: AsyncRead {
    /// The buffered bytes, after reading more if there were none; none at the end.
    ///
    /// The bytes stay in the buffer until they are [`consume`](Self::consume)d.
    ///
    /// # Errors
    /// Those of the source.
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>>;

    /// Takes `amt` bytes out of the buffer, of those that [`poll_fill_buf`](Self::poll_fill_buf)
    /// showed.
    fn consume(self: Pin<&mut Self>, amt: usize);
}

/// Writes the methods of `AsyncBufRead` that ask `$inner`, an expression for a pinned reader.
macro_rules! forward_buf_read {
    (|$this:ident| $inner:expr) => {
        fn poll_fill_buf(
            self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<&[u8]>> {
            let $this = self;
            $inner.poll_fill_buf(cx)
        }

        fn consume(self: std::pin::Pin<&mut Self>, amt: usize) {
            let $this = self;
            $inner.consume(amt);
        }
    };
}

pub(crate) use forward_buf_read;

impl<T: ?Sized + AsyncBufRead + Unpin> AsyncBufRead for &mut T {
    forward_buf_read!(|this| Pin::new(&mut **this.get_mut()));
}

impl<T: ?Sized + AsyncBufRead + Unpin> AsyncBufRead for Box<T> {
    forward_buf_read!(|this| Pin::new(&mut **this.get_mut()));
}

impl<P> AsyncBufRead for Pin<P>
where
    P: DerefMut,
    P::Target: AsyncBufRead,
{
    forward_buf_read!(|this| this.as_deref_mut());
}

impl AsyncBufRead for &[u8] {
    fn poll_fill_buf(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Ready(Ok(*self))
    }

    fn consume(mut self: Pin<&mut Self>, amt: usize) {
        *self = &self[amt..];
    }
}

impl<T: AsRef<[u8]> + Unpin> AsyncBufRead for Cursor<T> {
    fn poll_fill_buf(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Ready(Ok(after_position(self.get_mut())))
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        io::BufRead::consume(self.get_mut(), amt);
    }
}
