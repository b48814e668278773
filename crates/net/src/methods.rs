//! What all sockets have: waiting for readiness, operations of the caller's own, descriptors.

/// Writes `ready`, `readable`, `writable`, `try_io`, `async_io` and the `poll_*_ready` pair of a
/// socket with a field `io` that is `Watched`.
macro_rules! readiness_methods {
    ($Socket:ident, $poll_read:ident, $poll_write:ident) => {
        impl $Socket {
            /// Waits until something of `interest` is ready, and says what.
            ///
            /// It may be ready for less than it says: the operation may still answer
            /// `WouldBlock`. *Cancel safety:* dropping it leaves no trace.
            ///
            /// # Errors
            /// When the runtime is shut down.
            pub async fn ready(
                &self,
                interest: yamanote_io::Interest,
            ) -> std::io::Result<yamanote_io::Ready> {
                use yamanote_driver::resource::Watched as _;
                Ok(self.io.readiness(interest).await?.ready)
            }

            /// [`ready`](Self::ready) for reading.
            ///
            /// # Errors
            /// As there.
            pub async fn readable(&self) -> std::io::Result<()> {
                self.ready(yamanote_io::Interest::READABLE).await.map(drop)
            }

            /// [`ready`](Self::ready) for writing.
            ///
            /// # Errors
            /// As there.
            pub async fn writable(&self) -> std::io::Result<()> {
                self.ready(yamanote_io::Interest::WRITABLE).await.map(drop)
            }

            /// [`readable`](Self::readable) for the last task that calls this.
            ///
            /// # Errors
            /// As there.
            pub fn $poll_read(
                &self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                use yamanote_driver::resource::Watched as _;
                self.io
                    .poll_ready(cx, yamanote_base::ready::Direction::Read)
                    .map_ok(drop)
            }

            /// [`writable`](Self::writable) for the last task that calls this.
            ///
            /// # Errors
            /// As there.
            pub fn $poll_write(
                &self,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                use yamanote_driver::resource::Watched as _;
                self.io
                    .poll_ready(cx, yamanote_base::ready::Direction::Write)
                    .map_ok(drop)
            }

            /// Does `f`, an operation on this socket that does not block, if it may be ready.
            ///
            /// When `f` answers `WouldBlock`, the readiness that was known is forgotten.
            ///
            /// # Errors
            /// Those of `f`; `WouldBlock` also if the socket is known not to be ready.
            pub fn try_io<R>(
                &self,
                interest: yamanote_io::Interest,
                f: impl FnOnce() -> std::io::Result<R>,
            ) -> std::io::Result<R> {
                use yamanote_driver::resource::Watched as _;
                self.io.try_io(interest, f)
            }

            /// Does `f`, an operation on this socket, as soon as it does not answer `WouldBlock`.
            ///
            /// *Cancel safety:* if it is dropped, `f` has not succeeded.
            ///
            /// # Errors
            /// Those of `f`; when the runtime is shut down.
            pub async fn async_io<R>(
                &self,
                interest: yamanote_io::Interest,
                f: impl FnMut() -> std::io::Result<R>,
            ) -> std::io::Result<R> {
                use yamanote_driver::resource::Watched as _;
                self.io.async_io(interest, f).await
            }
        }
    };
}

/// Writes `AsFd` and `AsRawFd`, on Windows `AsSocket` and `AsRawSocket`, for a socket with a field
/// `io`; `$get` finds the source in it.
macro_rules! descriptor {
    ($Socket:ident, |$io:ident| $get:expr) => {
        #[cfg(unix)]
        impl std::os::fd::AsRawFd for $Socket {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                let $io = &self.io;
                std::os::fd::AsRawFd::as_raw_fd($get)
            }
        }

        #[cfg(unix)]
        impl std::os::fd::AsFd for $Socket {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                let $io = &self.io;
                std::os::fd::AsFd::as_fd($get)
            }
        }

        #[cfg(windows)]
        impl std::os::windows::io::AsRawSocket for $Socket {
            fn as_raw_socket(&self) -> std::os::windows::io::RawSocket {
                let $io = &self.io;
                std::os::windows::io::AsRawSocket::as_raw_socket($get)
            }
        }

        #[cfg(windows)]
        impl std::os::windows::io::AsSocket for $Socket {
            fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
                let $io = &self.io;
                std::os::windows::io::AsSocket::as_socket($get)
            }
        }
    };
}

/// Writes `Debug`, in the form that is known of the socket, and `TryFrom` of std's twin.
macro_rules! socket_traits {
    ($Socket:ident, $std:ty, $show:expr) => {
        impl std::fmt::Debug for $Socket {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $show(self.io.os(), f)
            }
        }

        impl TryFrom<$std> for $Socket {
            type Error = std::io::Error;

            /// The same as [`from_std`](Self::from_std).
            fn try_from(socket: $std) -> std::io::Result<Self> {
                Self::from_std(socket)
            }
        }
    };
}

/// Shows a socket as its source shows itself: so all but those of UDP.
pub(crate) fn show_source(
    source: std::io::Result<&impl std::fmt::Debug>,
    f: &mut std::fmt::Formatter<'_>,
) -> std::fmt::Result {
    match source {
        Ok(source) => source.fmt(f),
        Err(_) => f.write_str("Simulated"),
    }
}

/// Shows a socket as one that events are waited for: so those of UDP.
pub(crate) fn show_evented(
    source: std::io::Result<&impl std::fmt::Debug>,
    f: &mut std::fmt::Formatter<'_>,
) -> std::fmt::Result {
    let source = source.ok();
    f.debug_struct("PollEvented").field("io", &source).finish()
}

/// The source of a socket of the real system.
///
/// # Panics
/// If the socket is simulated: it has no descriptor.
#[track_caller]
pub(crate) fn real<S>(source: std::io::Result<&S>) -> &S {
    match source {
        Ok(source) => source,
        Err(error) => panic!("{error}"),
    }
}
