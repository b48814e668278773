//! station: a durable key-value and publish/subscribe service over HTTP.
//!
//! What it needs of the world it asks of `tokio` and `axum`; it starts no thread of its own, so the
//! very same service runs on any runtime that has tokio's API, a simulated one included.
//!
//! ```text
//!  http ── Command ──> writer ── frame ──> log   one task owns the log; a batch is one frame
//!    │                   │ after fsync
//!    │                   ├──> table    what readers see: acknowledged writes only
//!    └──── Change <──────┴──> feed     /watch, /ws and the page; no listener delays a writer
//! ```
//!
//! Read next: [`frame`] (what is on disk), [`log`], [`store`], then [`http`].

#![forbid(unsafe_code)]

pub mod accept;
pub mod args;
pub mod disk;
pub mod feed;
pub mod frame;
pub mod http;
pub mod load;
pub mod log;
mod platform;
pub mod service;
pub mod stats;
pub mod store;
pub mod stream;
mod writer;

pub use platform::terminated;
pub use service::{Config, Service, serve};
