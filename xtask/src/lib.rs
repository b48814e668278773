//! The project's own commands: `cargo xtask tidy | conformance | likeness | loom | asan | bench |
//! features | platforms | sim`.
//!
//! A library, so that tests call it: `tests/tidy.rs` runs [`tidy`] over the whole workspace, so
//! that `cargo test` fails where the style guide is not kept. It knows nothing of the runtime; it
//! reads the project's files, asks cargo about its packages, and starts cargo.
//!
//! Read next: [`tidy::RULES`], the table of what is checked.

#![forbid(unsafe_code)]

pub mod asan;
pub mod bench;
pub mod command;
pub mod conformance;
pub mod features;
pub mod likeness;
pub mod loom;
pub mod messages;
pub mod packages;
pub mod pattern;
pub mod platforms;
pub mod sim;
pub mod tidy;
pub mod wine;

/// What went wrong, in a sentence that says what to do.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A command's outcome.
pub type Result<T = ()> = std::result::Result<T, Failure>;
