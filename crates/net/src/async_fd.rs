//! Any descriptor that a selector can watch: [`AsyncFd`].

mod error;
mod guard;

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll, ready};

use yamanote_base::budget;
use yamanote_base::ready::{Direction, ReadyEvent};
use yamanote_driver::context;
use yamanote_driver::resource::{Registration, Watched};
use yamanote_io::Interest;

pub use error::{AsyncFdRegisterError, TryIoError};
pub use guard::{AsyncFdReadyGuard, AsyncFdReadyMutGuard};

/// A descriptor that is watched by the runtime's selector, and what owns it.
///
/// What it offers is readiness; operations on the descriptor are the caller's. One that would
/// block must say so (`WouldBlock`), after which the caller clears the readiness that it saw,
/// best by a guard's `try_io` or by [`async_io`](Self::async_io).
///
/// Dropping it ends the watching, then drops what owns the descriptor.
///
/// # Examples
/// Bytes from a foreign descriptor:
/// ```
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
/// use tokio::io::{Interest, unix::AsyncFd};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (ours, mut theirs) = UnixStream::pair()?;
/// ours.set_nonblocking(true)?;
/// let ours = AsyncFd::new(ours)?;
/// theirs.write_all(b"hello")?;
/// let mut bytes = [0; 8];
/// let n = ours
///     .async_io(Interest::READABLE, |mut socket| socket.read(&mut bytes))
///     .await?;
/// assert_eq!(&bytes[..n], b"hello");
/// # Ok(())
/// # }
/// ```
pub struct AsyncFd<T: AsRawFd> {
    io: Registration<T>,
}

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// Making and unmaking.
impl<T: AsRawFd> AsyncFd<T> {
    /// Watches `inner`, which must not block, for reading and writing.
    ///
    /// # Errors
    /// When the system cannot watch such a descriptor (a regular file), or does already.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    ///
    /// # Examples
    /// ```
    /// use std::os::unix::net::UnixStream;
    /// use tokio::io::unix::AsyncFd;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (socket, _peer) = UnixStream::pair()?;
    /// socket.set_nonblocking(true)?;
    /// let socket = AsyncFd::new(socket)?;
    /// assert!(socket.writable().await?.ready().is_writable());
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    #[track_caller]
    pub fn new(inner: T) -> io::Result<Self> {
        Self::with_interest(inner, BOTH)
    }

    /// [`new`](Self::new) for what is of interest only.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    #[inline]
    #[track_caller]
    pub fn with_interest(inner: T, interest: Interest) -> io::Result<Self> {
        Ok(Self::try_with_interest(inner, interest)?)
    }

    /// [`new`](Self::new) that gives `inner` back if it fails.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    #[inline]
    #[track_caller]
    pub fn try_new(inner: T) -> Result<Self, AsyncFdRegisterError<T>> {
        Self::try_with_interest(inner, BOTH)
    }

    /// [`with_interest`](Self::with_interest) that gives `inner` back if it fails.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub fn try_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<Self, AsyncFdRegisterError<T>> {
        match Registration::attached(context::current_io(), inner, interest) {
            Ok(io) => Ok(Self { io }),
            Err((owner, cause)) => Err(AsyncFdRegisterError::new(owner, cause)),
        }
    }

    /// What owns the descriptor.
    #[inline]
    pub fn get_ref(&self) -> &T {
        self.io.get()
    }

    /// What owns the descriptor, to be changed; its descriptor must remain the same.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.io.get_mut()
    }

    /// Ends the watching; what owns the descriptor remains, still not blocking.
    pub fn into_inner(self) -> T {
        self.io.into_source_anyway()
    }
}

/// Making, where the caller knows what the compiler cannot.
#[allow(unsafe_code)] // The promise is part of the signature; nothing here relies on it.
impl<T: AsRawFd> AsyncFd<T> {
    /// [`try_new`](Self::try_new) with a promise.
    ///
    /// # Safety
    /// - The descriptor of `inner` must remain open until this is dropped.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub unsafe fn register(inner: T) -> Result<Self, AsyncFdRegisterError<T>> {
        Self::try_new(inner)
    }

    /// [`try_with_interest`](Self::try_with_interest) with a promise.
    ///
    /// # Safety
    /// - The descriptor of `inner` must remain open until this is dropped.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    #[track_caller]
    pub unsafe fn register_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<Self, AsyncFdRegisterError<T>> {
        Self::try_with_interest(inner, interest)
    }
}

