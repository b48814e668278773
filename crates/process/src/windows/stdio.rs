//! Pipes to the standard streams of a child: [`ChildStdin`], [`ChildStdout`], [`ChildStderr`].
//!
//! Std's pipes block on Windows, so each operation is one of the threads that may block.

use std::fs::File;
use std::future::Future;
use std::io::{self, Read, Write};
use std::mem;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle, RawHandle};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use yamanote_driver::op::{self, Op};
use yamanote_io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes of one operation.
const LEN_MAX: usize = 64 * 1024;

/// A pipe whose operations block, and the one under way.
#[derive(Debug)]
struct BlockingPipe {
    file: Arc<File>,
    stage: PipeStage,
}

#[derive(Debug)]
enum PipeStage {
    /// What was read and not yet fetched: the bytes from this place on. Empty before a write.
    Idle(Vec<u8>, usize),
    Reading(Op<Vec<u8>>),
    Writing(Op<()>),
}

impl BlockingPipe {
    fn new(handle: OwnedHandle) -> Self {
        Self {
            file: Arc::new(File::from(handle)),
            stage: PipeStage::Idle(Vec::new(), 0),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, dst: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if dst.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        self.begin_read(dst.remaining());
        if let PipeStage::Reading(op) = &mut self.stage {
            let read = ready!(Pin::new(op).poll(cx));
            self.stage = PipeStage::Idle(Vec::new(), 0);
            self.stage = PipeStage::Idle(read?, 0);
        }
        if let PipeStage::Idle(bytes, from) = &mut self.stage {
            let n = dst.remaining().min(bytes.len() - *from);
            dst.put_slice(&bytes[*from..*from + n]);
            *from += n;
        }
        Poll::Ready(Ok(()))
    }

    /// Begins to read up to `len` bytes, if nothing is there and nothing is under way.
    fn begin_read(&mut self, len: usize) {
        let buf = match &mut self.stage {
            PipeStage::Idle(bytes, from) if *from == bytes.len() => mem::take(bytes),
            _ => return,
        };
        let file = self.file.clone();
        let read = move || read(&file, buf, len.min(LEN_MAX));
        self.stage = PipeStage::Reading(op::submit(read));
    }

    /// Begins to write; the bytes are on their way then, and the next call waits for them.
    fn poll_write(&mut self, cx: &mut Context<'_>, src: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_written(cx))?;
        let bytes = src[..src.len().min(LEN_MAX)].to_vec();
        let (file, n) = (self.file.clone(), bytes.len());
        let write = move || (&*file).write_all(&bytes);
        self.stage = PipeStage::Writing(op::submit_mandatory(write));
        Poll::Ready(Ok(n))
    }

    /// Waits for the write under way, if there is one.
    fn poll_written(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let PipeStage::Writing(op) = &mut self.stage {
            let written = ready!(Pin::new(op).poll(cx));
            self.stage = PipeStage::Idle(Vec::new(), 0);
            written?;
        }
        Poll::Ready(Ok(()))
    }

    /// The handle, when no operation uses it.
    fn into_handle(self) -> io::Result<OwnedHandle> {
        match Arc::try_unwrap(self.file) {
            Ok(file) => Ok(file.into()),
            Err(file) => Ok(file.try_clone()?.into()),
        }
    }
}

/// Reads up to `len` bytes; none is the end.
fn read(mut file: &File, mut buf: Vec<u8>, len: usize) -> io::Result<Vec<u8>> {
    buf.clear();
    buf.resize(len, 0);
    // Bounded: only a signal makes another round.
    let n = loop {
        match file.read(&mut buf) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // The other end was closed: that is the end.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break 0,
            result => break result?,
        }
    };
    buf.truncate(n);
    Ok(buf)
}

/// Where a child's standard input is written; dropping it ends the input.
#[derive(Debug)]
pub struct ChildStdin {
    pipe: BlockingPipe,
}

/// Where a child's standard output is read.
#[derive(Debug)]
pub struct ChildStdout {
    pipe: BlockingPipe,
}

/// Where a child's standard error is read.
#[derive(Debug)]
pub struct ChildStderr {
    pipe: BlockingPipe,
}

/// Writes what the three have in common.
macro_rules! pipe_methods {
    ($($stream:ident, $std:ty;)+) => {$(
        impl $stream {
            /// The asynchronous twin of `inner`, which must be a pipe.
            ///
            /// # Errors
            /// None; elsewhere those of the system.
            pub fn from_std(inner: $std) -> io::Result<Self> {
                Ok(Self { pipe: BlockingPipe::new(inner.into()) })
            }

            /// The handle. An operation that is under way goes on.
            ///
            /// # Errors
            /// Those of the system.
            pub fn into_owned_handle(self) -> io::Result<OwnedHandle> {
                self.pipe.into_handle()
            }
        }

        impl TryInto<Stdio> for $stream {
            type Error = io::Error;

            fn try_into(self) -> io::Result<Stdio> {
                self.into_owned_handle().map(Stdio::from)
            }
        }

        impl AsRawHandle for $stream {
            fn as_raw_handle(&self) -> RawHandle {
                self.pipe.file.as_raw_handle()
            }
        }

        impl AsHandle for $stream {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                self.pipe.file.as_handle()
            }
        }
    )+};
}

pipe_methods! {
    ChildStdin, std::process::ChildStdin;
    ChildStdout, std::process::ChildStdout;
    ChildStderr, std::process::ChildStderr;
}

/// Reads through the pipe.
macro_rules! read_pipe {
    ($($stream:ident)+) => {$(
        impl AsyncRead for $stream {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.pipe.poll_read(cx, buf)
            }
        }
    )+};
}

read_pipe!(ChildStdout ChildStderr);

impl AsyncWrite for ChildStdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.pipe.poll_write(cx, buf)
    }

    /// Waits until what was written is in the pipe.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.poll_written(cx)
    }

    /// Waits as a flush does; the input ends when this is dropped.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.poll_written(cx)
    }
}
