//! Pipes: the ends of anonymous ones, and named ones (FIFO files).

use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BufMut;
use yamanote_base::ready::Direction;
use yamanote_driver::context;
use yamanote_driver::resource::unix::{self, PipeEnd, ShownEnd};
use yamanote_driver::resource::{Registration, Watched};
use yamanote_io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};

use crate::fill::{self, fill};

/// An anonymous pipe: its writing and its reading end.
///
/// # Errors
/// When the system has no descriptors left.
///
/// # Panics
/// Outside of a runtime with I/O.
#[track_caller]
pub fn pipe() -> io::Result<(Sender, Receiver)> {
    // Asked first: who calls this outside of a runtime hears of it in any case.
    drop(context::current_io());
    let (sender, receiver) = unix::pipe::pipe()?;
    Ok((
        Sender::from_owned_fd_unchecked(sender)?,
        Receiver::from_owned_fd_unchecked(receiver)?,
    ))
}

/// How to open a FIFO file.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    read_write: bool,
    unchecked: bool,
}

/// The writing end of a pipe.
pub struct Sender {
    io: PipeEnd,
}

/// The reading end of a pipe.
pub struct Receiver {
    io: PipeEnd,
}

impl OpenOptions {
    /// The usual way: it is checked that the file is a FIFO, and one end alone is opened.
    #[must_use]
    pub fn new() -> OpenOptions {
        OpenOptions::default()
    }

    /// Whether both ends are opened (Linux): so that the other one is never missing.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn read_write(&mut self, value: bool) -> &mut Self {
        self.read_write = value;
        self
    }

    /// Whether not to check that the file is a FIFO. Operations on another one may block.
    pub fn unchecked(&mut self, value: bool) -> &mut Self {
        self.unchecked = value;
        self
    }

    /// Opens the FIFO at `path` for reading.
    ///
    /// # Errors
    /// When it is no FIFO (`InvalidInput`); those of open(2).
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn open_receiver<P: AsRef<Path>>(&self, path: P) -> io::Result<Receiver> {
        let mut options = File::options();
        options.read(true).write(self.read_write);
        Receiver::from_file_unchecked(self.open(path.as_ref(), &mut options)?)
    }

    /// Opens the FIFO at `path` for writing.
    ///
    /// # Errors
    /// When it is no FIFO (`InvalidInput`); when nobody has opened it for reading (ENXIO);
    /// those of open(2).
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn open_sender<P: AsRef<Path>>(&self, path: P) -> io::Result<Sender> {
        let mut options = File::options();
        options.write(true).read(self.read_write);
        Sender::from_file_unchecked(self.open(path.as_ref(), &mut options)?)
    }

    fn open(&self, path: &Path, options: &mut std::fs::OpenOptions) -> io::Result<File> {
        let file = options
            .custom_flags(unix::pipe::OPEN_NONBLOCKING)
            .open(path)?;
        if !self.unchecked {
            check_pipe(&file)?;
        }
        Ok(file)
    }
}

