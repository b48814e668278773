//! Not an API: a layer of yamanote. Signals of the operating system, as futures.
//!
//! Knows nothing of processes. Each runtime has a pipe of its own:
//!
//! ```text
//!   the system ──▶ handler (any thread): set the listener's flag, write a byte
//!     ──▶ pipe ──▶ driver ──▶ hub ──▶ the tasks whose flags are set
//! ```
//!
//! So runtimes do not meet here, and a listener that is dropped leaves nothing behind but its
//! runtime's pipe and the process's handler, which then does nothing. (A handler, once installed,
//! stays: the default action of the signal does not come back.)
//!
//! On Windows the handler sets a flag and wakes the listener; the driver has no part in it.
//!
//! Read next: `unix.rs`, `hub.rs`, `windows.rs`.

#[cfg(unix)]
mod hub;
#[cfg(unix)]
mod listener;
#[cfg(unix)]
pub mod unix;

#[cfg(unix)]
pub use unix::ctrl_c;

#[cfg(windows)]
mod console;
#[cfg(windows)]
pub mod windows;

#[cfg(windows)]
pub use windows::wait_for_ctrl_c as ctrl_c;
