//! Not an API: a layer of yamanote. Child processes.
//!
//! Knows nothing of tasks and runtimes: a child's end is an event of the driver like any other.
//!
//! ```text
//!  Command::spawn ──▶ Child ──▶ Process: std's child and a watch on its end
//!                                 │  pidfd, where the kernel has it; else SIGCHLD;
//!                                 │  on Windows a wait of the system's pool
//!  dropped while it runs ──▶ orphans: polled by its own waker until it has ended
//!  its standard streams  ──▶ ChildStdin, ChildStdout, ChildStderr: pipes that do not block
//! ```
//!
//! Read next: the file `process.rs`, then `orphans.rs`.
#![deny(unsafe_code)]

mod child;
mod command;

#[cfg(unix)]
mod stdio;
#[cfg(windows)]
#[path = "windows/stdio.rs"]
mod stdio;

#[cfg(unix)]
#[allow(unsafe_code)] // `pre_exec`.
mod command_unix;
#[cfg(windows)]
#[path = "windows/command.rs"]
mod command_windows;

#[cfg(unix)]
mod orphans;
#[cfg(windows)]
#[path = "windows/orphans.rs"]
mod orphans;

#[cfg(unix)]
mod process;
#[cfg(windows)]
#[path = "windows/process.rs"]
mod process;

#[cfg(any(target_os = "android", target_os = "linux"))]
#[allow(unsafe_code)] // A system call that std has not.
mod pidfd;
#[cfg(all(unix, not(any(target_os = "android", target_os = "linux"))))]
#[path = "no_pidfd.rs"]
mod pidfd;

#[cfg(windows)]
#[path = "windows/exit_wait.rs"]
#[allow(unsafe_code)] // System calls.
mod exit_wait;

pub use child::Child;
pub use command::Command;
#[cfg(unix)]
pub use process::watch_by_signals;
pub use stdio::{ChildStderr, ChildStdin, ChildStdout};

#[cfg(all(test, unix, not(loom)))]
mod tests;
