//! The two halves of a stream, borrowed and owned: written once for TCP and Unix.

/// Writes `ReadHalf`, `WriteHalf`, `OwnedReadHalf`, `OwnedWriteHalf` and `ReuniteError` of a
/// stream, with `$Addr` the type of its addresses.
macro_rules! split_halves {
    ($Stream:ident, $Addr:ty) => {
        use std::io::{self, IoSlice, IoSliceMut};
        use std::pin::Pin;
        use std::sync::Arc;
        use std::task::{Context, Poll};

        use bytes::BufMut;
        use yamanote_io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};

        /// The reading half of a stream, borrowed from it.
        #[derive(Debug)]
        pub struct ReadHalf<'a>(&'a $Stream);

        /// The writing half of a stream, borrowed from it.
        ///
        /// Shutting it down shuts the stream's writing direction down.
        #[derive(Debug)]
        pub struct WriteHalf<'a>(&'a $Stream);

        /// The reading half of a stream that both halves own.
        #[derive(Debug)]
        pub struct OwnedReadHalf {
            inner: Arc<$Stream>,
        }

        /// The writing half of a stream that both halves own.
        ///
        /// Dropping it shuts the stream's writing direction down.
        #[derive(Debug)]
        pub struct OwnedWriteHalf {
            inner: Arc<$Stream>,
            shutdown_on_drop: bool,
        }

        /// Two halves that are not of the same stream.
        #[derive(Debug)]
        pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

        impl $Stream {
            /// Both halves, borrowed: for use within one task.
            pub fn split<'a>(&'a mut self) -> (ReadHalf<'a>, WriteHalf<'a>) {
                (ReadHalf(self), WriteHalf(self))
            }

            /// Both halves, owned: they may go to different tasks.
            pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
                let stream = Arc::new(self);
                let read = OwnedReadHalf { inner: stream.clone() };
                (read, OwnedWriteHalf { inner: stream, shutdown_on_drop: true })
            }
        }

        impl OwnedReadHalf {
            /// The stream again, of both its halves.
            ///
            /// # Errors
            /// If they are halves of two streams; it gives them back.
            pub fn reunite(self, other: OwnedWriteHalf) -> Result<$Stream, ReuniteError> {
                if !Arc::ptr_eq(&self.inner, &other.inner) {
                    return Err(ReuniteError(self, other));
                }
                other.forget();
                let stream = Arc::into_inner(self.inner);
                Ok(stream.expect("there are two halves, of which one has just gone"))
            }
        }

        impl OwnedWriteHalf {
            /// The stream again, of both its halves.
            ///
            /// # Errors
            /// If they are halves of two streams; it gives them back.
            pub fn reunite(self, other: OwnedReadHalf) -> Result<$Stream, ReuniteError> {
                other.reunite(self)
            }

            /// Drops it and leaves the writing direction open.
            pub fn forget(mut self) {
                self.shutdown_on_drop = false;
            }
        }

        impl Drop for OwnedWriteHalf {
            fn drop(&mut self) {
                if self.shutdown_on_drop {
                    // It may have been closed from the other side.
                    let _ = self.inner.shutdown_write();
                }
            }
        }

        impl std::fmt::Display for ReuniteError {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("tried to reunite halves that are not from the same socket")
            }
        }

        impl std::error::Error for ReuniteError {}

        split_halves!(@read $Stream, $Addr, ReadHalf<'_>, |half| half.0);
        split_halves!(@read $Stream, $Addr, OwnedReadHalf, |half| &*half.inner);
        split_halves!(@write $Stream, $Addr, WriteHalf<'_>, |half| half.0);
        split_halves!(@write $Stream, $Addr, OwnedWriteHalf, |half| &*half.inner);

        impl AsyncWrite for WriteHalf<'_> {
            split_halves!(@async_write |half| half.0);

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.0.shutdown_write())
            }
        }

        impl AsyncWrite for OwnedWriteHalf {
            split_halves!(@async_write |half| &half.inner);

            fn poll_shutdown(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<io::Result<()>> {
                let result = self.inner.shutdown_write();
                if result.is_ok() {
                    self.shutdown_on_drop = false;
                }
                Poll::Ready(result)
            }
        }
    };
    (@read $Stream:ident, $Addr:ty, $Half:ty, |$half:ident| $stream:expr) => {
        split_halves!(@common $Stream, $Addr, $Half, |$half| $stream);

        impl $Half {
            /// Waits until it can be read.
            ///
            /// # Errors
            /// When the runtime is shut down.
            pub async fn readable(&self) -> io::Result<()> {
                self.as_ref().readable().await
            }

            /// Reads what is there; 0 is the end of the stream.
            ///
            /// # Errors
            /// `WouldBlock` if nothing is there.
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                self.as_ref().try_read(buf)
            }

            /// [`try_read`](Self::try_read) into several buffers.
            ///
            /// # Errors
            /// As there.
            pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.as_ref().try_read_vectored(bufs)
            }

            /// [`try_read`](Self::try_read) into `buf`, which advances.
            ///
            /// # Errors
            /// As there.
            pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                self.as_ref().try_read_buf(buf)
            }
        }

        impl AsyncRead for $Half {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let $half = self.get_mut();
                ($stream).poll_read_priv(cx, buf)
            }
        }
    };
    (@write $Stream:ident, $Addr:ty, $Half:ty, |$half:ident| $stream:expr) => {
        split_halves!(@common $Stream, $Addr, $Half, |$half| $stream);

        impl $Half {
            /// Waits until it can be written.
            ///
            /// # Errors
            /// When the runtime is shut down.
            pub async fn writable(&self) -> io::Result<()> {
                self.as_ref().writable().await
            }

            /// Writes what there is room for.
            ///
            /// # Errors
            /// `WouldBlock` if there is no room.
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                self.as_ref().try_write(buf)
            }

            /// [`try_write`](Self::try_write) from several buffers.
            ///
            /// # Errors
            /// As there.
            pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                self.as_ref().try_write_vectored(bufs)
            }
        }
    };
    (@common $Stream:ident, $Addr:ty, $Half:ty, |$half:ident| $stream:expr) => {
        impl AsRef<$Stream> for $Half {
            fn as_ref(&self) -> &$Stream {
                let $half = self;
                $stream
            }
        }

        impl $Half {
            /// Waits until something of `interest` is ready, and says what.
            ///
            /// # Errors
            /// When the runtime is shut down.
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                self.as_ref().ready(interest).await
            }

            /// The address of the other end.
            ///
            /// # Errors
            /// Those of the system.
            pub fn peer_addr(&self) -> io::Result<$Addr> {
                self.as_ref().peer_addr()
            }

            /// The address of this end.
            ///
            /// # Errors
            /// Those of the system.
            pub fn local_addr(&self) -> io::Result<$Addr> {
                self.as_ref().local_addr()
            }
        }
    };
    (@async_write |$half:ident| $stream:expr) => {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            let $half = self.get_mut();
            ($stream).poll_write_priv(cx, buf)
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bufs: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let $half = self.get_mut();
            ($stream).poll_write_vectored_priv(cx, bufs)
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            // Nothing is kept back on this side.
            Poll::Ready(Ok(()))
        }
    };
}
