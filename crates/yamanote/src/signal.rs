//! Signals of the operating system to the process.

#[cfg(any(unix, windows))]
pub use yamanote_signal::ctrl_c;

/// What only Unix knows: signals by kind.
#[cfg(unix)]
pub mod unix {
    pub use yamanote_signal::unix::{Signal, SignalKind, signal};
}
