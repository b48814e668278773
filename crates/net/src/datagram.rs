//! What UDP's and Unix's sockets for datagrams have alike.

/// Writes `send` and `recv` and their likes of a socket whose field `io` is a
/// [`Resource`](yamanote_driver::resource::Resource), and that has `recv_chunk_from`, by which it
/// receives with the sender, an `$Addr`. Who receives waits for `$awaited`; `poll_` functions and
/// `try_` functions know of what is readable alone, as tokio's.
macro_rules! datagram_methods {
    ($Socket:ident, $Addr:ty, $awaited:expr) => {
        impl $Socket {
            /// Takes what went wrong since it was asked last.
            ///
            /// # Errors
            /// Those of the system.
            pub fn take_error(&self) -> io::Result<Option<io::Error>> {
                self.io.take_error()
            }
        }

        /// Sending where it is connected to.
        impl $Socket {
            /// Sends `buf` to the address that it is connected to.
            ///
            /// *Cancel safety:* if it is dropped, nothing was sent.
            ///
            /// # Errors
            /// When it is not connected, `buf` is too long, or the other side has gone; over UDP,
            /// when an earlier datagram was refused.
            pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
                self.io
                    .async_io(Interest::WRITABLE, || self.io.send(buf))
                    .await
            }

            /// [`send`](Self::send) for the last task that calls this.
            ///
            /// # Errors
            /// As there.
            pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
                self.io.poll_io(cx, Direction::Write, || self.io.send(buf))
            }

            /// [`send`](Self::send) at once.
            ///
            /// # Errors
            /// As there; `WouldBlock` if there is no room.
            pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
                self.io.try_io(Interest::WRITABLE, || self.io.send(buf))
            }
        }

        /// Receiving. What of a datagram does not fit into the buffer is lost.
        impl $Socket {
            /// Receives a datagram; returns its length.
            ///
            /// *Cancel safety:* if it is dropped, nothing was received.
            ///
            /// # Errors
            /// Those of the system; over UDP, when an earlier datagram was refused.
            pub async fn recv(&self, mut buf: &mut [u8]) -> io::Result<usize> {
                self.recv_buf(&mut buf).await
            }

            /// [`recv`](Self::recv) into `buf`, which advances.
            ///
            /// # Errors
            /// As there.
            pub async fn recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                let recv = || fill(buf, |buf| self.io.recv(buf));
                self.io.async_io($awaited, recv).await
            }

            /// [`recv`](Self::recv) for the last task that calls this.
            ///
            /// # Errors
            /// As there.
            pub fn poll_recv(
                &self,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let recv = || fill(buf, |buf| self.io.recv(buf));
                self.io.poll_io(cx, Direction::Read, recv).map_ok(drop)
            }

            /// [`recv`](Self::recv) at once.
            ///
            /// # Errors
            /// As there; `WouldBlock` if nothing is there.
            pub fn try_recv(&self, mut buf: &mut [u8]) -> io::Result<usize> {
                self.try_recv_buf(&mut buf)
            }

            /// [`try_recv`](Self::try_recv) into `buf`, which advances.
            ///
            /// # Errors
            /// As there.
            pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                self.io
                    .try_io(Interest::READABLE, || fill(buf, |buf| self.io.recv(buf)))
            }

            /// Receives a datagram; returns its length and its sender.
            ///
            /// *Cancel safety:* if it is dropped, nothing was received.
            ///
            /// # Errors
            /// Those of the system; over UDP, when an earlier datagram was refused.
            pub async fn recv_from(&self, mut buf: &mut [u8]) -> io::Result<(usize, $Addr)> {
                self.recv_buf_from(&mut buf).await
            }

            /// [`recv_from`](Self::recv_from) into `buf`, which advances.
            ///
            /// # Errors
            /// As there.
            pub async fn recv_buf_from<B: BufMut>(
                &self,
                buf: &mut B,
            ) -> io::Result<(usize, $Addr)> {
                let recv = || fill_with(buf, |buf| self.recv_chunk_from(buf));
                self.io.async_io($awaited, recv).await
            }

            /// [`recv_from`](Self::recv_from) for the last task that calls this.
            ///
            /// # Errors
            /// As there.
            pub fn poll_recv_from(
                &self,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<$Addr>> {
                let recv = || fill_with(buf, |buf| self.recv_chunk_from(buf));
                self.io
                    .poll_io(cx, Direction::Read, recv)
                    .map_ok(|(_, from)| from)
            }

            /// [`recv_from`](Self::recv_from) at once.
            ///
            /// # Errors
            /// As there; `WouldBlock` if nothing is there.
            pub fn try_recv_from(&self, mut buf: &mut [u8]) -> io::Result<(usize, $Addr)> {
                self.try_recv_buf_from(&mut buf)
            }

            /// [`try_recv_from`](Self::try_recv_from) into `buf`, which advances.
            ///
            /// # Errors
            /// As there.
            pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, $Addr)> {
                let recv = || fill_with(buf, |buf| self.recv_chunk_from(buf));
                self.io.try_io(Interest::READABLE, recv)
            }
        }
    };
}
