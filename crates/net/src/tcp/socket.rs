//! [`TcpSocket`]: configured and bound before it listens or connects.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use yamanote_driver::resource;

use crate::methods::{real, show_source};
use crate::tcp::listener::TcpListener;
use crate::tcp::stream::TcpStream;

/// A TCP socket that does not listen and is not connected yet.
pub struct TcpSocket {
    io: resource::TcpSocket,
}

impl TcpSocket {
    /// A socket for IPv4.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    pub fn new_v4() -> io::Result<TcpSocket> {
        Ok(Self {
            io: resource::TcpSocket::new(false)?,
        })
    }

    /// A socket for IPv6.
    ///
    /// # Errors
    /// When the system has no descriptors left, or no IPv6.
    pub fn new_v6() -> io::Result<TcpSocket> {
        Ok(Self {
            io: resource::TcpSocket::new(true)?,
        })
    }

    /// Takes std's stream, which may have been configured by other means; it must not block.
    #[must_use]
    pub fn from_std_stream(stream: std::net::TcpStream) -> TcpSocket {
        Self {
            io: resource::TcpSocket::of_fd(stream.into()),
        }
    }

    /// Binds it to `addr`.
    ///
    /// # Errors
    /// When the address is in use, not this host's, or not allowed.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        self.io.bind(addr)
    }

    /// Connects it to `addr`.
    ///
    /// *Cancel safety:* dropping it gives the attempt up.
    ///
    /// # Errors
    /// When the other side refuses, does not answer, or cannot be reached.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    pub async fn connect(self, addr: SocketAddr) -> io::Result<TcpStream> {
        self.io.connect(addr).await.map(TcpStream::of)
    }

    /// Listens, with at most `backlog` connections waiting to be accepted.
    ///
    /// # Errors
    /// When the address is in use.
    ///
    /// # Panics
    /// Outside of a runtime with I/O.
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        self.io.listen(backlog).map(TcpListener::of)
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// Takes what went wrong since it was asked last.
    ///
    /// # Errors
    /// Those of the system.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.io.option(|socket| socket.take_error(), |_| None)
    }

    linger_options!();
    tos_options!();

    socket_options! {
        /// Whether an idle connection is probed.
        keepalive, set_keepalive: bool = keepalive, set_keepalive, keepalive;

        /// Whether the address may be bound again while old connections fade away.
        reuseaddr, set_reuseaddr: bool = reuse_address, set_reuse_address, reuse_address;

        /// Whether small writes are sent at once.
        nodelay, set_nodelay: bool = tcp_nodelay, set_tcp_nodelay, nodelay;
    }
}

/// Writes a getter and a setter of a buffer's size.
macro_rules! buffer_sizes {
    ($($(#[$doc:meta])* $get:ident, $set:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// Those of the system.
        pub fn $get(&self) -> io::Result<u32> {
            let size = self.io.option(|socket| socket.$get(), |options| options.$get);
            size.map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX))
        }

        #[doc = concat!("Sets [`", stringify!($get), "`](Self::", stringify!($get), ").")]
        ///
        /// # Errors
        /// Those of the system.
        pub fn $set(&self, bytes: u32) -> io::Result<()> {
            let bytes = bytes as usize;
            self.io.set_option(|socket| socket.$set(bytes), |options| options.$get = bytes)
        }
    )*};
}

impl TcpSocket {
    buffer_sizes! {
        /// Size of the send buffer in bytes. Linux shows twice what was set.
        send_buffer_size, set_send_buffer_size;

        /// Size of the receive buffer in bytes. Linux shows twice what was set.
        recv_buffer_size, set_recv_buffer_size;
    }
}

/// What Windows has not.
#[cfg(unix)]
impl TcpSocket {
    socket_options! {
        /// Whether several sockets may have the port.
        reuseport, set_reuseport: bool = reuse_port, set_reuse_port, reuse_port;

        /// Traffic class of its packets (IPv6).
        tclass_v6, set_tclass_v6: u32 = tclass_v6, set_tclass_v6, tos;
    }
}

/// What only Linux has.
#[cfg(any(target_os = "linux", target_os = "android"))]
impl TcpSocket {
    device_options!();
}

descriptor!(TcpSocket, |io| real(io.os()));

impl fmt::Debug for TcpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show_source(self.io.os(), f)
    }
}

/// Conversions from and to a bare descriptor.
#[cfg(unix)]
#[allow(unsafe_code)] // The trait asks for it.
mod raw {
    use super::TcpSocket;
    use std::os::fd::{FromRawFd, IntoRawFd, OwnedFd, RawFd};

    use yamanote_driver::resource;

    impl FromRawFd for TcpSocket {
        /// Takes a TCP socket that does not block.
        ///
        /// # Safety
        /// - `fd` must be an open descriptor that nobody else owns.
        unsafe fn from_raw_fd(fd: RawFd) -> TcpSocket {
            // SAFETY: the caller says that it is open, and ours.
            let fd = unsafe { OwnedFd::from_raw_fd(fd) };
            TcpSocket {
                io: resource::TcpSocket::of_fd(fd),
            }
        }
    }

    impl IntoRawFd for TcpSocket {
        fn into_raw_fd(self) -> RawFd {
            match self.io.into_fd() {
                Ok(fd) => fd.into_raw_fd(),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Conversions from and to a bare socket.
#[cfg(windows)]
#[allow(unsafe_code)] // The trait asks for it.
mod raw {
    use super::TcpSocket;
    use std::os::windows::io::{FromRawSocket, IntoRawSocket, OwnedSocket, RawSocket};

    use yamanote_driver::resource;

    impl FromRawSocket for TcpSocket {
        /// Takes a TCP socket that does not block.
        ///
        /// # Safety
        /// - `socket` must be an open socket that nobody else owns.
        unsafe fn from_raw_socket(socket: RawSocket) -> TcpSocket {
            // SAFETY: the caller says that it is open, and ours.
            let socket = unsafe { OwnedSocket::from_raw_socket(socket) };
            TcpSocket {
                io: resource::TcpSocket::of_fd(socket),
            }
        }
    }

    impl IntoRawSocket for TcpSocket {
        fn into_raw_socket(self) -> RawSocket {
            match self.io.into_fd() {
                Ok(socket) => socket.into_raw_socket(),
                Err(error) => panic!("{error}"),
            }
        }
    }
}
