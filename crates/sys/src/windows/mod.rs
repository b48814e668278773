//! Windows: sockets by way of mio's types, and named pipes.

pub mod named_pipe;
pub mod source;