/// Waiting for readiness.
impl<T: AsRawFd> AsyncFd<T> {
    /// Whether it can be read; if not, the task is woken when it can.
    ///
    /// Only the last task that called this or its twin is woken: for several tasks there is
    /// [`readable`](Self::readable).
    ///
    /// # Errors
    /// When the runtime is shut down.
    pub fn poll_read_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.io.poll_ready(cx, Direction::Read))?;
        Poll::Ready(Ok(AsyncFdReadyGuard::new(self, event)))
    }

    /// [`poll_read_ready`](Self::poll_read_ready) of a descriptor that may be changed.
    ///
    /// # Errors
    /// As there.
    pub fn poll_read_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.io.poll_ready(cx, Direction::Read))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard::new(self, event)))
    }

    /// Whether it can be written; if not, the task is woken when it can.
    ///
    /// Only the last task that called this or its twin is woken: for several tasks there is
    /// [`writable`](Self::writable).
    ///
    /// # Errors
    /// When the runtime is shut down.
    pub fn poll_write_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.io.poll_ready(cx, Direction::Write))?;
        Poll::Ready(Ok(AsyncFdReadyGuard::new(self, event)))
    }

    /// [`poll_write_ready`](Self::poll_write_ready) of a descriptor that may be changed.
    ///
    /// # Errors
    /// As there.
    pub fn poll_write_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.io.poll_ready(cx, Direction::Write))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard::new(self, event)))
    }

    /// Waits until something of `interest` is ready; any number of tasks may.
    ///
    /// *Cancel safety:* dropping it leaves no trace.
    ///
    /// # Errors
    /// When the runtime is shut down.
    ///
    /// # Examples
    /// ```
    /// # use std::os::unix::net::UnixStream;
    /// use tokio::io::{Interest, unix::AsyncFd};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (socket, _peer) = UnixStream::pair()?;
    /// # socket.set_nonblocking(true)?;
    /// let socket = AsyncFd::new(socket)?;
    /// let guard = socket.ready(Interest::READABLE | Interest::WRITABLE).await?;
    /// assert!(guard.ready().is_writable() && !guard.ready().is_readable());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ready(&self, interest: Interest) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        let event = self.io.readiness(interest).await?;
        Ok(AsyncFdReadyGuard::new(self, event))
    }

    /// [`ready`](Self::ready) of a descriptor that may be changed.
    ///
    /// # Errors
    /// As there.
    pub async fn ready_mut(
        &mut self,
        interest: Interest,
    ) -> io::Result<AsyncFdReadyMutGuard<'_, T>> {
        let event = self.io.readiness(interest).await?;
        Ok(AsyncFdReadyMutGuard::new(self, event))
    }

    /// Waits until it can be read.
    ///
    /// *Cancel safety:* as [`ready`](Self::ready).
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    #[allow(clippy::needless_lifetimes)] // As the signature is known.
    pub async fn readable<'a>(&'a self) -> io::Result<AsyncFdReadyGuard<'a, T>> {
        self.ready(Interest::READABLE).await
    }

    /// [`readable`](Self::readable) of a descriptor that may be changed.
    ///
    /// # Errors
    /// As there.
    #[allow(clippy::needless_lifetimes)] // As the signature is known.
    pub async fn readable_mut<'a>(&'a mut self) -> io::Result<AsyncFdReadyMutGuard<'a, T>> {
        self.ready_mut(Interest::READABLE).await
    }

    /// Waits until it can be written.
    ///
    /// *Cancel safety:* as [`ready`](Self::ready).
    ///
    /// # Errors
    /// As [`ready`](Self::ready).
    #[allow(clippy::needless_lifetimes)] // As the signature is known.
    pub async fn writable<'a>(&'a self) -> io::Result<AsyncFdReadyGuard<'a, T>> {
        self.ready(Interest::WRITABLE).await
    }

    /// [`writable`](Self::writable) of a descriptor that may be changed.
    ///
    /// # Errors
    /// As there.
    #[allow(clippy::needless_lifetimes)] // As the signature is known.
    pub async fn writable_mut<'a>(&'a mut self) -> io::Result<AsyncFdReadyMutGuard<'a, T>> {
        self.ready_mut(Interest::WRITABLE).await
    }
}

