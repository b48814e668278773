//! Where streams are: in the crate `tokio-stream`.
//!
//! The trait `Stream` is not in the standard library yet, so nothing here returns one. What is like
//! a stream has a method instead: `recv` of a channel, `next_line` of [`Lines`], `tick` of an
//! interval. `tokio-stream` wraps each of them, and has the adapters; it works on yamanote as it
//! is.
//!
//! [`Lines`]: https://docs.rs/tokio/1/tokio/io/struct.Lines.html
