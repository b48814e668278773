//! Any descriptor that a selector can watch: [`AsyncFd`].

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll};

use yamanote_base::budget;
use yamanote_base::ready::{Direction, ReadyEvent};
use yamanote_driver::context;
use yamanote_driver::resource::{Registration, Watched};
use yamanote_io::{Interest, Ready};

/// A descriptor that is watched by the runtime's selector, and what owns it.
///
/// What it offers is readiness; operations on the descriptor are the caller's. One that would
/// block must say so (`WouldBlock`), after which the caller clears the readiness that it saw,
/// best by a guard's `try_io` or by [`async_io`](Self::async_io).
///
/// Dropping it ends the watching, then drops what owns the descriptor.
pub struct AsyncFd<T: AsRawFd> {
    io: Registration<T>,
}

/// A descriptor that was ready, and the right to say that it is not any more.
#[must_use = "readiness that is not used should be cleared or retained"]
pub struct AsyncFdReadyGuard<'a, T: AsRawFd> {
    async_fd: &'a AsyncFd<T>,
    event: Option<ReadyEvent>,
}

/// An [`AsyncFdReadyGuard`] that may change what owns the descriptor.
#[must_use = "readiness that is not used should be cleared or retained"]
pub struct AsyncFdReadyMutGuard<'a, T: AsRawFd> {
    async_fd: &'a mut AsyncFd<T>,
    event: Option<ReadyEvent>,
}

/// A guard's operation would have blocked; the readiness was cleared.
#[derive(Debug)]
pub struct TryIoError(());

/// A descriptor that could not be watched: what owns it, and why not.
pub struct AsyncFdRegisterError<T> {
    owner: T,
    cause: io::Error,
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
            Err((owner, cause)) => Err(AsyncFdRegisterError { owner, cause }),
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

    /// Ends the watching; what owns the descriptor remains.
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
    /// Whether it can be read, for the last task that calls this.
    ///
    /// # Errors
    /// When the runtime is shut down.
    pub fn poll_read_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = self.io.poll_ready(cx, Direction::Read);
        event.map_ok(|event| AsyncFdReadyGuard {
            async_fd: self,
            event: Some(event),
        })
    }

    /// [`poll_read_ready`](Self::poll_read_ready) of a descriptor that may be changed.
    ///
    /// # Errors
    /// As there.
    pub fn poll_read_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = self.io.poll_ready(cx, Direction::Read);
        event.map_ok(|event| AsyncFdReadyMutGuard {
            async_fd: self,
            event: Some(event),
        })
    }

    /// Whether it can be written, for the last task that calls this.
    ///
    /// # Errors
    /// When the runtime is shut down.
    pub fn poll_write_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = self.io.poll_ready(cx, Direction::Write);
        event.map_ok(|event| AsyncFdReadyGuard {
            async_fd: self,
            event: Some(event),
        })
    }

    /// [`poll_write_ready`](Self::poll_write_ready) of a descriptor that may be changed.
    ///
    /// # Errors
    /// As there.
    pub fn poll_write_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = self.io.poll_ready(cx, Direction::Write);
        event.map_ok(|event| AsyncFdReadyMutGuard {
            async_fd: self,
            event: Some(event),
        })
    }

    /// Waits until something of `interest` is ready.
    ///
    /// *Cancel safety:* dropping it leaves no trace.
    ///
    /// # Errors
    /// When the runtime is shut down.
    pub async fn ready(&self, interest: Interest) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        let event = self.io.readiness(interest).await?;
        Ok(AsyncFdReadyGuard {
            async_fd: self,
            event: Some(event),
        })
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
        Ok(AsyncFdReadyMutGuard {
            async_fd: self,
            event: Some(event),
        })
    }

    /// Waits until it can be read.
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
            let charge = poll_fn(budget::poll_proceed).await;
            if let Ok(result) = guard.try_io(|async_fd| f(async_fd.get_mut())) {
                charge.made_progress();
                return result;
            }
        }
    }

    /// Does `f` if the descriptor may be ready.
    ///
    /// # Errors
    /// Those of `f`; `WouldBlock` also if it is known not to be ready.
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
        let mut guard = AsyncFdReadyMutGuard {
            async_fd: self,
            event: Some(event),
        };
        let result = guard.try_io(|async_fd| f(async_fd.get_mut()));
        result.unwrap_or_else(|_| Err(io::ErrorKind::WouldBlock.into()))
    }

    fn clear(&self, event: Option<ReadyEvent>) {
        if let (Some(cell), Some(event)) = (self.io.cell(), event) {
            cell.clear(event);
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

/// Writes what both guards have.
macro_rules! guard {
    ($Guard:ident) => {
        impl<'a, Inner: AsRawFd> $Guard<'a, Inner> {
            /// Says that the descriptor is ready no more: an operation would have blocked.
            ///
            /// What has become ready since the guard was made remains.
            pub fn clear_ready(&mut self) {
                self.async_fd.clear(self.event.take());
            }

            /// [`clear_ready`](Self::clear_ready) for a part of what was ready.
            pub fn clear_ready_matching(&mut self, ready: Ready) {
                if let Some(event) = self.event {
                    self.async_fd
                        .clear(Some(event.with_ready(event.ready & ready)));
                    let rest = event.with_ready(event.ready - ready);
                    self.event = (!rest.ready.is_empty()).then_some(rest);
                }
            }

            /// Leaves the readiness as it is. So does dropping the guard; this says it.
            pub fn retain_ready(&mut self) {}

            /// What is ready.
            pub fn ready(&self) -> Ready {
                self.event.map_or(Ready::EMPTY, |event| event.ready)
            }
        }

        impl<'a, T: fmt::Debug + AsRawFd> fmt::Debug for $Guard<'a, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Guard))
                    .field("async_fd", &self.async_fd)
                    .finish_non_exhaustive()
            }
        }
    };
}

