//! yamanote under the name `tokio`, with the version and the cargo features of the published crate.
//!
//! Contains nothing of its own. Three lines move a whole dependency graph onto yamanote:
//!
//! ```toml
//! [patch.crates-io]
//! tokio = { path = "compat/tokio" }
//! # and, where there is a lock file already: cargo update -p tokio
//! ```
#![forbid(unsafe_code)]

pub use yamanote::*;

/// Hides yamanote's module of this name, which tokio does not have.
#[allow(hidden_glob_reexports)] // That is the point.
mod owned {}

/// The attributes of this name expand to paths that begin with `tokio`.
#[cfg(feature = "macros")]
pub use yamanote::macros::tokio_attributes::{main, test};
