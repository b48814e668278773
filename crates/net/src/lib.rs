//! Not an API: a layer of yamanote. TCP, UDP, Unix sockets, pipes, names: `tokio::net`.
//!
//! Knows nothing of selectors and never loops on `WouldBlock`: the driver's resources do both,
//! and choose between the real system and a simulated world. What is here is the public shape.
//!
//! ```text
//!  TcpStream, TcpListener, TcpSocket, UdpSocket,
//!  UnixStream, UnixListener, UnixSocket, UnixDatagram ──▶ driver::resource: Os | World
//!  pipe, named_pipe, AsyncFd ──▶ driver::resource: Registration
//!  ToSocketAddrs, lookup_host ──▶ driver::op (the system's resolver), or the world's names
//! ```
//!
//! Read next: the files `methods.rs` (what all sockets have), `stream.rs` and `datagram.rs` (what
//! TCP's and UDP's have with Unix's), `options.rs`, then [`TcpStream`].

#![deny(unsafe_code)]

#[macro_use]
mod datagram;
#[macro_use]
mod methods;
#[macro_use]
mod options;
#[macro_use]
mod split;
#[macro_use]
mod stream;

#[allow(unsafe_code)] // Memory that is not initialized yet.
mod fill;

mod addr;
pub mod owned;
pub mod tcp;
mod udp;

#[cfg(unix)]
pub mod async_fd;
#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;

pub use addr::{ToSocketAddrs, lookup_host};
pub use tcp::listener::TcpListener;
pub use tcp::socket::TcpSocket;
pub use tcp::stream::TcpStream;
pub use udp::UdpSocket;
#[cfg(unix)]
pub use unix::datagram::UnixDatagram;
#[cfg(unix)]
pub use unix::listener::UnixListener;
#[cfg(unix)]
pub use unix::socket::UnixSocket;
#[cfg(unix)]
pub use unix::stream::UnixStream;
