//! Unix: everything that is a descriptor.

pub mod credentials;
pub mod pipe;
pub mod read;
pub mod socket;
pub mod source;
