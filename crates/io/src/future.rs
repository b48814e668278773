//! What the futures of the extension traits share: [`IoFuture`] and the loops under them.
//!
//! A method such as `read_exact` makes an [`Attempt`]: a plain struct that holds what the
//! operation borrows and how far it came. [`IoFuture`] makes a future of it.

use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use yamanote_base::budget;

use crate::{AsyncRead, AsyncWrite, ReadBuf};

/// An operation that is tried until it is complete.
pub trait Attempt {
    /// What it yields when it succeeds.
    type Output;

    /// Goes on with the operation.
    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Output>>;
}

pin_project! {
    /// A future of one operation; made by the extension traits.
    ///
    /// It is not `Unpin`, so that it may one day hold what must not move.
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct IoFuture<A> {
        attempt: A,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<A> IoFuture<A> {
    pub(crate) fn new(attempt: A) -> Self {
        IoFuture {
            attempt,
            _pin: PhantomPinned,
        }
    }
}

// It is a shell only: what it is called is what it does.
impl<A: fmt::Debug> fmt::Debug for IoFuture<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.attempt.fmt(f)
    }
}

impl<A: Attempt> Future for IoFuture<A> {
    type Output = io::Result<A::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().attempt.poll_attempt(cx)
    }
}

/// Takes one unit of the task's budget, for an operation that is always ready.
pub(crate) fn poll_budget(cx: &mut Context<'_>) -> Poll<()> {
    budget::poll_proceed(cx).map(|charge| charge.made_progress())
}

/// Repeats `attempt` as long as it says that it was interrupted.
///
/// Not bounded: an interrupted operation has done nothing, and nothing interrupts forever.
#[inline]
pub(crate) fn retry_interrupted<T>(
    mut attempt: impl FnMut() -> Poll<io::Result<T>>,
) -> Poll<io::Result<T>> {
    loop {
        match attempt() {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Reads until `buf` is full, from `buf[*read]` on; `false` if the end came first.
#[inline]
pub(crate) fn poll_fill<R: AsyncRead + Unpin + ?Sized>(
    reader: &mut R,
    cx: &mut Context<'_>,
    buf: &mut [u8],
    read: &mut usize,
) -> Poll<io::Result<bool>> {
    // Bounded by the buffer: each round fills some of it, or was interrupted.
    while *read < buf.len() {
        let mut rest = ReadBuf::new(&mut buf[*read..]);
        match ready!(Pin::new(&mut *reader).poll_read(cx, &mut rest)) {
            Ok(()) if rest.filled().is_empty() => return Poll::Ready(Ok(false)),
            Ok(()) => *read += rest.filled().len(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
    Poll::Ready(Ok(true))
}

/// Writes until `buf` is empty.
///
/// # Errors
/// `WriteZero` if the writer takes nothing.
#[inline]
pub(crate) fn poll_drain<W: AsyncWrite + Unpin + ?Sized>(
    writer: &mut W,
    cx: &mut Context<'_>,
    buf: &[u8],
    written: &mut usize,
) -> Poll<io::Result<()>> {
    // Bounded by the buffer: each round takes some of it.
    while *written < buf.len() {
        let rest = &buf[*written..];
        let n = ready!(retry_interrupted(
            || Pin::new(&mut *writer).poll_write(cx, rest)
        ))?;
        if n == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        *written += n;
    }
    Poll::Ready(Ok(()))
}
