//! Behaviour of files and directories, on the driver alone.
#![cfg(not(loom))]

mod directories;
mod files;
mod world;
