//! Not an API: a layer of yamanote. Files, directories and the standard streams.
//!
//! Knows nothing of threads, pools or io_uring: whatever may block is a closure that owns its
//! buffers, handed to the driver's `op`, which decides where it runs.
//!
//! ```text
//!  fs::read, fs::rename ..  ──▶ op::submit(closure) ──▶ await
//!  File::poll_read ..       ──▶ FileState: one operation at a time, a buffer that goes with it
//!  Stdin, Stdout, Stderr    ──▶ the same without positions
//! ```
//!
//! Read next: the file `file_state.rs`, which says what a read after a write means.
#![deny(unsafe_code)]

mod paths;

mod dir_builder;
mod open_options;
mod read_dir;

mod file;
mod file_state;
mod io_buffer;
mod shared_waker;

pub mod stdio;

#[cfg(unix)]
#[allow(unsafe_code)] // `FromRawFd`.
#[path = "unix.rs"]
mod platform;

#[cfg(windows)]
#[allow(unsafe_code)] // `FromRawHandle`.
#[path = "windows.rs"]
mod platform;

pub use std::fs::FileTimes;

pub use dir_builder::DirBuilder;
pub use file::File;
pub use open_options::OpenOptions;
pub use paths::*;
pub use read_dir::{DirEntry, ReadDir, read_dir};

#[cfg(unix)]
pub use platform::symlink;

#[cfg(windows)]
pub use platform::{symlink_dir, symlink_file};
