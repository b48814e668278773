//! Behaviour of the traits and types of this crate, in one program.
#![cfg(not(loom))]

mod auto_traits;
mod in_memory;
mod peer;
mod pipe_model;
mod read_buf_model;
mod reading;
mod script;
mod stream_model;
mod writing;
