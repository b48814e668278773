//! Child processes: `std::process` without blocking.
//!
//! A [`Child`] that is dropped goes on running, unless `kill_on_drop` was set; when it ends after
//! that, the runtime collects its status.

pub use yamanote_process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
