//! What only Linux has.

pub mod cores;
pub mod file;
mod mounts;
mod paths;
