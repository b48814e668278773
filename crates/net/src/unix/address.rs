//! The address of a Unix socket.

use std::fmt;
use std::os::unix::net as std_unix;
use std::path::Path;

/// The address of a Unix socket: a path, an abstract name, or none.
#[derive(Clone)]
pub struct SocketAddr(pub(crate) std_unix::SocketAddr);

impl SocketAddr {
    /// Whether it has neither a path nor a name.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        self.0.is_unnamed()
    }

    /// Its path, if it has one.
    #[must_use]
    pub fn as_pathname(&self) -> Option<&Path> {
        self.0.as_pathname()
    }

    /// Its abstract name (Linux), if it has one.
    #[must_use]
    pub fn as_abstract_name(&self) -> Option<&[u8]> {
        yamanote_driver::resource::unix::abstract_name(&self.0)
    }
}

impl fmt::Debug for SocketAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<std_unix::SocketAddr> for SocketAddr {
    fn from(addr: std_unix::SocketAddr) -> Self {
        SocketAddr(addr)
    }
}

impl From<SocketAddr> for std_unix::SocketAddr {
    fn from(addr: SocketAddr) -> Self {
        addr.0
    }
}
