//! [`UnixSocket`]: bound before it listens, connects or sends.

use std::io;
use std::path::Path;

use yamanote_driver::resource::unix;

use crate::methods::real;
use crate::unix::datagram::UnixDatagram;
use crate::unix::listener::UnixListener;
use crate::unix::stream::UnixStream;

/// A Unix socket that does not listen and is not connected yet.
#[derive(Debug)]
pub struct UnixSocket {
    io: unix::UnixSocket,
}

impl UnixSocket {
    /// A socket for datagrams.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    pub fn new_datagram() -> io::Result<UnixSocket> {
        Ok(Self {
            io: unix::UnixSocket::new(true)?,
        })
    }

    /// A socket for streams.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    pub fn new_stream() -> io::Result<UnixSocket> {
        Ok(Self {
            io: unix::UnixSocket::new(false)?,
        })
    }

    /// Binds it to `path`.
    ///
    /// # Errors
    /// When something is there already, or the path is too long.
    pub fn bind(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.io.bind(path.as_ref())
    }

    /// Listens, with at most `backlog` connections waiting to be accepted.
    ///
    /// # Errors
    /// If it is for datagrams.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<UnixListener> {
        self.check(false, "listen cannot be called on a datagram socket")?;
        self.io.listen(backlog).map(UnixListener::of)
    }

    /// Connects to `path`.
    ///
    /// # Errors
    /// If it is for datagrams; when nobody listens there.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn connect(self, path: impl AsRef<Path>) -> io::Result<UnixStream> {
        self.check(false, "connect cannot be called on a datagram socket")?;
        self.io.connect(path.as_ref()).await.map(UnixStream::of)
    }

    /// The socket for datagrams that it is.
    ///
    /// # Errors
    /// If it is for streams.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn datagram(self) -> io::Result<UnixDatagram> {
        self.check(true, "datagram cannot be called on a stream socket")?;
        self.io.datagram().map(UnixDatagram::of)
    }

    fn check(&self, datagram: bool, message: &'static str) -> io::Result<()> {
        if self.io.is_datagram()? == datagram {
            Ok(())
        } else {
            Err(io::Error::other(message))
        }
    }
}

descriptor!(UnixSocket, |io| real(io.os()));

/// Conversions from and to a bare descriptor.
#[allow(unsafe_code)] // The trait asks for it.
mod raw {
    use super::{UnixSocket, unix};
    use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};

    impl FromRawFd for UnixSocket {
        /// Takes a Unix socket that does not block.
        ///
        /// # Safety
        /// - `fd` must be an open descriptor that nobody else owns.
        unsafe fn from_raw_fd(fd: RawFd) -> UnixSocket {
            // SAFETY: the caller says that it is open, and ours.
            let fd = unsafe { OwnedFd::from_raw_fd(fd) };
            UnixSocket {
                io: unix::UnixSocket::Os(fd.into()),
            }
        }
    }

    impl IntoRawFd for UnixSocket {
        fn into_raw_fd(self) -> RawFd {
            match self.io.into_os() {
                Ok(socket) => OwnedFd::from(socket).into_raw_fd(),
                Err(error) => panic!("{error}"),
            }
        }
    }
}
