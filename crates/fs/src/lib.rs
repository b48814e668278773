//! Not an API: a layer of yamanote. Files, directories and the standard streams.
//!
//! Knows nothing of threads, pools or io_uring: what cannot block is asked of the driver's
//! `op::direct`; whatever may block is a closure that owns its buffers, handed to `op`.
//!
//! ```text
//!  fs::read, fs::metadata   ──▶ op::direct ──▶ at once, or None: may block
//!  fs::read, fs::rename ..  ──▶ op::submit(closure) ──▶ await
//!  File::poll_read ..       ──▶ FileState: one operation at a time, a buffer that goes with it
//!  Stdin, Stdout, Stderr    ──▶ the same without positions
//! ```
//!
//! Read next: the file `file_state.rs`, which says what a read after a write means.
#![deny(unsafe_code)]

mod attributes;
mod contents;
mod tree;

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

pub use attributes::{canonicalize, metadata, set_permissions, symlink_metadata, try_exists};
pub use contents::{copy, read, read_to_string, write};
pub use dir_builder::DirBuilder;
pub use file::File;
pub use open_options::OpenOptions;
pub use read_dir::{DirEntry, ReadDir, read_dir};
pub use tree::{
    create_dir, create_dir_all, hard_link, read_link, remove_dir, remove_dir_all, remove_file,
    rename,
};

#[cfg(unix)]
pub use platform::symlink;

#[cfg(windows)]
pub use platform::{symlink_dir, symlink_file};
