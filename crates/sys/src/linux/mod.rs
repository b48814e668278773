//! What only Linux has.

pub mod file;
mod mounts;
mod paths;
