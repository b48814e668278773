//! Behaviour of the traits and types of this crate, in one program.
#![cfg(not(loom))]

mod in_memory;
mod reading;
mod script;
mod writing;
