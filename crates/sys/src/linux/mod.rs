//! What only Linux has.

pub mod barrier;
pub mod cores;
pub mod file;
mod mounts;
mod paths;
