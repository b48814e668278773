//! Not an API: a layer of yamanote. Child processes.
//!
//! Knows nothing of tasks and runtimes: a child's end is an event of the driver like any other.
//!
//! ```text
//!  Command::spawn ──▶ Child ──▶ Process: std's child and a watch on its end
//!                                 │  pidfd, where the kernel has it; else SIGCHLD
//!  dropped while it runs ──▶ orphans: polled by its own waker until it has ended
//!  its standard streams  ──▶ ChildStdin, ChildStdout, ChildStderr: pipes that do not block
//! ```
//!
//! Read next: the file `process.rs`, then `orphans.rs`.
#![deny(unsafe_code)]

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod command;
#[cfg(unix)]
mod stdio;

#[cfg(unix)]
#[allow(unsafe_code)] // `pre_exec`.
mod command_unix;

#[cfg(unix)]
mod orphans;
#[cfg(unix)]
mod process;

#[cfg(any(target_os = "android", target_os = "linux"))]
#[allow(unsafe_code)] // A system call that std has not.
mod pidfd;
#[cfg(all(unix, not(any(target_os = "android", target_os = "linux"))))]
#[path = "no_pidfd.rs"]
mod pidfd;

#[cfg(unix)]
pub use child::Child;
#[cfg(unix)]
pub use command::Command;
#[cfg(unix)]
pub use stdio::{ChildStderr, ChildStdin, ChildStdout};

#[cfg(all(test, unix, not(loom)))]
mod tests;
