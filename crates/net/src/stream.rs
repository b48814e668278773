//! What TCP's and Unix's streams have alike.

/// Writes `try_read`, `try_write` and their likes, `AsyncRead` and `AsyncWrite` of a stream with a
/// field `io` that is a [`Resource`](yamanote_driver::resource::Resource).
macro_rules! stream_methods {
    ($Stream:ident) => {
        impl $Stream {
            /// Takes what went wrong since it was asked last.
            ///
            /// # Errors
            /// Those of the system.
            pub fn take_error(&self) -> io::Result<Option<io::Error>> {
                self.io.take_error()
            }

            /// Reads what is there; 0 is the end of the stream.
            ///
            /// # Errors
            /// `WouldBlock` if nothing is there.
            pub fn try_read(&self, mut buf: &mut [u8]) -> io::Result<usize> {
                self.try_read_buf(&mut buf)
            }

            /// [`try_read`](Self::try_read) into `buf`, which advances.
            ///
            /// # Errors
            /// As there.
            pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                let read = || fill(buf, |buf| self.io.read(buf));
                self.io.try_io(Interest::READABLE, read)
            }

            /// [`try_read`](Self::try_read) into several buffers.
            ///
            /// # Errors
            /// As there.
            pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                let read = || self.io.read_vectored(bufs);
                self.io.try_io(Interest::READABLE, read)
            }

            /// Writes what there is room for.
            ///
            /// # Errors
            /// `WouldBlock` if there is no room.
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                self.io.try_io(Interest::WRITABLE, || self.io.write(buf))
            }

            /// [`try_write`](Self::try_write) from several buffers.
            ///
            /// # Errors
            /// As there.
            pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                let write = || self.io.write_vectored(bufs);
                self.io.try_io(Interest::WRITABLE, write)
            }

            #[inline]
            pub(crate) fn poll_read_priv(
                &self,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                fill::poll_read(&self.io, cx, buf, |buf| self.io.read(buf))
            }

            #[inline]
            pub(crate) fn poll_write_priv(
                &self,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                let write = || self.io.write(buf);
                self.io
                    .poll_transfer(cx, Direction::Write, buf.len(), write)
            }

            #[inline]
            pub(crate) fn poll_write_vectored_priv(
                &self,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let write = || self.io.write_vectored(bufs);
                self.io.poll_io(cx, Direction::Write, write)
            }
        }

        impl AsRef<Self> for $Stream {
            fn as_ref(&self) -> &Self {
                self
            }
        }

        impl AsyncRead for $Stream {
            #[inline]
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.poll_read_priv(cx, buf)
            }
        }

        impl AsyncWrite for $Stream {
            #[inline]
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.poll_write_priv(cx, buf)
            }

            #[inline]
            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.poll_write_vectored_priv(cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                // Nothing is kept back on this side.
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.shutdown_write())
            }
        }
    };
}
