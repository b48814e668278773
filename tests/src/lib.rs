//! Tests that see the facade only, by the name `tokio`: see `tests/`.
#![forbid(unsafe_code)]
