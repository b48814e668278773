//! Reading bytes without blocking: [`AsyncRead`].

use std::io::{self, Cursor};
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::ReadBuf;

/// A source of bytes; the asynchronous twin of [`std::io::Read`].
///
/// # Examples
/// A reader by hand, which counts what passes:
/// ```
/// use std::pin::Pin;
/// use std::task::{Context, Poll, ready};
/// use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
///
/// struct Counted<R>(R, usize);
///
/// impl<R: AsyncRead + Unpin> AsyncRead for Counted<R> {
///     fn poll_read(
///         mut self: Pin<&mut Self>,
///         cx: &mut Context<'_>,
///         buf: &mut ReadBuf<'_>,
///     ) -> Poll<std::io::Result<()>> {
///         let before = buf.filled().len();
///         ready!(Pin::new(&mut self.0).poll_read(cx, buf))?;
///         self.1 += buf.filled().len() - before;
///         Poll::Ready(Ok(()))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mut reader = Counted(&b"eleven byte"[..], 0);
/// reader.read_to_end(&mut Vec::new()).await?;
/// assert_eq!(reader.1, 11);
/// # Ok(())
/// # }
/// ```
pub trait AsyncRead {
    /// Tries to read into the unfilled part of `buf`.
    ///
    /// `Ready(Ok(()))` with nothing filled means the end of the source, or a full `buf`.
    /// `Pending` means that nothing was filled and that the task will be woken. Whatever was
    /// in `buf` stays there.
    ///
    /// # Errors
    /// Those of the source; nothing was filled then.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>>;
}

/// Writes `poll_read` that asks `$inner`, an expression for a pinned reader.
macro_rules! forward_read {
    (|$this:ident| $inner:expr) => {
        fn poll_read(
            self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
            buf: &mut $crate::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            let $this = self;
            $inner.poll_read(cx, buf)
        }
    };
}

pub(crate) use forward_read;

impl<T: ?Sized + AsyncRead + Unpin> AsyncRead for &mut T {
    forward_read!(|this| Pin::new(&mut **this.get_mut()));
}

impl<T: ?Sized + AsyncRead + Unpin> AsyncRead for Box<T> {
    forward_read!(|this| Pin::new(&mut **this.get_mut()));
}

impl<P> AsyncRead for Pin<P>
where
    P: DerefMut,
    P::Target: AsyncRead,
{
    forward_read!(|this| this.as_deref_mut());
}

impl AsyncRead for &[u8] {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let rest = self.get_mut();
        let (head, tail) = rest.split_at(rest.len().min(buf.remaining()));
        buf.put_slice(head);
        *rest = tail;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsRef<[u8]> + Unpin> AsyncRead for Cursor<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let rest = after_position(this);
        let n = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..n]);
        this.set_position(this.position() + n as u64);
        Poll::Ready(Ok(()))
    }
}

/// What a cursor has before it; nothing if it stands behind the end.
pub(crate) fn after_position<T: AsRef<[u8]>>(cursor: &Cursor<T>) -> &[u8] {
    let all = cursor.get_ref().as_ref();
    let start = usize::try_from(cursor.position())
        .unwrap_or(usize::MAX)
        .min(all.len());
    &all[start..]
}
