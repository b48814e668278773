//! Files and directories.
//!
//! The functions and types are those of `std::fs`, with `.await`. Operating systems have no files
//! that cannot block, so most of it runs where blocking is allowed, an operation at a time: read
//! and write a lot at once, and leave many small operations in a row to one `spawn_blocking`.
//! A [`File`] that was written to must be flushed before it is dropped.

pub use yamanote_fs::{DirBuilder, DirEntry, File, FileTimes, OpenOptions, ReadDir};

pub use yamanote_fs::{
    canonicalize, copy, create_dir, create_dir_all, hard_link, metadata, read, read_dir, read_link,
    read_to_string, remove_dir, remove_dir_all, remove_file, rename, set_permissions,
    symlink_metadata, try_exists, write,
};

#[cfg(unix)]
pub use yamanote_fs::symlink;

#[cfg(windows)]
pub use yamanote_fs::{symlink_dir, symlink_file};
