//! [`TcpSocket`]: configured and bound before it listens or connects.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use yamanote_driver::resource;

use crate::methods::real;
use crate::tcp::listener::TcpListener;
use crate::tcp::stream::TcpStream;

/// A TCP socket that does not listen and is not connected yet.
pub struct TcpSocket {
    io: resource::TcpSocket,
}

/// Writes a getter and a setter of an option: its docs, names, type, and how to find it on
/// the real system and in a simulated socket's options.
macro_rules! socket_options {
    ($(
        $(#[$doc:meta])*
        $get:ident, $set:ident: $Value:ty,
        |$sock:ident| $os_get:expr, |$options:ident| $world_get:expr,
        |$os:ident, $world:ident, $value:ident| $os_set:expr, $world_set:expr;
    )*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// Those of the system.
        pub fn $get(&self) -> io::Result<$Value> {
            self.io.option(|$sock| $os_get, |$options| $world_get)
        }

        #[doc = concat!("Sets [`", stringify!($get), "`](Self::", stringify!($get), ").")]
        ///
        /// # Errors
        /// Those of the system.
        pub fn $set(&self, $value: $Value) -> io::Result<()> {
            self.io.set_option(|$os| $os_set, |$world| $world_set)
        }
    )*};
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

    /// How long closing waits for unsent data.
    ///
    /// # Errors
    /// Those of the system.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.io
            .option(|socket| socket.linger(), |options| options.linger)
    }

    /// Sets [`linger`](Self::linger): closing blocks the thread as long, which is seldom wanted.
    ///
    /// # Errors
    /// Those of the system.
    #[deprecated = "`SO_LINGER` causes the socket to block the thread on drop"]
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.set_linger_to(linger)
    }

    /// Makes closing reset the connection and drop unsent data.
    ///
    /// # Errors
    /// Those of the system.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.set_linger_to(Some(Duration::ZERO))
    }

    fn set_linger_to(&self, linger: Option<Duration>) -> io::Result<()> {
        self.io.set_option(
            |socket| socket.set_linger(linger),
            |options| options.linger = linger,
        )
    }

    socket_options! {
        /// Whether an idle connection is probed.
        keepalive, set_keepalive: bool,
        |socket| socket.keepalive(), |options| options.keepalive,
        |socket, options, on| socket.set_keepalive(on), options.keepalive = on;

        /// Whether the address may be bound again while old connections fade away.
        reuseaddr, set_reuseaddr: bool,
        |socket| socket.reuse_address(), |options| options.reuse_address,
        |socket, options, on| socket.set_reuse_address(on), options.reuse_address = on;

        /// Whether small writes are sent at once.
        nodelay, set_nodelay: bool,
        |socket| socket.tcp_nodelay(), |options| options.nodelay,
        |socket, options, on| socket.set_tcp_nodelay(on), options.nodelay = on;

        /// Size of the send buffer in bytes. Linux shows twice what was set.
        send_buffer_size, set_send_buffer_size: u32,
        |socket| socket.send_buffer_size().map(size), |options| size(options.send_buffer_size),
        |socket, options, bytes| socket.set_send_buffer_size(bytes as usize),
        options.send_buffer_size = bytes as usize;

        /// Size of the receive buffer in bytes. Linux shows twice what was set.
        recv_buffer_size, set_recv_buffer_size: u32,
        |socket| socket.recv_buffer_size().map(size), |options| size(options.recv_buffer_size),
        |socket, options, bytes| socket.set_recv_buffer_size(bytes as usize),
        options.recv_buffer_size = bytes as usize;

        /// Type of service of its packets (IPv4).
        tos_v4, set_tos_v4: u32,
        |socket| socket.tos_v4(), |options| options.tos,
        |socket, options, tos| socket.set_tos_v4(tos), options.tos = tos;
    }

    /// Type of service of its packets (IPv4).
    ///
    /// # Errors
    /// Those of the system.
    #[deprecated = "`tos` related methods have been renamed `tos_v4` since they are IPv4-specific"]
    #[doc(hidden)]
    pub fn tos(&self) -> io::Result<u32> {
        self.tos_v4()
    }

    /// Sets the type of service of its packets (IPv4).
    ///
    /// # Errors
    /// Those of the system.
    #[deprecated = "`tos` related methods have been renamed `tos_v4` since they are IPv4-specific"]
    #[doc(hidden)]
    pub fn set_tos(&self, tos: u32) -> io::Result<()> {
        self.set_tos_v4(tos)
    }
}

/// What Windows has not.
#[cfg(unix)]
impl TcpSocket {
    socket_options! {
        /// Whether several sockets may have the port.
        reuseport, set_reuseport: bool,
        |socket| socket.reuse_port(), |options| options.reuse_port,
        |socket, options, on| socket.set_reuse_port(on), options.reuse_port = on;

        /// Traffic class of its packets (IPv6).
        tclass_v6, set_tclass_v6: u32,
        |socket| socket.tclass_v6(), |options| options.tos,
        |socket, options, tclass| socket.set_tclass_v6(tclass), options.tos = tclass;
    }
}

/// What only Linux has.
#[cfg(any(target_os = "linux", target_os = "android"))]
impl TcpSocket {
    /// The interface that it is bound to.
    ///
    /// # Errors
    /// Those of the system.
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        self.io.option(|socket| socket.device(), |_| None)
    }

    /// Binds it to an interface, or to none.
    ///
    /// # Errors
    /// Those of the system: no such interface, not allowed.
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.io
            .set_option(|socket| socket.bind_device(interface), |_| ())
    }
}

/// Bytes as the API counts them.
fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

descriptor!(TcpSocket, |io| real(io.os()));

impl fmt::Debug for TcpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.fmt(f)
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
