//! The halves of a TCP stream.

use std::net::SocketAddr;

use crate::tcp::stream::TcpStream;

split_halves!(TcpStream, SocketAddr);

macro_rules! peek {
    ($($Half:ty)*) => {$(
        impl $Half {
            /// Reads into `buf` what then can be read again.
            ///
            /// # Errors
            /// Those of the connection.
            pub async fn peek(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.as_ref().peek(buf).await
            }

            /// [`peek`](Self::peek) for the last task that calls this.
            ///
            /// # Errors
            /// As there.
            pub fn poll_peek(
                &mut self,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<usize>> {
                self.as_ref().poll_peek(cx, buf)
            }
        }
    )*};
}

peek! { ReadHalf<'_> OwnedReadHalf }