guard!(AsyncFdReadyGuard);
guard!(AsyncFdReadyMutGuard);

impl<'a, Inner: AsRawFd> AsyncFdReadyGuard<'a, Inner> {
    /// Does `f`; if it answers `WouldBlock`, clears the readiness.
    ///
    /// # Errors
    /// [`TryIoError`] if it would have blocked; what else `f` says is inside of the `Ok`.
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&'a AsyncFd<Inner>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        match f(self.async_fd) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.clear_ready();
                Err(TryIoError(()))
            }
            result => Ok(result),
        }
    }

    /// What is ready.
    pub fn get_ref(&self) -> &'a AsyncFd<Inner> {
        self.async_fd
    }

    /// What owns the descriptor.
    pub fn get_inner(&self) -> &'a Inner {
        self.async_fd.get_ref()
    }
}

impl<'a, Inner: AsRawFd> AsyncFdReadyMutGuard<'a, Inner> {
    /// Does `f`; if it answers `WouldBlock`, clears the readiness.
    ///
    /// # Errors
    /// [`TryIoError`] if it would have blocked; what else `f` says is inside of the `Ok`.
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&mut AsyncFd<Inner>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        match f(self.async_fd) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.clear_ready();
                Err(TryIoError(()))
            }
            result => Ok(result),
        }
    }

    /// What is ready.
    pub fn get_ref(&self) -> &AsyncFd<Inner> {
        self.async_fd
    }

    /// What is ready, to be changed.
    pub fn get_mut(&mut self) -> &mut AsyncFd<Inner> {
        self.async_fd
    }

    /// What owns the descriptor.
    pub fn get_inner(&self) -> &Inner {
        self.async_fd.get_ref()
    }

    /// What owns the descriptor, to be changed.
    pub fn get_inner_mut(&mut self) -> &mut Inner {
        self.async_fd.get_mut()
    }
}

impl<T> AsyncFdRegisterError<T> {
    /// What owns the descriptor, and why it could not be watched.
    pub fn into_parts(self) -> (T, io::Error) {
        (self.owner, self.cause)
    }
}

impl<T> fmt::Display for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.cause, f)
    }
}

impl<T> fmt::Debug for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.cause, f)
    }
}

impl<T> Error for AsyncFdRegisterError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

impl<T> From<AsyncFdRegisterError<T>> for io::Error {
    fn from(error: AsyncFdRegisterError<T>) -> Self {
        error.cause
    }
}
