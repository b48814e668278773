//! Pipes to the standard streams of a child: [`ChildStdin`], [`ChildStdout`], [`ChildStderr`].

use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};

use yamanote_base::interest::Interest;
use yamanote_base::ready::Direction;
use yamanote_driver::context;
use yamanote_driver::resource::unix::{PipeEnd, ShownEnd, pipe};
use yamanote_driver::resource::{Registration, Watched};
use yamanote_io::{AsyncRead, AsyncWrite, ReadBuf};

/// Where a child's standard input is written; dropping it ends the input.
pub struct ChildStdin {
    pipe: PipeEnd,
}

/// Where a child's standard output is read.
pub struct ChildStdout {
    pipe: PipeEnd,
}

/// Where a child's standard error is read.
pub struct ChildStderr {
    pipe: PipeEnd,
}

/// What shows itself between a stream and its pipe.
struct StreamInside<'a>(&'static str, ShownEnd<'a>);

/// Makes what does not block of a pipe that std has made.
#[track_caller]
fn watched(fd: OwnedFd, interest: Interest) -> io::Result<PipeEnd> {
    let handle = context::current_io();
    pipe::set_nonblocking(fd.as_fd(), true)?;
    Registration::new(handle, File::from(fd), interest)
}

/// Writes what the three have in common.
macro_rules! pipe_methods {
    ($($stream:ident, $inner:literal, $end:literal, $std:ty, $interest:ident;)+) => {$(
        impl fmt::Debug for $stream {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let inner = StreamInside($inner, ShownEnd($end, &self.pipe));
                f.debug_struct(stringify!($stream)).field("inner", &inner).finish()
            }
        }

        impl $stream {
            /// The asynchronous twin of `inner`, which must be a pipe.
            ///
            /// # Errors
            /// Those of the system.
            ///
            /// # Panics
            /// Outside of a runtime with I/O.
            #[track_caller]
            pub fn from_std(inner: $std) -> io::Result<Self> {
                watched(inner.into(), Interest::$interest).map(|pipe| Self { pipe })
            }

            /// The descriptor, whose operations block again.
            ///
            /// # Errors
            /// Those of the system.
            pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
                let fd = OwnedFd::from(self.pipe.into_source()?);
                pipe::set_nonblocking(fd.as_fd(), false)?;
                Ok(fd)
            }
        }

        impl TryInto<Stdio> for $stream {
            type Error = io::Error;

            fn try_into(self) -> io::Result<Stdio> {
                self.into_owned_fd().map(Stdio::from)
            }
        }

        impl AsRawFd for $stream {
            fn as_raw_fd(&self) -> RawFd {
                self.pipe.get().as_raw_fd()
            }
        }

        impl AsFd for $stream {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.pipe.get().as_fd()
            }
        }
    )+};
}

pipe_methods! {
    ChildStdin, "ChildStdin", "Sender", std::process::ChildStdin, WRITABLE;
    ChildStdout, "ChildStdout", "Receiver", std::process::ChildStdout, READABLE;
    ChildStderr, "ChildStdout", "Receiver", std::process::ChildStderr, READABLE;
}

impl fmt::Debug for StreamInside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.0).field("inner", &self.1).finish()
    }
}

/// Reads through the pipe.
macro_rules! read_pipe {
    ($($stream:ident)+) => {$(
        impl AsyncRead for $stream {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                poll_read(&self.pipe, cx, buf)
            }
        }
    )+};
}

read_pipe!(ChildStdout ChildStderr);

fn poll_read(pipe: &PipeEnd, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
    let dst = buf.initialize_unfilled();
    let mut file = pipe.get();
    let n = ready!(pipe.poll_transfer(cx, Direction::Read, dst.len(), || file.read(dst)))?;
    buf.advance(n);
    Poll::Ready(Ok(()))
}

impl AsyncWrite for ChildStdin {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = bufs
            .iter()
            .map(|buf| buf.len())
            .fold(0, usize::saturating_add);
        let mut file = self.pipe.get();
        self.pipe
            .poll_transfer(cx, Direction::Write, len, || file.write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: the input ends when this is dropped.
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
