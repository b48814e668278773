//! What only Linux has.

pub mod barrier;
pub mod file;
mod mounts;
mod paths;
