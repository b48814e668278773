//! The ends of a named pipe: [`NamedPipeServer`], [`NamedPipeClient`].

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;
use yamanote_base::ready::Direction;
use yamanote_driver::resource::Watched;
use yamanote_driver::resource::windows::NamedPipe;
use yamanote_io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

use crate::windows::named_pipe::PipeInfo;

/// The most bytes that are asked for at once, where they must be copied.
const COPY_LEN: usize = 8 * 1024;

/// The end of a named pipe that made it; for one client at a time.
///
/// ```no_run
/// # #[cfg(windows)]
/// # async fn serve() -> std::io::Result<()> {
/// use tokio::net::windows::named_pipe::ServerOptions;
///
/// let name = r"\\.\pipe\yamanote-server";
/// let mut server = ServerOptions::new().first_pipe_instance(true).create(name)?;
/// loop {
///     server.connect().await?;
///     let connected = server;
///     // The next client must find a server at any time.
///     server = ServerOptions::new().create(name)?;
///     tokio::spawn(async move { drop(connected) });
/// }
/// # }
/// ```
pub struct NamedPipeServer {
    pub(crate) io: NamedPipe,
}

/// The end of a named pipe that opened it.
pub struct NamedPipeClient {
    pub(crate) io: NamedPipe,
}

impl NamedPipeServer {
    /// Waits for a client.
    ///
    /// *Cancel safety:* a client that came is there at the next call.
    ///
    /// # Errors
    /// Those of the system.
    pub async fn connect(&self) -> io::Result<()> {
        self.io.connect().await
    }

    /// Sends the client away, with what it has not read yet; another one may come then.
    ///
    /// # Errors
    /// Those of the system.
    pub fn disconnect(&self) -> io::Result<()> {
        self.io.disconnect()
    }
}

/// Writes what both ends have.
macro_rules! ends {
    ($($End:ident)*) => {$(
        readiness_methods!($End, poll_read_ready, poll_write_ready);

        impl $End {
            pub(crate) fn of(io: NamedPipe) -> Self {
                Self { io }
            }

            /// What the system knows of the pipe.
            ///
            /// # Errors
            /// Those of the system.
            pub fn info(&self) -> io::Result<PipeInfo> {
                self.io.facts().map(PipeInfo::of)
            }

            /// Reads what is there; 0 is the end.
            ///
            /// # Errors
            /// `WouldBlock` if nothing is there.
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                let mut pipe = self.io.get();
                self.io.try_io(Interest::READABLE, || pipe.read(buf))
            }

            /// [`try_read`](Self::try_read) into several buffers.
            ///
            /// # Errors
            /// As there.
            pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                let mut pipe = self.io.get();
                self.io.try_io(Interest::READABLE, || pipe.read_vectored(bufs))
            }

            /// [`try_read`](Self::try_read) into `buf`, which advances.
            ///
            /// # Errors
            /// As there.
            pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                let mut copy = [0; COPY_LEN];
                let len = buf.chunk_mut().len().min(COPY_LEN);
                let n = self.try_read(&mut copy[..len])?;
                buf.put_slice(&copy[..n]);
                Ok(n)
            }

            /// Writes `buf`, all of it.
            ///
            /// # Errors
            /// `WouldBlock` if what was written before is under way yet.
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                let mut pipe = self.io.get();
                self.io.try_io(Interest::WRITABLE, || pipe.write(buf))
            }

            /// [`try_write`](Self::try_write) from several buffers.
            ///
            /// # Errors
            /// As there.
            pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                let mut pipe = self.io.get();
                self.io.try_io(Interest::WRITABLE, || pipe.write_vectored(bufs))
            }
        }

        impl fmt::Debug for $End {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($End))
                    .field("io", self.io.get())
                    .finish()
            }
        }

        impl AsyncRead for $End {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                poll_read(&self.io, cx, buf)
            }
        }

        impl AsyncWrite for $End {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                let mut pipe = self.io.get();
                self.io.poll_io(cx, Direction::Write, || pipe.write(buf))
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let mut pipe = self.io.get();
                self.io
                    .poll_io(cx, Direction::Write, || pipe.write_vectored(bufs))
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            /// Does nothing: the writing ends when this is dropped.
            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }
        }
    )*};
}

ends! { NamedPipeServer NamedPipeClient }

fn poll_read(
    pipe: &NamedPipe,
    cx: &mut Context<'_>,
    buf: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let dst = buf.initialize_unfilled();
    let mut source = pipe.get();
    let n = ready!(pipe.poll_io(cx, Direction::Read, || source.read(dst)))?;
    buf.advance(n);
    Poll::Ready(Ok(()))
}
