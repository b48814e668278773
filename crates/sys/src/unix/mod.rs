//! Unix: everything that is a descriptor.

pub mod credentials;
pub(crate) mod likeness;
pub mod pipe;
pub mod read;
pub mod source;
pub mod unix_socket;
