//! TCP sockets whose operations own their buffers, so that the kernel may fill them by itself.
//!
//! Where the system has io_uring, an operation goes into the ring of the worker that polls it;
//! elsewhere, in a simulated world, and where the runtime is told not to use rings, the same is
//! done by waiting for readiness.

mod listener;
mod sender;
mod stream;

pub use listener::TcpListener;
pub use sender::Sender;
pub use stream::{Receiver, TcpStream};
pub use yamanote_driver::sockets::Chunk;

use std::io;
use std::net::SocketAddr;

use yamanote_driver::resource::OwnedDescriptor;
use yamanote_driver::sockets::{SockAddr, SockRef};

/// The address as std knows it.
fn inet(addr: &SockAddr) -> io::Result<SocketAddr> {
    let not_inet = || io::Error::other("the socket has no internet address");
    addr.as_socket().ok_or_else(not_inet)
}

/// Whether the system's calls on the socket wait: where a ring does them, they must be allowed to.
fn set_blocking(socket: &OwnedDescriptor, blocking: bool) -> io::Result<()> {
    SockRef::from(socket).set_nonblocking(!blocking)
}