/// Operations of the caller's own.
impl<T: AsRawFd> AsyncFd<T> {
    /// Does `f` as soon as it does not answer `WouldBlock`.
    ///
    /// *Cancel safety:* if it is dropped, `f` has not succeeded.
    ///
    /// # Errors
    /// Those of `f`; when the runtime is shut down.
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut f: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.io.async_io(interest, || f(self.get_ref())).await
    }

    /// [`async_io`](Self::async_io) that may change what owns the descriptor.
    ///
    /// # Errors
    /// As there.
    pub async fn async_io_mut<R>(
        &mut self,
        interest: Interest,
        mut f: impl FnMut(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        // Bounded by the budget of the task, and by the events that come.
        loop {
            let mut guard = self.ready_mut(interest).await?;
            let is_closed = guard.ready().is_read_closed() || guard.ready().is_write_closed();
            // The charge is of one poll: no future that waits keeps it.
            let attempt = |cx: &mut Context<'_>| {
                let charge = ready!(budget::poll_proceed(cx));
                let tried = guard.try_io(|async_fd| f(async_fd.get_mut()));
                Poll::Ready(tried.inspect(|_| charge.made_progress()))
            };
            if let Ok(result) = poll_fn(attempt).await {
                return result;
            }
            if is_closed {
                budget::AfterOthers::default().await;
            }
        }
    }

    /// Does `f` if the descriptor may be ready; if it answers `WouldBlock`, clears the readiness.
    ///
    /// # Errors
    /// Those of `f`; `WouldBlock` also if it is known not to be ready.
    ///
    /// # Examples
    /// ```
    /// # use std::io::{ErrorKind, Read};
    /// # use std::os::unix::net::UnixStream;
    /// use tokio::io::{Interest, unix::AsyncFd};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// # let (socket, _peer) = UnixStream::pair()?;
    /// # socket.set_nonblocking(true)?;
    /// let socket = AsyncFd::new(socket)?;
    /// let read = socket.try_io(Interest::READABLE, |mut socket| socket.read(&mut [0; 8]));
    /// assert_eq!(read.unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    pub fn try_io<R>(
        &self,
        interest: Interest,
        f: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.io.try_io(interest, || f(self.get_ref()))
    }

    /// [`try_io`](Self::try_io) that may change what owns the descriptor.
    ///
    /// # Errors
    /// As there.
    pub fn try_io_mut<R>(
        &mut self,
        interest: Interest,
        f: impl FnOnce(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        let event = self.io.attach(None)?.event(interest);
        if event.ready.is_empty() {
            self.io.ask_to_look();
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut guard = AsyncFdReadyMutGuard::new(self, event);
        let result = guard.try_io(|async_fd| f(async_fd.get_mut()));
        result.unwrap_or_else(|_| Err(io::ErrorKind::WouldBlock.into()))
    }

    fn clear(&self, event: ReadyEvent) {
        if let Some(cell) = self.io.cell() {
            cell.clear(event);
            // Refused only for a descriptor that was closed behind our back: nothing comes of it.
            let _ = self.io.watch_again();
        }
    }
}

impl<T: AsRawFd> AsRawFd for AsyncFd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.get_ref().as_raw_fd()
    }
}

#[allow(unsafe_code)] // A bare descriptor becomes a borrowed one.
impl<T: AsRawFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: whoever made this keeps the descriptor open as long as the owner is inside,
        // which it is for the whole borrow.
        unsafe { BorrowedFd::borrow_raw(self.as_raw_fd()) }
    }
}

impl<T: AsRawFd + fmt::Debug> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFd")
            .field("inner", &Some(self.get_ref()))
            .finish()
    }
}
