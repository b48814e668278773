//! The name `tokio` on yamanote.