/// Writes what both ends have.
macro_rules! pipe_end {
    ($End:ident, $interest:expr, $allowed:ident, $mode:literal) => {
        impl $End {
            /// Takes a FIFO file that was opened for this end; makes it not block.
            ///
            /// # Errors
            /// `InvalidInput` if it is no FIFO, or opened for the other end only.
            ///
            /// # Panics
            /// Outside of a runtime with I/O.
            #[track_caller]
            pub fn from_file(file: File) -> io::Result<Self> {
                check_pipe(&file)?;
                if !unix::pipe::opened_for(file.as_fd())?.$allowed {
                    return Err(invalid(concat!("not in ", $mode, " access mode")));
                }
                unix::pipe::set_nonblocking(file.as_fd(), true)?;
                Self::from_file_unchecked(file)
            }

            /// Takes the descriptor of a pipe; makes it not block.
            ///
            /// # Errors
            /// As [`from_file`](Self::from_file).
            ///
            /// # Panics
            /// Outside of a runtime with I/O.
            #[track_caller]
            pub fn from_owned_fd(fd: OwnedFd) -> io::Result<Self> {
                Self::from_file(File::from(fd))
            }

            /// [`from_file`](Self::from_file) that checks and changes nothing.
            ///
            /// # Errors
            /// `Unsupported` in a simulated world.
            ///
            /// # Panics
            /// Outside of a runtime with I/O.
            #[track_caller]
            pub fn from_file_unchecked(file: File) -> io::Result<Self> {
                let io = Registration::attached(context::current_io(), file, $interest);
                io.map(|io| Self { io }).map_err(|(_, error)| error)
            }

            /// [`from_owned_fd`](Self::from_owned_fd) that checks and changes nothing.
            ///
            /// # Errors
            /// `Unsupported` in a simulated world.
            ///
            /// # Panics
            /// Outside of a runtime with I/O.
            #[track_caller]
            pub fn from_owned_fd_unchecked(fd: OwnedFd) -> io::Result<Self> {
                Self::from_file_unchecked(File::from(fd))
            }

            /// The descriptor, made to block.
            ///
            /// # Errors
            /// Those of fcntl(2).
            pub fn into_blocking_fd(self) -> io::Result<OwnedFd> {
                let fd = self.into_nonblocking_fd()?;
                unix::pipe::set_nonblocking(fd.as_fd(), false)?;
                Ok(fd)
            }

            /// The descriptor, which does not block.
            ///
            /// # Errors
            /// When the selector does not know it.
            pub fn into_nonblocking_fd(self) -> io::Result<OwnedFd> {
                self.io.into_source().map(OwnedFd::from)
            }

            /// Waits until something of `interest` is ready, and says what.
            ///
            /// *Cancel safety:* dropping it leaves no trace.
            ///
            /// # Errors
            /// When the runtime is shut down.
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                Ok(self.io.readiness(interest).await?.ready)
            }

            /// Does `f`, an operation on this end that does not block, if it may be ready.
            ///
            /// # Errors
            /// Those of `f`; `WouldBlock` also if the end is known not to be ready.
            pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
                self.io.try_io($interest, f)
            }
        }

        descriptor!($End, |io| io.get());
    };
}

pipe_end!(Sender, Interest::WRITABLE, writing, "O_WRONLY or O_RDWR");
pipe_end!(Receiver, Interest::READABLE, reading, "O_RDONLY or O_RDWR");

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = ShownEnd("Sender", &self.io);
        f.debug_struct("Sender").field("io", &end).finish()
    }
}

impl Sender {
    /// Waits until it can be written.
    ///
    /// *Cancel safety:* dropping it leaves no trace.
    ///
    /// # Errors
    /// When the runtime is shut down.
    pub async fn writable(&self) -> io::Result<()> {
        self.ready(Interest::WRITABLE).await.map(drop)
    }

    /// [`writable`](Self::writable) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_ready(cx, Direction::Write).map_ok(drop)
    }

    /// Writes what there is room for.
    ///
    /// # Errors
    /// `WouldBlock` if there is no room; when nobody will read it.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.try_io(|| self.io.get().write(buf))
    }

    /// [`try_write`](Self::try_write) from several buffers.
    ///
    /// # Errors
    /// As there.
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.try_io(|| self.io.get().write_vectored(bufs))
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = ShownEnd("Receiver", &self.io);
        f.debug_struct("Receiver").field("io", &end).finish()
    }
}

impl Receiver {
    /// Waits until it can be read.
    ///
    /// *Cancel safety:* dropping it leaves no trace.
    ///
    /// # Errors
    /// When the runtime is shut down.
    pub async fn readable(&self) -> io::Result<()> {
        self.ready(Interest::READABLE).await.map(drop)
    }

    /// [`readable`](Self::readable) for the last task that calls this.
    ///
    /// # Errors
    /// As there.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_ready(cx, Direction::Read).map_ok(drop)
    }

    /// Reads what is there; 0 if nobody will write any more.
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
        self.try_io(|| fill(buf, |buf| self.read_chunk(buf)))
    }

    /// [`try_read`](Self::try_read) into several buffers.
    ///
    /// # Errors
    /// As there.
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.try_io(|| self.io.get().read_vectored(bufs))
    }

    fn read_chunk<'a>(&self, buf: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a mut [u8]> {
        unix::read::read_uninit(self.io.get().as_fd(), buf)
    }
}

impl AsyncRead for Receiver {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        fill::poll_read(&self.io, cx, buf, |buf| self.read_chunk(buf))
    }
}

impl AsyncWrite for Sender {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = || self.io.get().write(buf);
        self.io
            .poll_transfer(cx, Direction::Write, buf.len(), write)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io
            .poll_io(cx, Direction::Write, || self.io.get().write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is kept back on this side.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A pipe is closed by dropping its end.
        Poll::Ready(Ok(()))
    }
}

fn check_pipe(file: &File) -> io::Result<()> {
    if file.metadata()?.file_type().is_fifo() {
        Ok(())
    } else {
        Err(invalid("not a pipe"))
    }
}

fn invalid(message: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
