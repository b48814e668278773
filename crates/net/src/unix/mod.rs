//! What only Unix systems have: sockets in the file system, pipes, credentials.
//!
//! A simulated host has the sockets, and no pipes: those answer `Unsupported` there.

pub(crate) mod datagram;
pub(crate) mod listener;
pub(crate) mod socket;
mod split;
pub(crate) mod stream;

mod address;
mod credentials;
pub mod pipe;

pub use address::SocketAddr;
pub use credentials::UCred;
pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};

/// The number of a user.
#[allow(non_camel_case_types)]
pub type uid_t = u32;
/// The number of a group.
#[allow(non_camel_case_types)]
pub type gid_t = u32;
/// The number of a process.
#[allow(non_camel_case_types)]
pub type pid_t = i32;
