//! What only Windows has: named pipes.

pub mod named_pipe;

mod end;

#[allow(unsafe_code)] // Handles and attributes that the caller vouches for.
mod raw;
