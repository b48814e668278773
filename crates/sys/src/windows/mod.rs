//! Windows: sockets by way of mio's types, and named pipes.

pub(crate) mod likeness;
pub mod named_pipe;
pub mod source;
